"""Faults of what comes along with 401 and 405 by HTTP's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Answer, Call
    from grantproof.reference.variants import Apply, Condition

_REALM = "rfc7617:2/realm"
_CHARSET = "rfc7617:2.1/charset"
_CHALLENGE = "rfc9110:15.5.2/challenge"
_ALLOW = "rfc9110:15.5.6/allow"


def _challenge(condition: Condition, text: str | None) -> Apply:
    """Another challenge with a 401 of the token endpoint, or none."""

    def apply(rules: Rules) -> Rules:
        def when_met(call: Call) -> bool:
            return call.endpoint == "token" and condition(call)

        return rules | Rules(challenge=when(when_met, lambda _call, _refusal: text, rules.challenge))

    return apply


_PLACES: dict[str, tuple[Literal["plain", "partial"], Condition]] = {
    "": ("plain", lambda _call: True),
    "_on_unknown_client": ("partial", by_error_path("unknown_client")),
    "_by_body": ("partial", by_method("client_secret_post")),
}
for _place, (_kind, _condition) in _PLACES.items():
    for _clause, _wrong, _text in (
        (_REALM, "basic_challenge_without_realm", 'Basic charset="UTF-8"'),
        (_CHARSET, "basic_challenge_with_latin_1", 'Basic realm="token", charset="ISO-8859-1"'),
    ):
        fault(f"{_wrong}{_place}", _clause, _kind, f"The challenge is: {_text}.")(_challenge(_condition, _text))
fault("no_challenge_at_all", _CHALLENGE, "plain", "A 401 has no challenge.")(_challenge(lambda _call: True, None))
fault("no_challenge_without_header", _CHALLENGE, "partial", "A 401 has no challenge but for those who used a header.")(
    _challenge(lambda call: not call.through_header, None)
)
for _path in ("wrong_assertion", "no_authentication", "malformed_credentials"):
    fault(f"no_challenge_after_{_path}", _CHALLENGE, "partial", f"A 401 on {_path} has no challenge.")(
        _challenge(by_error_path(_path), None)
    )


def _allow(endpoints: tuple[str, ...], value: str | None) -> Apply:
    """A 405 of these endpoints has this Allow, or none."""

    def apply(rules: Rules) -> Rules:
        def finish(call: Call, answer: Answer) -> Answer:
            if answer.status == 405 and (call.endpoint in endpoints or not endpoints):
                answer = answer.drop_header("allow") if value is None else answer.set_header("allow", value)
            return rules.finish(call, answer)

        return rules | Rules(finish=finish)

    return apply


fault("no_allow_with_405", _ALLOW, "plain", "No 405 has an Allow.")(_allow((), None))
for _name in ("token", "introspection", "authorization", "jwks"):
    fault(f"no_allow_with_405_of_{_name}", _ALLOW, "partial", f"A 405 of the {_name} endpoint has no Allow.")(
        _allow((_name,), None)
    )
fault("allow_names_what_was_refused", _ALLOW, "partial", "A 405 names methods that do not work.")(
    _allow(("token",), "OPTIONS, TRACE")
)
