"""Faults of token introspection (RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.state import token_key
from grantproof.reference.variants import by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord

Body = dict[str, Any]
HERE = by_endpoint("introspection")


def _hint(call: Call) -> str | None:
    return call.parameters.get("token_type_hint")


def _lose(_call: Call, _token: str) -> TokenRecord | None:
    return None


def _change_body(rules: Rules, change: Callable[[Call, TokenRecord | None, Body], Body]) -> Rules:
    """The rules with another introspection answer."""

    def body(call: Call, record: TokenRecord | None) -> Body:
        return change(call, record, rules.introspection_body(call, record))

    return rules | Rules(introspection_body=body)


@fault("introspection_trusts_hint", "rfc7662:2.1/wrong-hint-still-found", "plain", "A wrong hint finds nothing.")
def introspection_trusts_hint(rules: Rules) -> Rules:
    """Under refresh_token only refresh tokens are looked for."""
    misled = when(lambda call: _hint(call) == "refresh_token", _lose, rules.find_token)
    return rules | Rules(find_token=when(HERE, misled, rules.find_token))


@fault("introspection_trusts_hint_on_users", "rfc7662:2.1/wrong-hint-still-found", "partial", "A hint can mislead.")
def introspection_trusts_hint_on_users(rules: Rules) -> Rules:
    """A wrong hint hides the tokens of users only."""

    def find(call: Call, token: str) -> TokenRecord | None:
        record = rules.find_token(call, token)
        return None if record and record.username and _hint(call) == "refresh_token" else record

    return rules | Rules(find_token=when(HERE, find, rules.find_token))


@fault("introspection_for_anyone", "rfc7662:2.1/caller-authorization", "plain", "No credentials are asked for.")
def introspection_for_anyone(rules: Rules) -> Rules:
    """Without credentials the owner of the token is taken as the caller."""

    def authenticate(call: Call) -> Refusal | None:
        record = rules.find_token(call, call.parameters.get("token") or "")
        if rules.find_attempts(call) or record is None:
            return rules.authenticate_client(call)
        call.client = rules.find_client(call, record.client_id)
        return None

    changed = when(HERE, authenticate, rules.authenticate_client)
    return rules | Rules(authenticate_client=changed, client_may_introspect=lambda _call, _client: True)


@fault("introspection_with_client_id_only", "rfc7662:2.1/caller-authorization", "partial", "A name is enough.")
def introspection_with_client_id_only(rules: Rules) -> Rules:
    """The name of a confidential client proves it here."""

    def prove(call: Call, client: Client | None, attempt: Any) -> bool:
        return attempt.method == "none" or rules.proves_client(call, client, attempt)

    def methods(call: Call, client: Client) -> tuple[str, ...]:
        return (*rules.allowed_auth_methods(call, client), "none")

    return rules | Rules(
        proves_client=when(HERE, prove, rules.proves_client),
        allowed_auth_methods=when(HERE, methods, rules.allowed_auth_methods),
    )


@fault("introspection_for_public_clients", "rfc7662:2.1/caller-authorization", "partial", "Public clients may ask.")
def introspection_for_public_clients(rules: Rules) -> Rules:
    """A public client learns about its own tokens."""
    return rules | Rules(client_may_introspect=lambda _call, _client: True)


@fault("introspection_with_any_bearer", "rfc7662:2.1/caller-authorization", "partial", "Any bearer token will do.")
def introspection_with_any_bearer(rules: Rules) -> Rules:
    """Whatever comes with the Authorization header is believed, unless it is Basic."""

    def authenticate(call: Call) -> Refusal | None:
        record = rules.find_token(call, call.parameters.get("token") or "")
        if record is None or not call.headers.get("authorization", "").lower().startswith("bearer "):
            return rules.authenticate_client(call)
        call.client = rules.find_client(call, record.client_id)
        return None

    return rules | Rules(authenticate_client=when(HERE, authenticate, rules.authenticate_client))


@fault("introspection_with_any_secret", "rfc7662:2.1/caller-authorization", "partial", "Body secrets are not compared.")
def introspection_with_any_secret(rules: Rules) -> Rules:
    """The introspection endpoint believes any secret in the body."""
    here = when(
        by_method("client_secret_post"), lambda _call, client, _secret: client is not None, rules.secret_matches
    )
    return rules | Rules(secret_matches=when(HERE, here, rules.secret_matches))


@fault("introspection_refuses_anyone_with_200", "rfc7662:2.1/caller-authorization", "partial", "No refusal is shown.")
def introspection_refuses_anyone_with_200(rules: Rules) -> Rules:
    """Whoever has no credentials is answered as if the token were dead."""

    def answer(call: Call, refusal: Refusal) -> Any:
        if refusal.path != "no_authentication":
            return rules.error_answer(call, refusal)
        return rules.success_answer(call, {"active": False})

    return rules | Rules(error_answer=when(HERE, answer, rules.error_answer))


@fault("introspection_active_as_text", "rfc7662:2.2/active-boolean", "plain", "The member active is a string.")
def introspection_active_as_text(rules: Rules) -> Rules:
    """True and false are written as strings."""
    return _change_body(rules, lambda _call, _record, body: body | {"active": str(body["active"]).lower()})


@fault("introspection_inactive_as_number", "rfc7662:2.2/active-boolean", "partial", "Dead tokens have active 0.")
def introspection_inactive_as_number(rules: Rules) -> Rules:
    """False is written as a number."""
    return _change_body(rules, lambda _call, record, body: body if record else {"active": 0})


@fault(
    "introspection_without_active_for_users", "rfc7662:2.2/active-boolean", "partial", "The member active is missing."
)
def introspection_without_active_for_users(rules: Rules) -> Rules:
    """The tokens of users are described without it."""

    def change(_call: Call, record: TokenRecord | None, body: Body) -> Body:
        if record is not None and record.username:
            del body["active"]
        return body

    return _change_body(rules, change)


@fault("introspection_called_jwt", "rfc7662:2.2/active-boolean", "partial", "The type of the answer is wrong.")
def introspection_called_jwt(rules: Rules) -> Rules:
    """The content is JSON, its type says text."""
    return rules | Rules(json_content_type=when(HERE, lambda _call: "text/plain", rules.json_content_type))


def _unknown_status(rules: Rules, status: int, wanted: Callable[[Call], bool]) -> Rules:
    """The rules with an error status for inactive answers that meet a condition."""
    here = when(
        lambda call: HERE(call) and call.record is None and wanted(call), lambda _call: status, rules.success_status
    )
    return rules | Rules(success_status=here)


@fault("introspection_unknown_is_404", "rfc7662:2.2/inactive-answer", "plain", "Unknown tokens are not found.")
def introspection_unknown_is_404(rules: Rules) -> Rules:
    """Every inactive answer has status 404."""
    return _unknown_status(rules, 404, lambda _call: True)


@fault("introspection_malformed_is_400", "rfc7662:2.2/inactive-answer", "partial", "Odd characters are an error.")
def introspection_malformed_is_400(rules: Rules) -> Rules:
    """Tokens outside of the bearer grammar are answered with 400."""
    return _unknown_status(rules, 400, lambda call: " " in (call.parameters.get("token") or ""))


def _stored(call: Call) -> TokenRecord | None:
    return call.store.tokens.get(token_key(call.parameters.get("token") or ""))


@fault("introspection_revoked_is_400", "rfc7662:2.2/inactive-answer", "partial", "Revoked tokens are an error.")
def introspection_revoked_is_400(rules: Rules) -> Rules:
    """Tokens that were known once are answered with 400."""

    def revoked(call: Call) -> bool:
        record = _stored(call)
        return record is not None and record.revoked

    return _unknown_status(rules, 400, revoked)


@fault("introspection_foreign_is_403", "rfc7662:2.2/inactive-answer", "partial", "Foreign tokens are forbidden.")
def introspection_foreign_is_403(rules: Rules) -> Rules:
    """Another client's live token is answered with 403."""

    def foreign(call: Call) -> bool:
        record = _stored(call)
        return record is not None and call.client is not None and record.client_id != call.client.id

    return _unknown_status(rules, 403, foreign)


@fault("introspection_believes_unsigned_text", "rfc7662:2.2/inactive-answer", "partial", "Long texts are active.")
def introspection_believes_unsigned_text(rules: Rules) -> Rules:
    """What looks like a long handle is active without being known."""

    def change(call: Call, record: TokenRecord | None, body: Body) -> Body:
        long = len(call.parameters.get("token") or "") > 500
        return {"active": True} if record is None and long else body

    return _change_body(rules, change)


@fault("introspection_tells_why", "rfc7662:2.2/inactive-answer-bare", "plain", "Inactive answers give a reason.")
def introspection_tells_why(rules: Rules) -> Rules:
    """Beside active there is an error description."""
    return _change_body(rules, lambda _call, record, body: body if record else body | {"reason": "unknown or expired"})


@fault("introspection_tells_of_revoked", "rfc7662:2.2/inactive-answer-bare", "partial", "Revoked tokens are described.")
def introspection_tells_of_revoked(rules: Rules) -> Rules:
    """Whose the dead token was is still told."""

    def change(call: Call, record: TokenRecord | None, body: Body) -> Body:
        dead = _stored(call)
        return body | {"sub": dead.subject} if record is None and dead and dead.revoked else body

    return _change_body(rules, change)


TYPED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "scope": ("a list", lambda value: str(value).split()),
    "exp": ("a string", str),
    "iat": ("a fraction", lambda value: value + 0.25),
    "aud": ("an object", lambda value: {"url": value}),
    "sub": ("an object", lambda value: {"id": value}),
    "username": ("a list", lambda value: [value]),
    "jti": ("a number", lambda value: len(str(value))),
    "iss": ("a list", lambda value: [value]),
    "token_type": ("a list", lambda value: [value]),
}


def _declare_wrong_type(member: str, what: str, change: Callable[[Any], Any]) -> None:
    clause = "rfc7662:2.2/optional-members-typed"
    kind = "plain" if member == "scope" else "partial"

    @fault(f"introspection_{member}_of_wrong_type", clause, kind, f"{member} is {what}.")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - one of the two kinds
    def declared(rules: Rules) -> Rules:
        def body(_call: Call, _record: TokenRecord | None, body: Body) -> Body:
            return body | {member: change(body[member])} if member in body else body

        return _change_body(rules, body)

    del declared


for _member, (_what, _change) in TYPED.items():
    _declare_wrong_type(_member, _what, _change)


@fault("introspection_names_the_caller", "rfc7662:2.2/optional-members-typed", "partial", "client_id is the caller's.")
def introspection_names_the_caller(rules: Rules) -> Rules:
    """The member client_id says who asks."""

    def change(call: Call, record: TokenRecord | None, body: Body) -> Body:
        return body | {"client_id": call.client.id} if record and call.client else body

    return _change_body(rules, change)


@fault("introspection_wrong_secret_is_400", "rfc7662:2.3/bad-credentials-401", "plain", "Wrong credentials give 400.")
def introspection_wrong_secret_is_400(rules: Rules) -> Rules:
    """Every failed authentication has status 400."""
    here = when(by_error_path("wrong_secret", "wrong_assertion"), lambda _call, _refusal: 400, rules.error_status)
    return rules | Rules(error_status=when(HERE, here, rules.error_status))


@fault("introspection_wrong_body_secret_is_403", "rfc7662:2.3/bad-credentials-401", "partial", "Some give 403.")
def introspection_wrong_body_secret_is_403(rules: Rules) -> Rules:
    """A wrong secret in the body is forbidden."""
    here = when(by_method("client_secret_post"), lambda _call, _refusal: 403, rules.error_status)
    wrong = when(by_error_path("wrong_secret"), here, rules.error_status)
    return rules | Rules(error_status=when(HERE, wrong, rules.error_status))


@fault("introspection_wrong_assertion_is_400", "rfc7662:2.3/bad-credentials-401", "partial", "Some give 400.")
def introspection_wrong_assertion_is_400(rules: Rules) -> Rules:
    """A wrong assertion is a bad request."""
    here = when(by_error_path("wrong_assertion"), lambda _call, _refusal: 400, rules.error_status)
    return rules | Rules(error_status=when(HERE, here, rules.error_status))


@fault("introspection_forgets_expiry", "rfc7662:4/expiry-checked", "plain", "Expired tokens are active.")
def introspection_forgets_expiry(rules: Rules) -> Rules:
    """Only revocation ends a token here."""
    return rules | Rules(token_is_live=when(HERE, lambda _call, record: not record.revoked, rules.token_is_live))


@fault("introspection_late_expiry", "rfc7662:4/expiry-checked", "partial", "Expired tokens are active for a minute.")
def introspection_late_expiry(rules: Rules) -> Rules:
    """A cache keeps tokens for another minute."""

    def live(call: Call, record: TokenRecord) -> bool:
        return not record.revoked and call.now < record.expires_at + 60

    return rules | Rules(token_is_live=when(HERE, live, rules.token_is_live))


@fault("introspection_tells_every_client", "rfc7662:4/callers-specifically-authorized", "plain", "All may know all.")
def introspection_tells_every_client(rules: Rules) -> Rules:
    """Any confidential client learns about any token."""
    return rules | Rules(introspection_visible=lambda _call, _client, _record: True)
