"""Faults of comparing redirect URIs: each takes for registered what is only near a registered URI."""

from __future__ import annotations

import posixpath
import unicodedata
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Condition, Kind

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
ONLY = "3.1.2.3/registered-uri-only"
EXACT = "3.1.2.3/simple-string-comparison"
WHOLE = "3.1.2.2/complete-uri"
PARTS = "3.1.2.2/scheme-authority-path"


def _split(uri: str) -> SplitResult:
    """The parts of a URI; of one that has none, no parts."""
    try:
        parts = urlsplit(uri)
        _ = parts.port, parts.hostname
    except ValueError:
        return urlsplit("")
    return parts


def _host(uri: str) -> str:
    return _split(uri).hostname or ""


def _by(change: Callable[[str], object]) -> Callable[[str, str], bool]:
    """Compares what is left of both URIs after a change, as long as anything is."""
    return lambda registered, uri: bool(change(uri)) and change(registered) == change(uri)


def _without(*names: str) -> Callable[[str], object]:
    return lambda uri: tuple(
        getattr(_split(uri), name) for name in ("scheme", "netloc", "path", "query") if name not in names
    )


def _place(uri: str) -> tuple[str, str, str]:
    parts = _split(uri)
    return parts.scheme, parts.hostname or "", parts.path


def _with_port(uri: str) -> tuple[object, ...]:
    parts = _split(uri)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path, parts.query


def _normal_path(uri: str) -> str:
    parts = _split(uri)
    return parts._replace(path=posixpath.normpath(parts.path).replace("//", "/")).geturl()


def _sorted_query(uri: str) -> tuple[object, ...]:
    parts = _split(uri)
    return parts.netloc, parts.path, tuple(sorted(parse_qsl(parts.query)))


MATCHERS: dict[str, tuple[str, Kind, Callable[[str, str], bool]]] = {
    "substring": (ONLY, "partial", lambda registered, uri: registered in uri),
    "host_suffix": (ONLY, "partial", lambda registered, uri: _host(uri).endswith(_host(registered))),
    "subdomain": (ONLY, "partial", lambda registered, uri: _host(uri).endswith("." + _host(registered))),
    "host_prefix": (ONLY, "partial", lambda registered, uri: _host(uri).startswith(_host(registered))),
    "origin_as_prefix": (
        ONLY,
        "partial",
        lambda registered, uri: uri.startswith("/".join(registered.split("/")[:3])),
    ),
    "dot_as_any_character": (
        ONLY,
        "partial",
        lambda registered, uri: (
            len(registered) == len(uri) and all(a in {".", b} for a, b in zip(registered, uri, strict=True))
        ),
    ),
    "backslash_as_slash": (
        ONLY,
        "partial",
        lambda registered, uri: "\\" in uri and _host(registered) in uri.replace("\\", "/"),
    ),
    "last_of_a_list": (ONLY, "partial", lambda registered, uri: registered in uri.replace(",", " ").split()),
    "javascript": (ONLY, "partial", lambda _registered, uri: uri.startswith("javascript:")),
    "data": (ONLY, "partial", lambda _registered, uri: uri.startswith("data:")),
    "private_scheme": (ONLY, "partial", lambda _registered, uri: "." in _split(uri).scheme),
    "user_part": (ONLY, "partial", lambda registered, uri: _split(uri).username == _host(registered)),
    "host_alone": (PARTS, "plain", lambda registered, uri: _host(uri) == _host(registered)),
    "port_ignored": (PARTS, "partial", _by(_place)),
    "scheme_ignored": (PARTS, "partial", _by(_without("scheme"))),
    "path_case_ignored": (PARTS, "partial", _by(str.lower)),
    "path_below": (PARTS, "partial", lambda registered, uri: uri.startswith(registered + "/")),
    "prefix": (WHOLE, "plain", lambda registered, uri: uri.startswith(registered)),
    "query_ignored": (WHOLE, "partial", _by(_without("query"))),
    "trailing_slash_ignored": (WHOLE, "partial", _by(lambda uri: uri.rstrip("/"))),
    "cut_at_null": (WHOLE, "partial", _by(lambda uri: unquote(uri).partition("\0")[0])),
    "cut_at_semicolon": (WHOLE, "partial", _by(lambda uri: uri.partition(";")[0])),
    "normalised": (EXACT, "plain", lambda registered, uri: _with_port(registered) == _with_port(_normal_path(uri))),
    "default_port": (EXACT, "partial", _by(_with_port)),
    "host_case": (EXACT, "partial", _by(lambda uri: uri.replace(_split(uri).netloc, _split(uri).netloc.lower(), 1))),
    "scheme_case": (EXACT, "partial", _by(lambda uri: _split(uri).geturl())),
    "trailing_dot": (EXACT, "partial", _by(lambda uri: (_host(uri).rstrip("."), _split(uri).path))),
    "dot_segments": (EXACT, "partial", _by(_normal_path)),
    "encoded_dot_segments": (EXACT, "partial", _by(lambda uri: _normal_path(unquote(uri)))),
    "percent_decoded": (EXACT, "partial", _by(unquote)),
    "percent_decoded_twice": (EXACT, "partial", _by(lambda uri: unquote(unquote(uri)))),
    "query_order": (EXACT, "partial", _by(_sorted_query)),
    "unicode_forms": (EXACT, "partial", _by(lambda uri: unicodedata.normalize("NFKC", uri).replace("\u3002", "."))),
    "white_space_removed": (EXACT, "partial", _by(lambda uri: "".join(uri.split()))),
    "trimmed": (EXACT, "partial", _by(str.lstrip)),
    "empty_query_dropped": (EXACT, "partial", _by(lambda uri: uri.rstrip("?"))),
    "empty_parameter_dropped": (EXACT, "partial", _by(lambda uri: uri.rstrip("&"))),
    "fragment_dropped": ("3.1.2/no-fragment", "plain", _by(lambda uri: uri.partition("#")[0])),
    "empty_fragment_dropped": ("3.1.2/no-fragment", "partial", _by(lambda uri: uri.removesuffix("#"))),
    "fragment_compared": (
        "3.1.2/no-fragment",
        "partial",
        lambda registered, uri: registered in {_split(uri).fragment, uri},
    ),
    "path_as_uri": ("3.1.2/absolute-redirect-uri", "plain", lambda registered, uri: uri == _split(registered).path),
    "scheme_filled_in": (
        "3.1.2/absolute-redirect-uri",
        "partial",
        lambda registered, uri: registered.endswith("://" + uri),
    ),
    "slash_slash_filled_in": (
        "3.1.2/absolute-redirect-uri",
        "partial",
        lambda registered, uri: uri.startswith("//") and registered.endswith(uri),
    ),
    "no_uri_at_all": ("A.6/redirect-uri", "plain", lambda _registered, uri: not _host(uri)),
    "broken_escape": ("A.6/redirect-uri", "partial", _by(lambda uri: uri.partition("%z")[0])),
    "slashes_counted_loosely": (
        "A.6/redirect-uri",
        "partial",
        _by(lambda uri: [part for part in uri.split("/") if part]),
    ),
    "in_the_clear": ("3.1.2.1/insecure-redirect-warned", "plain", _by(lambda uri: uri.partition("://")[2])),
}


def _matching(rules: Rules, condition: Condition, matches: Callable[[str, str], bool]) -> Rules:
    """Rules that also take what a matcher accepts, where a condition holds."""

    def match(call: Call, client: Client, uri: str) -> bool:
        near = any(matches(registered, uri) for registered in client.redirect_uris)
        return near or rules.match_redirect_uri(call, client, uri)

    return rules | Rules(
        match_redirect_uri=when(condition, match, rules.match_redirect_uri),
        redirect_location=lambda call, uri, where, encoded: rules.redirect_location(
            call, quote(uri, safe=_PRINTABLE, errors="surrogateescape"), where, encoded
        ),
    )


def _everything(_registered: str, _uri: str) -> bool:
    return True


def _always(_call: Call) -> bool:
    return True


for _name, (_clause, _kind, _matcher) in MATCHERS.items():
    fault(
        f"redirect_{_name}",
        f"rfc6749:{_clause}",
        _kind,
        f"Redirect URIs are compared loosely: {_name.replace('_', ' ')}.",
    )(partial(_matching, condition=_always, matches=_matcher))


def _asked(name: str, *values: str | None) -> Condition:
    return lambda call: call.parameters.get(name) in values


def _claimed_public(call: Call) -> bool:
    return call.claimed_client is not None and call.claimed_client.public


def _claimed_confidential(call: Call) -> bool:
    return call.claimed_client is not None and not call.claimed_client.public


def _mistyped(call: Call) -> bool:
    return call.parameters.get("response_type") not in {"token", "id_token", "id_token token", "token id_token"}


NO_WAY = "3.1.2.4/no-automatic-redirect"
_BAD_TYPE = "4.1.2.1/no-automatic-redirect"
CONDITIONS: dict[str, tuple[str, Kind, Condition]] = {
    "any": (ONLY, "plain", _always),
    "any_when_logged_in": ("4.2.1/redirect-uri-verified", "partial", lambda call: call.logged_in),
    "any_verified_nowhere": ("4.2.1/redirect-uri-verified", "plain", _always),
    "any_before_login": (ONLY, "partial", lambda call: not call.logged_in),
    "any_by_post": (NO_WAY, "partial", lambda call: call.method == "POST"),
    "any_for_an_id_token": (ONLY, "partial", _asked("response_type", "id_token")),
    "any_for_a_combination": (ONLY, "partial", _asked("response_type", "id_token token")),
    "any_without_response_type": (_BAD_TYPE, "partial", _asked("response_type", None)),
    "any_with_bad_response_type": (_BAD_TYPE, "plain", _mistyped),
    "any_with_malformed_scope": (NO_WAY, "partial", lambda call: '"' in (call.parameters.get("scope") or "")),
    "any_when_silent": (NO_WAY, "partial", _asked("prompt", "none")),
    "any_by_form_post": (NO_WAY, "partial", _asked("response_mode", "form_post")),
    "any_without_state": (NO_WAY, "partial", _asked("state", None)),
    "any_for_public_clients": ("3.1.2.2/public-client-registration", "plain", _claimed_public),
    "any_for_public_clients_when_logged_in": (
        "3.1.2.2/public-client-registration",
        "partial",
        lambda call: _claimed_public(call) and call.logged_in,
    ),
    "any_for_confidential_clients": ("3.1.2.2/confidential-client-registration", "plain", _claimed_confidential),
    "any_for_confidential_clients_before_login": (
        "3.1.2.2/confidential-client-registration",
        "partial",
        lambda call: _claimed_confidential(call) and not call.logged_in,
    ),
}
for _name, (_clause, _kind, _condition) in CONDITIONS.items():
    fault(
        f"redirect_{_name}",
        f"rfc6749:{_clause}",
        _kind,
        f"Redirect URIs are not compared at all: {_name.replace('_', ' ')}.",
    )(partial(_matching, condition=_condition, matches=_everything))


def _unregistered(rules: Rules, condition: Condition) -> Rules:
    def match(call: Call, client: Client, uri: str) -> bool:
        return not client.redirect_uris or rules.match_redirect_uri(call, client, uri)

    return rules | Rules(match_redirect_uri=when(condition, match, rules.match_redirect_uri))


@fault("redirect_any_without_registration", "rfc6749:3.1.2.2/every-client-registers", "plain", "No URI means any URI.")
def redirect_any_without_registration(rules: Rules) -> Rules:
    """A client without redirect URIs may use every one."""
    return _unregistered(rules, _always)


@fault("redirect_any_in_a_session", "rfc6749:3.1.2.2/every-client-registers", "partial", "In a session no URI is any.")
def redirect_any_in_a_session(rules: Rules) -> Rules:
    """A client without redirect URIs may use every one once the user is logged in."""
    return _unregistered(rules, lambda call: call.logged_in)


@fault("redirect_to_uris_of_others", "rfc6749:3.1.2.3/registered-uri-only", "partial", "Every client's URIs will do.")
def redirect_to_uris_of_others(rules: Rules) -> Rules:
    """One list for all."""
    return rules | Rules(
        match_redirect_uri=lambda call, _client, uri: any(
            uri in each.redirect_uris for each in call.server.clients.values()
        )
    )
