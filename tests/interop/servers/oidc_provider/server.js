// Serves the provider and its interaction pages on a free loopback port, which is part of the issuer.

import http from 'node:http';

import { Provider } from 'oidc-provider';

import { configuration } from './configuration.js';
import { interactionPages } from './interaction.js';

const listener = http.createServer();
listener.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${listener.address().port}`;
  const provider = new Provider(issuer, configuration);
  const answer = provider.callback();
  const showPage = interactionPages(provider);
  listener.on('request', (req, res) => (req.url.startsWith('/interaction/') ? showPage(req, res) : answer(req, res)));
  console.log(`listening ${issuer}`);
});
