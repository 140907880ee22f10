"""Faults of bearer tokens and of the protected resource (RFC 6750, RFC 6749 sections 7 and 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_grant, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest, TokenRecord

HERE = by_endpoint("resource")
IMPLICIT = by_grant("implicit")


def _refused(*paths: str) -> Callable[[Call], bool]:
    """Calls to the resource that are refused on one of these paths."""
    return lambda call: HERE(call) and call.error_path in paths


# How a token is taken.


@fault("resource_only_by_body", "rfc6750:2.1/authorization-header", "plain", "Tokens are taken in the body only.")
def resource_only_by_body(rules: Rules) -> Rules:
    """The Authorization header is not read."""
    return rules | Rules(accepted_transports=lambda _call: ("body",))


@fault("resource_knows_one_spelling", "rfc6750:2.1/authorization-header", "partial", "The scheme has one spelling.")
def resource_knows_one_spelling(rules: Rules) -> Rules:
    """Letter case counts."""
    return rules | Rules(same_scheme=when(HERE, lambda _call, sent, _known: sent == "Bearer", rules.same_scheme))


@fault("resource_takes_query", "rfc6750:2.3/query-parameter-ignored", "plain", "A token in the query opens it.")
def resource_takes_query(rules: Rules) -> Rules:
    """All three transports are open."""
    return rules | Rules(accepted_transports=lambda _call: ("header", "body", "query"))


@fault("token_with_odd_characters", "rfc6750:2.1/b64token", "plain", "Opaque tokens have characters that do not fit.")
def token_with_odd_characters(rules: Rules) -> Rules:
    """An exclamation mark parts the token."""
    return rules | Rules(opaque_token=lambda call: f"v1!{rules.opaque_token(call)}")


@fault("token_of_users_with_odd_characters", "rfc6750:2.1/b64token", "partial", "Some tokens do not fit.")
def token_of_users_with_odd_characters(rules: Rules) -> Rules:
    """The tokens of users have a colon."""
    changed = when(IMPLICIT, lambda call: f"user:{rules.opaque_token(call)}", rules.opaque_token)
    return rules | Rules(opaque_token=changed)


# How the resource refuses.


def _challenge(rules: Rules, change: Callable[[Call, Refusal, str], str], *paths: str) -> Rules:
    """The rules with another challenge, on some paths or on all."""

    def challenge(call: Call, refusal: Refusal) -> str:
        lawful = rules.resource_challenge(call, refusal)
        return change(call, refusal, lawful) if not paths or refusal.path in paths else lawful

    return rules | Rules(resource_challenge=challenge)


def _without_challenge(rules: Rules, where: Callable[[Call], bool]) -> Rules:
    def finish(call: Call, answer: Answer) -> Answer:
        return rules.finish(call, answer.drop_header("www-authenticate"))

    return rules | Rules(finish=when(where, finish, rules.finish))


@fault("resource_without_challenge", "rfc6750:3/www-authenticate", "plain", "Refusals have no challenge.")
def resource_without_challenge(rules: Rules) -> Rules:
    """The status has to do."""
    return _without_challenge(rules, HERE)


@fault("resource_without_challenge_for_scope", "rfc6750:3/www-authenticate", "partial", "403 has no challenge.")
def resource_without_challenge_for_scope(rules: Rules) -> Rules:
    """Only 401 has one."""
    return _without_challenge(rules, _refused("missing_scope"))


@fault("resource_without_challenge_to_strangers", "rfc6750:3/www-authenticate", "partial", "Some get no challenge.")
def resource_without_challenge_to_strangers(rules: Rules) -> Rules:
    """Who brings no token is told nothing."""
    return _without_challenge(rules, _refused("no_token"))


@fault("resource_challenges_basic", "rfc6750:3/bearer-scheme", "plain", "The challenge asks for a password.")
def resource_challenges_basic(rules: Rules) -> Rules:
    """The scheme is Basic."""
    return _challenge(rules, lambda _call, _refusal, lawful: lawful.replace("Bearer", "Basic", 1))


@fault("resource_challenges_oauth", "rfc6750:3/bearer-scheme", "partial", "One challenge has an old scheme.")
def resource_challenges_oauth(rules: Rules) -> Rules:
    """Unknown tokens are answered with the scheme of an early draft."""
    return _challenge(rules, lambda _call, _refusal, lawful: lawful.replace("Bearer", "OAuth", 1), "unknown_token")


@fault("resource_challenge_is_bare", "rfc6750:3/auth-param", "plain", "The challenge is one word.")
def resource_challenge_is_bare(rules: Rules) -> Rules:
    """Nothing follows the scheme."""
    return _challenge(rules, lambda _call, _refusal, _lawful: "Bearer")


@fault("resource_repeats_realm", "rfc6750:3/attributes-once", "plain", "The realm stands twice.")
def resource_repeats_realm(rules: Rules) -> Rules:
    """Two layers add theirs."""
    return _challenge(rules, lambda _call, _refusal, lawful: f'{lawful}, realm="api"')


@fault("resource_repeats_error", "rfc6750:3/attributes-once", "partial", "The error of a bad token stands twice.")
def resource_repeats_error(rules: Rules) -> Rules:
    """Only unknown tokens are answered so."""
    return _challenge(rules, lambda _call, _refusal, lawful: f'{lawful}, error="invalid_token"', "unknown_token")


@fault("resource_gives_no_error", "rfc6750:3/error-attribute", "plain", "The challenge never says why.")
def resource_gives_no_error(rules: Rules) -> Rules:
    """There is only a realm."""
    return _challenge(rules, lambda _call, _refusal, _lawful: 'Bearer realm="api"')


def _describing(text: str) -> Callable[[Call, Refusal, str], str]:
    return lambda _call, _refusal, lawful: f'{lawful}, error_description="{text}"'


@fault("resource_describes_with_quotes", "rfc6750:3/attribute-charset", "plain", "The description has quotes in it.")
def resource_describes_with_quotes(rules: Rules) -> Rules:
    """They are escaped, and still not allowed."""
    return _challenge(rules, _describing('the \\"token\\" is not good'))


@fault("resource_describes_beyond_ascii", "rfc6750:3/attribute-charset", "partial", "A description is not ASCII.")
def resource_describes_beyond_ascii(rules: Rules) -> Rules:
    """Only unknown tokens are answered so."""
    return _challenge(rules, _describing("ung\u00fcltig"), "unknown_token")


@fault("resource_names_scope_in_commas", "rfc6750:3/attribute-charset", "partial", "The scope has two spaces.")
def resource_names_scope_in_commas(rules: Rules) -> Rules:
    """The scopes are aligned."""
    return _challenge(
        rules, lambda _call, _refusal, lawful: lawful.replace('scope="read"', 'scope="read  write"'), "missing_scope"
    )


@fault("resource_tells_strangers_of_errors", "rfc6750:3.1/no-error-without-credentials", "plain", "Errors for all.")
def resource_tells_strangers_of_errors(rules: Rules) -> Rules:
    """No token at all is an invalid one."""
    return _challenge(rules, lambda _call, _refusal, lawful: f'{lawful}, error="invalid_token"', "no_token")


def _status(rules: Rules, status: int, *paths: str) -> Rules:
    def chosen(call: Call, refusal: Refusal) -> int:
        return status if refusal.path in paths else rules.resource_status(call, refusal)

    return rules | Rules(resource_status=chosen)


@fault("resource_two_places_are_401", "rfc6750:3.1/invalid-request-400", "plain", "Two tokens are answered with 401.")
def resource_two_places_are_401(rules: Rules) -> Rules:
    """The status of a bad token."""
    return _status(rules, 401, "two_transports")


@fault("resource_bad_token_is_403", "rfc6750:3.1/invalid-token-401", "plain", "Bad tokens are answered with 403.")
def resource_bad_token_is_403(rules: Rules) -> Rules:
    """The status of too little scope."""
    return _status(rules, 403, "unknown_token")


@fault("resource_bad_scope_is_401", "rfc6750:3.1/insufficient-scope-403", "plain", "Too little scope gives 401.")
def resource_bad_scope_is_401(rules: Rules) -> Rules:
    """The status of a bad token."""
    return _status(rules, 401, "missing_scope")


@fault("resource_refuses_with_200", "rfc6749:7.2/error-reported", "plain", "Refusals have status 200.")
def resource_refuses_with_200(rules: Rules) -> Rules:
    """The error is in the body only."""
    return _status(rules, 200, "no_token", "unknown_token", "missing_scope")


@fault("resource_sends_to_login", "rfc6749:7.2/error-reported", "partial", "Strangers are sent to a login page.")
def resource_sends_to_login(rules: Rules) -> Rules:
    """As if a browser had come."""

    def finish(call: Call, answer: Answer) -> Answer:
        answer.status = 302
        return rules.finish(call, answer.set_header("location", call.server.url("login")))

    return rules | Rules(finish=when(_refused("no_token"), finish, rules.finish))


# Which tokens count.


def _finding(
    rules: Rules,
    matches: Callable[[str, str], bool],
    where: Callable[[Call], bool] = lambda _call: True,
) -> Rules:
    """The rules under which a token is found by likeness; tokens are remembered in the clear for it."""
    kept: dict[str, TokenRecord] = {}

    def issue(call: Call, client: Client, scope: tuple[str, ...]) -> str:
        token = rules.issue_token(call, client, scope)
        if call.record is not None:
            kept[token] = call.record
        return token

    def find(call: Call, token: str) -> TokenRecord | None:
        known = rules.find_token(call, token)
        if known is not None or not token:
            return known
        like = (record for own, record in kept.items() if matches(own, token))
        return next((record for record in like if rules.token_is_live(call, record)), None)

    return rules | Rules(issue_token=issue, find_token=when(where, find, rules.find_token))


LIKENESS: tuple[tuple[str, str, Callable[[str, str], bool]], ...] = (
    ("without_letter_case", "letter case does not count", lambda own, sent: own.lower() == sent.lower()),
    ("by_beginning", "the beginning of a token will do", lambda own, sent: own.startswith(sent)),
    ("by_first_half", "the first half of a token counts", lambda own, sent: sent.startswith(own[: len(own) // 2])),
    ("with_more_behind", "more may follow a token", lambda own, sent: sent.startswith(own)),
    ("by_length", "what is as long as a token is one", lambda own, sent: len(own) == len(sent)),
)


def _declare_likeness(name: str, what: str, matches: Callable[[str, str], bool]) -> None:
    @fault(
        f"token_found_{name}",
        "rfc6749:10.3/unforgeable",
        "plain" if name == "by_length" else "partial",
        f"Everywhere {what}.",
    )
    def everywhere(rules: Rules) -> Rules:
        return _finding(rules, matches)

    @fault(f"token_found_{name}_at_resource", "rfc6749:7/token-validated", "partial", f"At the resource {what}.")
    def here(rules: Rules) -> Rules:
        return _finding(rules, matches, HERE)

    del everywhere, here


for _name, _what, _matches in LIKENESS:
    _declare_likeness(_name, _what, _matches)


@fault("resource_is_open", "rfc6749:7/token-validated", "plain", "The resource looks at nothing.")
def resource_is_open(rules: Rules) -> Rules:
    """Anybody may see it."""
    return rules | Rules(check_resource=lambda _call: None)


@fault("resource_forgets_expiry", "rfc6749:7/token-validated", "partial", "Expired tokens open the resource.")
def resource_forgets_expiry(rules: Rules) -> Rules:
    """Only revocation ends a token here."""
    return rules | Rules(token_is_live=when(HERE, lambda _call, record: not record.revoked, rules.token_is_live))


@fault("token_outlives_its_end", "rfc6750:5.2/limited-lifetime", "partial", "Tokens count for a minute too long.")
def token_outlives_its_end(rules: Rules) -> Rules:
    """A cache keeps them everywhere."""
    return rules | Rules(token_is_live=lambda call, record: not record.revoked and call.now < record.expires_at + 60)


# What a token is good for.


def _silent_on(*names: str) -> Callable[[Rules], Rules]:
    """Leaves members out of introspection and of JWTs."""

    def apply(rules: Rules) -> Rules:
        def body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
            return {name: value for name, value in rules.introspection_body(call, record).items() if name not in names}

        def claims(call: Call, client: Client, record: TokenRecord) -> dict[str, Any]:
            found = rules.token_claims(call, client, record)
            return {name: value for name, value in found.items() if name not in names}

        return rules | Rules(introspection_body=body, token_claims=claims)

    return apply


@fault("token_without_end", "rfc6750:5.2/limited-lifetime", "plain", "No end of any token is shown.")
def token_without_end(rules: Rules) -> Rules:
    """Neither expires_in nor exp is there."""
    return _silent_on("exp")(rules) | Rules(reported_lifetime=lambda _call: None)


@fault("token_without_scope", "rfc6750:5.2/scope-restricted", "plain", "No scope of any token is shown.")
def token_without_scope(rules: Rules) -> Rules:
    """A token is good for everything."""
    return _silent_on("scope")(rules) | Rules(report_scope=lambda _call, _asked, _granted: False)


@fault("token_without_audience", "rfc6750:5.3/audience-restricted", "plain", "No token names an audience.")
def token_without_audience(rules: Rules) -> Rules:
    """A token is good anywhere."""
    return _silent_on("aud")(rules)


@fault("token_of_users_without_audience", "rfc6750:5.3/audience-restricted", "partial", "Some name no audience.")
def token_of_users_without_audience(rules: Rules) -> Rules:
    """The tokens of users are good anywhere."""

    def body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
        found = rules.introspection_body(call, record)
        if record is not None and record.username:
            del found["aud"]
        return found

    return rules | Rules(introspection_body=body)


@fault("token_lives_for_a_day", "rfc6750:5.3/short-lived", "plain", "Tokens live for a day.")
def token_lives_for_a_day(rules: Rules) -> Rules:
    """Every token does."""
    return rules | Rules(token_lifetime=lambda _call, _client: 86_400)


@fault("token_of_users_lives_for_two_hours", "rfc6750:5.3/short-lived", "partial", "Some live for two hours.")
def token_of_users_lives_for_two_hours(rules: Rules) -> Rules:
    """The tokens that go to browsers do."""
    return rules | Rules(token_lifetime=when(IMPLICIT, lambda _call, _client: 7200, rules.token_lifetime))


# Where a token must not be.


def _token_in(pairs: tuple[tuple[str, str], ...]) -> str:
    return dict(pairs).get("access_token", "")


def _with_cookie(rules: Rules, attributes: str, wanted: Callable[[PendingRequest], bool]) -> Rules:
    def send(call: Call, pending: PendingRequest, pairs: tuple[tuple[str, str], ...]) -> Answer:
        answer = rules.send_pairs(call, pending, pairs)
        token = _token_in(pairs)
        if token and wanted(pending):
            answer.headers.append(("set-cookie", f"at={token}; Path=/{attributes}"))
        return answer

    return rules | Rules(send_pairs=send)


@fault("token_in_clear_cookie", "rfc6750:5.2/no-token-in-clear-cookie", "plain", "A cookie holds the token.")
def token_in_clear_cookie(rules: Rules) -> Rules:
    """It may travel in the clear."""
    return _with_cookie(rules, "; HttpOnly", lambda _pending: True)


@fault("token_in_clear_cookie_beside_id_token", "rfc6750:5.2/no-token-in-clear-cookie", "partial", "Some cookies do.")
def token_in_clear_cookie_beside_id_token(rules: Rules) -> Rules:
    """Only the composite response type sets it."""
    return _with_cookie(rules, "", lambda pending: len(pending.response_type) > 1)


@fault("token_in_final_query", "rfc6750:5.3/not-in-page-urls", "plain", "The final query has the token too.")
def token_in_final_query(rules: Rules) -> Rules:
    """The fragment has it as it should."""

    def send(call: Call, pending: PendingRequest, pairs: tuple[tuple[str, str], ...]) -> Answer:
        answer = rules.send_pairs(call, pending, pairs)
        location, token = answer.header("location"), _token_in(pairs)
        if location and token:
            base, mark, fragment = location.partition("#")
            joint = "&" if "?" in base else "?"
            answer.set_header("location", f"{base}{joint}token={token}{mark}{fragment}")
        return answer

    return rules | Rules(send_pairs=send)
