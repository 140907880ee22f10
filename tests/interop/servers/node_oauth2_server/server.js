// The routes: the token endpoint and one protected resource.

import OAuthServer from '@node-oauth/express-oauth-server';
import express from 'express';

import { model } from './model.js';

const oauth = new OAuthServer({ model });

const app = express();
app.use(express.urlencoded({ extended: false }));

app.post('/oauth/token', oauth.token());

app.get('/api/me', oauth.authenticate(), (req, res) => {
  const { client, scope } = res.locals.oauth.token;
  res.json({ client_id: client.id, scope: scope.join(' ') });
});

const listener = app.listen(0, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${listener.address().port}`));
