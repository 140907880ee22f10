// Passport's strategies: who the user is, who the client is, whose token it is.

import passport from 'passport';
import { BasicStrategy } from 'passport-http';
import { Strategy as BearerStrategy } from 'passport-http-bearer';
import { Strategy as LocalStrategy } from 'passport-local';
import { Strategy as ClientPasswordStrategy } from 'passport-oauth2-client-password';

import { findClient, findToken, findUser, findUserByName } from './store.js';

passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, findUser(id)));

passport.use(
  new LocalStrategy((username, password, done) => {
    const user = findUserByName(username);
    return done(null, user && user.password === password ? user : false);
  }),
);

// A public client has no secret and is refused here.
function verifyClient(clientId, clientSecret, done) {
  const client = findClient(clientId);
  return done(null, client?.secret && client.secret === clientSecret ? client : false);
}

passport.use(new BasicStrategy(verifyClient));
passport.use(new ClientPasswordStrategy(verifyClient));

passport.use(
  new BearerStrategy((value, done) => {
    const token = findToken(value);
    if (!token) return done(null, false);
    return done(null, findUser(token.userId) ?? findClient(token.clientId), { scope: token.scope });
  }),
);

export default passport;
