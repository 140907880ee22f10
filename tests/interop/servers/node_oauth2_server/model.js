// The model, which the library leaves to its users: clients and access tokens, kept in memory.

const SCOPES = ['read', 'write'];

const secret = (name) => process.env[`GRANTPROOF_NODE_OAUTH2_SERVER_${name}_SECRET`];

const clients = [
  { id: 'service', secret: secret('SERVICE'), grants: ['client_credentials'] },
  { id: 'service_other', secret: secret('OTHER'), grants: ['client_credentials'] },
  { id: 'service_reserved', secret: secret('RESERVED'), grants: ['client_credentials'] },
  { id: 'code_app', secret: secret('CODE_APP'), grants: ['authorization_code'], redirectUris: ['https://code.example/cb'] },
];

const tokens = new Map();

export const model = {
  async getClient(clientId, clientSecret) {
    const client = clients.find((each) => each.id === clientId);
    return client?.secret === clientSecret ? client : undefined;
  },

  // The library wants a user for every token; for this grant the documentation takes the client's own.
  async getUserFromClient(client) {
    return { id: client.id };
  },

  // Without one requested, both; an unknown one is refused.
  async validateScope(user, client, scope = SCOPES) {
    return scope.every((each) => SCOPES.includes(each)) && scope;
  },

  async saveToken(token, client, user) {
    const saved = { ...token, client, user };
    tokens.set(token.accessToken, saved);
    return saved;
  },

  async getAccessToken(accessToken) {
    return tokens.get(accessToken);
  },
};
