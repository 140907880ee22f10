// The clients that the profile names.

import crypto from 'node:crypto';
import fs from 'node:fs';

const secret = (name) => process.env[`GRANTPROOF_OIDC_PROVIDER_${name}_SECRET`];

const pem = fs.readFileSync(process.env.GRANTPROOF_OIDC_PROVIDER_CLIENT_KEY);
const publicJwk = crypto.createPublicKey(pem).export({ format: 'jwk' });
const assertionKey = { ...publicJwk, alg: 'RS256', use: 'sig', kid: 'assertion' };

const service = (id, metadata) => ({
  client_id: id,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...metadata,
});

const implicit = (id, redirectUris, metadata) => ({
  client_id: id,
  grant_types: ['implicit'],
  redirect_uris: redirectUris,
  response_types: ['id_token token', 'id_token'],
  token_endpoint_auth_method: 'none',
  ...metadata,
});

export const clients = [
  service('service', { client_secret: secret('SERVICE') }),
  service('service_post', { client_secret: secret('POST'), token_endpoint_auth_method: 'client_secret_post' }),
  service('service_reserved', { client_secret: secret('RESERVED') }),
  service('service_key', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [assertionKey] } }),
  service('service_hmac', { client_secret: secret('HMAC'), token_endpoint_auth_method: 'client_secret_jwt' }),
  {
    client_id: 'code_app',
    client_secret: secret('CODE_APP'),
    grant_types: ['authorization_code'],
    redirect_uris: ['https://code.example/cb'],
    response_types: ['code'],
  },
  implicit('spa', ['https://app.example/cb', 'https://app.example/cb2?x=1']),
  implicit('spa_single', ['https://single.example/cb']),
  implicit('web_app', ['https://web.example/cb'], {
    client_secret: secret('WEB_APP'),
    token_endpoint_auth_method: 'client_secret_basic',
  }),
];
