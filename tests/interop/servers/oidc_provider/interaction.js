// The pages for login and consent, which the library leaves to its users.

const PASSWORDS = {
  alice: process.env.GRANTPROOF_OIDC_PROVIDER_ALICE_PASSWORD,
  bob: process.env.GRANTPROOF_OIDC_PROVIDER_BOB_PASSWORD,
};
const MAX_BODY = 10_000;
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);

async function readForm(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > MAX_BODY) throw new Error('the form is too large');
  }
  return new URLSearchParams(body);
}

function sendPage(res, status, title, body) {
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  res.end(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>
`);
}

function showPrompt(res, { uid, prompt, params }) {
  if (prompt.name === 'login') {
    const form = `<form id="login" method="post" action="/interaction/${uid}">
  <input name="login"> <input name="password" type="password"> <button type="submit">Sign in</button>
</form>`;
    sendPage(res, 200, 'Sign in', form);
    return;
  }
  const form = `<p>${escape(params.client_id)} asks for access.</p>
<form id="consent" method="post" action="/interaction/${uid}">
  <button name="choice" value="allow" type="submit">Allow</button>
  <button name="choice" value="deny" type="submit">Deny</button>
</form>`;
  sendPage(res, 200, 'Consent', form);
}

// Consent is what the documentation's example stores: all that the prompt says is missing.
async function grantConsent(provider, { grantId, prompt, params, session }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(indicator, scopes.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}

async function resultOf(provider, details, form) {
  if (details.prompt.name === 'login') {
    const login = form.get('login') ?? '';
    const known = Object.hasOwn(PASSWORDS, login) && form.get('password') === PASSWORDS[login];
    return known ? { login: { accountId: login } } : undefined;
  }
  if (form.get('choice') === 'allow') return grantConsent(provider, details);
  return { error: 'access_denied', error_description: 'End-User aborted interaction' };
}

export function interactionPages(provider) {
  return async function showPage(req, res) {
    try {
      const details = await provider.interactionDetails(req, res);
      if (req.method !== 'POST') return showPrompt(res, details);
      const result = await resultOf(provider, details, await readForm(req));
      if (!result) return showPrompt(res, details);
      return await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: 'consent' in result });
    } catch (problem) {
      return sendPage(res, 400, 'Error', `<p>${escape(problem.message)}</p>`);
    }
  };
}
