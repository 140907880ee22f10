// The authorization server: two grants, as the README of oauth2orize writes them.

import oauth2orize from 'oauth2orize';

import { findClient, issueToken } from './store.js';

export const server = oauth2orize.createServer();

server.serializeClient((client, done) => done(null, client.id));
server.deserializeClient((id, done) => done(null, findClient(id)));

server.grant(
  oauth2orize.grant.token((client, user, ares, areq, done) => done(null, issueToken(client, user, areq.scope))),
);

server.exchange(
  oauth2orize.exchange.clientCredentials((client, scope, done) => done(null, issueToken(client, null, scope))),
);

// The README compares the redirect URI of the request with the registered one; here a client may have several.
export function validateClient(clientId, redirectURI, done) {
  const client = findClient(clientId);
  if (!client) return done(null, false);
  if (!client.redirectURIs.includes(redirectURI)) return done(null, false);
  return done(null, client, redirectURI);
}
