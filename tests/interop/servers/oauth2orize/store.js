// What a database would hold: clients, users and access tokens.

import crypto from 'node:crypto';

const CALLBACK = 'https://app.example/cb';

// The library leaves open which client may use which grant, and so does the application in its README.
const clients = [
  { id: 'service', secret: process.env.GRANTPROOF_OAUTH2ORIZE_SERVICE_SECRET, redirectURIs: [] },
  { id: 'service_other', secret: process.env.GRANTPROOF_OAUTH2ORIZE_OTHER_SECRET, redirectURIs: [] },
  { id: 'service_reserved', secret: process.env.GRANTPROOF_OAUTH2ORIZE_RESERVED_SECRET, redirectURIs: [] },
  {
    id: 'web_app',
    secret: process.env.GRANTPROOF_OAUTH2ORIZE_WEB_APP_SECRET,
    redirectURIs: ['https://web.example/cb'],
  },
  { id: 'spa', redirectURIs: [CALLBACK, `${CALLBACK}2?x=1`] },
  { id: 'spa_single', redirectURIs: ['https://single.example/cb'] },
];

const users = [
  { id: '1', username: 'alice', password: process.env.GRANTPROOF_OAUTH2ORIZE_ALICE_PASSWORD },
  { id: '2', username: 'bob', password: process.env.GRANTPROOF_OAUTH2ORIZE_BOB_PASSWORD },
];

const tokens = new Map();

export const findClient = (id) => clients.find((client) => client.id === id);
export const findUser = (id) => users.find((user) => user.id === id);
export const findUserByName = (username) => users.find((user) => user.username === username);
export const findToken = (value) => tokens.get(value);

export function issueToken(client, user, scope) {
  const value = crypto.randomBytes(32).toString('base64url');
  tokens.set(value, { clientId: client.id, userId: user?.id, scope });
  return value;
}
