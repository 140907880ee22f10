// The two pages that a user sees.

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
const page = (title, body) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>
`;

export const loginPage = () =>
  page(
    'Log in',
    `<form id="login" action="/login" method="post">
  <input name="username"> <input name="password" type="password"> <button type="submit">Log in</button>
</form>`,
  );

export const dialogPage = (transactionId, user, client) =>
  page(
    'Authorize',
    `<p>Hi ${escape(user.username)}! ${escape(client.id)} asks for access to your account.</p>
<form id="dialog" action="/dialog/authorize/decision" method="post">
  <input name="transaction_id" type="hidden" value="${escape(transactionId)}">
  <input type="submit" value="Allow" id="allow"> <input type="submit" value="Deny" name="cancel" id="deny">
</form>`,
  );
