"""The specifications that clauses come from: their short names, titles and the order of their sections."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.report.record import ClauseResult

TITLES = {
    "rfc6749": "The OAuth 2.0 Authorization Framework",
    "rfc6750": "Bearer Token Usage",
    "rfc6819": "OAuth 2.0 Threat Model",
    "rfc7009": "Token Revocation",
    "rfc7523": "JWT Client Authentication and Grants",
    "rfc7617": "The Basic Authentication Scheme",
    "rfc7662": "Token Introspection",
    "rfc8414": "Authorization Server Metadata",
    "rfc8725": "JWT Best Current Practices",
    "rfc9068": "JWT Profile for Access Tokens",
    "rfc9110": "HTTP Semantics",
    "rfc9207": "Issuer Identification",
    "rfc9700": "OAuth 2.0 Security Best Current Practice",
    "oauth-responses": "Multiple Response Types",
    "oauth-form-post": "Form Post Response Mode",
    "oidc-core": "OpenID Connect Core",
}
_NAMES = {"oauth-responses": "OAuth responses", "oauth-form-post": "OAuth form post", "oidc-core": "OIDC Core"}
_PARTS = re.compile(r"\d+|\D+")


def short_name(spec: str) -> str:
    """How people write it: `RFC 6749`."""
    return _NAMES.get(spec) or re.sub(r"^rfc(\d+)$", r"RFC \1", spec)


def section_order(section: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key: numbered sections by number, appendices after them."""
    parts = _PARTS.findall(section)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part != ".")


def by_specification(clauses: "Iterable[ClauseResult]") -> "dict[str, list[ClauseResult]]":
    """The clauses of each specification in the order of its sections; the base specification first."""
    order = list(TITLES)
    groups: dict[str, list[ClauseResult]] = {}
    for clause in clauses:
        groups.setdefault(clause.spec, []).append(clause)
    for group in groups.values():
        group.sort(key=lambda clause: (section_order(clause.section), clause.id))
    return dict(sorted(groups.items(), key=lambda item: (order.index(item[0]) if item[0] in order else 99, item[0])))
