"""Lawful but unusual introspection (RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.form import Form
    from grantproof.reference.state import TokenRecord

HERE = by_endpoint("introspection")


@oddity("introspection_by_get", "The introspection endpoint takes GET as well.", 66)
def introspection_by_get(rules: Rules) -> Rules:
    """Refusing GET is allowed, not required."""

    def parameters(call: Call) -> Form:
        return call.query if call.method == "GET" else rules.request_parameters(call)

    return rules | Rules(
        allowed_methods=when(HERE, lambda _call: ("GET", "POST"), rules.allowed_methods),
        request_parameters=when(HERE, parameters, rules.request_parameters),
        accept_media_type=when(
            lambda call: HERE(call) and call.method == "GET", lambda _call, _type: True, rules.accept_media_type
        ),
    )


@oddity("introspection_tells_little", "Of a live token nothing is told but that it is active.", 66)
def introspection_tells_little(rules: Rules) -> Rules:
    """Every other member is optional."""

    def body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
        return {"active": rules.introspection_body(call, record)["active"]}

    return rules | Rules(introspection_body=body)


@oddity("introspection_lists_audiences", "The audience is a list, and there are members of its own.", 66)
def introspection_lists_audiences(rules: Rules) -> Rules:
    """Both are lawful."""

    def body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
        found = rules.introspection_body(call, record)
        return found | {"aud": [found["aud"], "urn:example:api"], "tenant": 7} if record else found

    return rules | Rules(introspection_body=body)
