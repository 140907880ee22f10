"""Faults of the token endpoint: its address, its methods, its media type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.form import Form
    from grantproof.reference.variants import Apply, Condition

_POST = "rfc6749:3.2/post-only"
_BODY = "rfc6749:4.4.2/form-encoded-body"
_token = by_endpoint("token")


def _always(_call: Call) -> bool:
    return True


def _at_token(condition: Condition) -> Condition:
    return lambda call: call.endpoint == "token" and condition(call)


def _method(*methods: str, condition: Condition = _always) -> Apply:
    """These methods bring tokens too, with parameters in the body or else in the query."""

    def apply(rules: Rules) -> Rules:
        def parameters(call: Call) -> Form:
            return call.body if call.body.pairs else call.query

        return rules | Rules(
            allowed_methods=when(
                _at_token(condition), lambda call: (*rules.allowed_methods(call), *methods), rules.allowed_methods
            ),
            accept_media_type=when(
                lambda call: call.endpoint == "token" and call.method in methods,
                lambda _call, _type: True,
                rules.accept_media_type,
            ),
            request_parameters=when(
                lambda call: call.endpoint == "token" and call.method in methods, parameters, rules.request_parameters
            ),
        )

    return apply


fault("every_method_is_served", _POST, "plain", "A token request may come by any method.")(
    _method("GET", "PUT", "PATCH", "DELETE")
)
for _verb in ("GET", "PUT", "PATCH", "DELETE"):
    fault(f"{_verb.lower()}_is_served", _POST, "partial", f"A token request may come by {_verb}.")(_method(_verb))
fault("get_is_served_by_basic", _POST, "partial", "A token request with a header may come by GET.")(
    _method("GET", condition=lambda call: call.through_header)
)


def _type(accepts: Callable[[str], bool]) -> Apply:
    return lambda rules: (
        rules | Rules(accept_media_type=when(_token, lambda _call, sent: accepts(sent), rules.accept_media_type))
    )


_FORM = "application/x-www-form-urlencoded"
fault("charset_in_the_media_type_is_refused", _BODY, "plain", "The media type must stand alone.")(
    _type(lambda sent: sent == _FORM)
)
fault("media_type_in_capitals_is_refused", _BODY, "partial", "The media type must be in small letters.")(
    _type(lambda sent: sent.partition(";")[0] == _FORM)
)
fault("charset_without_a_space_is_refused", _BODY, "partial", "A charset must follow a space.")(
    _type(lambda sent: sent.lower() == _FORM or sent.lower().startswith(f"{_FORM}; "))
)
fault("quoted_charset_is_refused", _BODY, "partial", "A charset must not be quoted.")(
    _type(lambda sent: sent.lower().startswith(_FORM) and '"' not in sent)
)


@fault("endpoint_with_a_fragment", "rfc6749:3.2/no-fragment-in-endpoint", "plain", "Metadata name one with a fragment.")
def endpoint_with_a_fragment(rules: Rules) -> Rules:
    """The token endpoint's URL ends in a fragment."""

    def metadata(call: Call) -> dict[str, Any]:
        found = rules.common_metadata(call)
        return found | {"token_endpoint": f"{found['token_endpoint']}#token"}

    return rules | Rules(common_metadata=metadata)


@fault("endpoint_with_an_empty_fragment", "rfc6749:3.2/no-fragment-in-endpoint", "partial", "It ends in a bare hash.")
def endpoint_with_an_empty_fragment(rules: Rules) -> Rules:
    """An empty fragment is one too."""

    def metadata(call: Call) -> dict[str, Any]:
        found = rules.common_metadata(call)
        return found | {"token_endpoint": f"{found['token_endpoint']}#"}

    return rules | Rules(common_metadata=metadata)
