// The provider's configuration. What is not named here keeps its default.

import crypto from 'node:crypto';
import fs from 'node:fs';

import { errors } from 'oidc-provider';

import { clients } from './clients.js';

const pem = fs.readFileSync(process.env.GRANTPROOF_OIDC_PROVIDER_SIGNING_KEY);
const privateJwk = crypto.createPrivateKey(pem).export({ format: 'jwk' });
const signingKey = { ...privateJwk, alg: 'RS256', use: 'sig', kid: 'signing' };

const accounts = new Set(['alice', 'bob']);

// A resource server decides the format of its access tokens; the default is opaque. The library neither introspects nor
// revokes JWTs.
const resourceServers = {
  'https://api.example': { scope: 'read write' },
  'https://jwt.example': { scope: 'read write', accessTokenFormat: 'jwt' },
};

export const configuration = {
  clients,
  findAccount: (ctx, id) => (accounts.has(id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
  // Both have insecure defaults for development, which the documentation tells to replace.
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  jwks: { keys: [signingKey] },
  // The default pages let anybody in under any name; the documentation tells to replace them too.
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  // The default list and "id_token token", the one implicit response type with an access token that the library knows.
  responseTypes: ['code id_token', 'code', 'id_token', 'none', 'id_token token'],
  features: {
    devInteractions: { enabled: false },
    // Off by default, and what this server is here for.
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      getResourceServerInfo(ctx, indicator) {
        if (!Object.hasOwn(resourceServers, indicator)) throw new errors.InvalidTarget();
        return resourceServers[indicator];
      },
    },
  },
};
