// The routes: the user's login, the authorization dialog, the token endpoint, one protected resource.

import crypto from 'node:crypto';

import { ensureLoggedIn } from 'connect-ensure-login';
import express from 'express';
import session from 'express-session';

import { server, validateClient } from './oauth2.js';
import { dialogPage, loginPage } from './pages.js';
import passport from './strategies.js';

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: crypto.randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }));
app.use(passport.initialize());
app.use(passport.session());

app.get('/login', (req, res) => res.send(loginPage()));
app.post(
  '/login',
  // Passport starts a new session at login and forgets where the user came from, unless it is told to keep that.
  passport.authenticate('local', { successReturnToOrRedirect: '/', failureRedirect: '/login', keepSessionInfo: true }),
);

app.get(
  '/dialog/authorize',
  ensureLoggedIn(),
  server.authorization(validateClient),
  (req, res) => res.send(dialogPage(req.oauth2.transactionID, req.user, req.oauth2.client)),
  server.errorHandler({ mode: 'indirect' }), // as the documentation of errorHandler() has it for this endpoint
);
app.post('/dialog/authorize/decision', ensureLoggedIn(), server.decision(), server.errorHandler({ mode: 'indirect' }));

app.post(
  '/oauth/token',
  passport.authenticate(['basic', 'oauth2-client-password'], { session: false }),
  server.token(),
  server.errorHandler(),
);

app.get('/api/userinfo', passport.authenticate('bearer', { session: false }), (req, res) => {
  res.json({ id: req.user.id, scope: req.authInfo.scope });
});

const listener = app.listen(0, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${listener.address().port}`));
