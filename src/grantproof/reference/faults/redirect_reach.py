"""Faults of where a browser is sent, and how: unknown clients, missing and foreign redirect URIs, lost queries."""

from __future__ import annotations

import html
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode

from grantproof.reference.call import Answer
from grantproof.reference.form import encode_form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Condition, Kind


def _location(call: Call, uri: str) -> str:
    error = encode_form((("error", "invalid_request"), ("state", call.parameters.get("state") or "")))
    return f"{uri}#{error}"


def _by_status(call: Call, uri: str) -> Answer:
    return Answer(302, [("location", _location(call, uri).encode("latin-1", "replace").decode("latin-1"))])


def _by_refresh_header(call: Call, uri: str) -> Answer:
    answer = call.rules.page(call, "Back", "<p>You are sent back.</p>", 200)
    return answer.set_header("refresh", f"0; url={_location(call, uri)}")


def _by_refresh(call: Call, uri: str) -> Answer:
    target = html.escape(_location(call, uri))
    return call.rules.page(call, "Back", f'<meta http-equiv="refresh" content="1;url={target}">', 400)


def _by_script(call: Call, uri: str) -> Answer:
    target = _location(call, uri).replace('"', "%22").replace("<", "%3C").replace("\\", "%5C")
    return call.rules.page(call, "Back", f'<script>window.location.replace("{target}")</script>', 400)


def _by_form(call: Call, uri: str) -> Answer:
    body = f'<form method="post" action="{html.escape(uri)}"><input name="error" value="invalid_request"></form>'
    return call.rules.page(call, "Back", f"{body}<script>document.forms[0].submit()</script>", 400)


def _sending(rules: Rules, condition: Condition, send: Callable[[Call, str], Answer]) -> Rules:
    """Rules that send the browser to the request's redirect URI instead of showing the error page."""

    def page(call: Call, refusal: Refusal) -> Answer:
        uri = call.parameters.get("redirect_uri")
        call.refusal = refusal
        if uri is None or not uri.isascii() or not uri.isprintable() or not condition(call):
            return rules.error_page(call, refusal)
        return send(call, uri)

    return rules | Rules(error_page=when(by_endpoint("authorization"), page, rules.error_page))


def _both(*conditions: Condition) -> Condition:
    return lambda call: all(condition(call) for condition in conditions)


def _logged_in(call: Call) -> bool:
    return call.logged_in


def _typeless(call: Call) -> bool:
    return call.parameters.get("response_type") is None


_WRONG = by_error_path("wrong_redirect_uri")
_UNKNOWN = by_error_path("unknown_client")
_CLIENTLESS = _both(by_error_path("missing_client"), _logged_in)
_NO_WAY, _FOREIGN = "3.1.2.4/no-automatic-redirect", "4.2.2.1/unknown-client-no-redirect"
_ROWS_1: tuple[tuple[str, str, Kind, Condition, Callable[[Call, str], Answer]], ...] = (
    ("wrong_uri_gets_the_error", _NO_WAY, "plain", _WRONG, _by_status),
    ("wrong_uri_gets_the_error_by_refresh", _NO_WAY, "partial", _WRONG, _by_refresh),
    ("wrong_uri_gets_the_error_by_refresh_header", _NO_WAY, "partial", _WRONG, _by_refresh_header),
    ("wrong_uri_gets_the_error_by_script", _NO_WAY, "partial", _WRONG, _by_script),
    ("wrong_uri_gets_the_error_by_form", _NO_WAY, "partial", _WRONG, _by_form),
    ("wrong_uri_gets_the_error_in_a_session", _NO_WAY, "partial", _both(_WRONG, _logged_in), _by_status),
    ("wrong_uri_gets_the_type_error", "4.1.2.1/no-automatic-redirect", "partial", _both(_WRONG, _typeless), _by_script),
    ("wrong_uri_gets_the_error_not_told", "3.1.2.4/owner-informed", "plain", _WRONG, _by_status),
    ("unknown_client_gets_the_error", _FOREIGN, "plain", _UNKNOWN, _by_status),
    ("unknown_client_gets_the_error_in_a_session", _FOREIGN, "partial", _both(_UNKNOWN, _logged_in), _by_status),
    ("unknown_client_gets_the_error_by_script", _FOREIGN, "partial", _UNKNOWN, _by_script),
    ("missing_client_gets_the_error", "4.2.1/missing-client-id", "plain", by_error_path("missing_client"), _by_status),
    ("missing_client_gets_the_error_in_a_session", "4.2.1/missing-client-id", "partial", _CLIENTLESS, _by_status),
)
for _id, _clause, _kind, _condition, _send in _ROWS_1:
    fault(_id, f"rfc6749:{_clause}", _kind, "An error goes where it must not.")(
        partial(_sending, condition=_condition, send=_send)
    )


def _blank(rules: Rules, condition: Condition) -> Rules:
    def page(call: Call, refusal: Refusal) -> Answer:
        call.refusal = refusal
        return Answer(400, rules.page_headers(call)) if condition(call) else rules.error_page(call, refusal)

    return rules | Rules(error_page=page)


_ROWS_2: tuple[tuple[str, str, Kind, Condition], ...] = (
    ("wrong_uri_page_empty", "3.1.2.4/owner-informed", "partial", _WRONG),
    ("unknown_client_page_empty", "4.2.2.1/owner-informed", "plain", _UNKNOWN),
    ("unknown_client_page_empty_without_type", "4.1.2.1/owner-informed", "plain", _both(_UNKNOWN, _typeless)),
)
for _id, _clause, _kind, _condition in _ROWS_2:
    fault(_id, f"rfc6749:{_clause}", _kind, "The page of an error is empty.")(partial(_blank, condition=_condition))


def _guessing(rules: Rules, condition: Condition, place: int) -> Rules:
    def default(call: Call, client: Client) -> str | None:
        own = rules.default_redirect_uri(call, client)
        return client.redirect_uris[place] if own is None and client.redirect_uris and condition(call) else own

    return rules | Rules(default_redirect_uri=default)


_ROWS_3: tuple[tuple[str, Kind, Condition, int], ...] = (
    ("first_uri_is_the_default", "plain", lambda _call: True, 0),
    ("last_uri_is_the_default", "partial", lambda _call: True, -1),
    ("first_uri_is_the_default_in_a_session", "partial", _logged_in, 0),
    ("first_uri_is_the_default_before_login", "partial", lambda call: not call.logged_in, 0),
)
for _id, _kind, _condition, _place in _ROWS_3:
    fault(_id, "rfc6749:3.1.2.3/redirect-uri-required", _kind, "One is picked.")(
        partial(_guessing, condition=_condition, place=_place)
    )


def _located(rules: Rules, condition: Condition, change: Callable[[str], str]) -> Rules:
    """Rules that change the redirect URI on its way into the Location."""

    def location(call: Call, uri: str, where: str, encoded: str) -> str:
        return rules.redirect_location(call, change(uri), where, encoded)

    return rules | Rules(redirect_location=when(condition, location, rules.redirect_location))


def _bare(uri: str) -> str:
    return uri.partition("?")[0]


def _reencoded(uri: str) -> str:
    base, mark, query = uri.partition("?")
    return base + mark + urlencode(parse_qsl(query, keep_blank_values=True))


def _reversed(uri: str) -> str:
    base, mark, query = uri.partition("?")
    return base + mark + "&".join(reversed(query.split("&")))


def _first(uri: str) -> str:
    return uri.partition("&")[0]


def _refused(call: Call) -> bool:
    return call.refusal is not None


def _just_logged_in(call: Call) -> bool:
    return call.pending is not None and call.pending.authenticated


_ROWS_4: tuple[tuple[str, Kind, Condition, Callable[[str], str]], ...] = (
    ("query_lost", "plain", lambda _call: True, _bare),
    ("query_lost_on_errors", "partial", _refused, _bare),
    ("query_lost_on_denial", "partial", by_error_path("denied"), _bare),
    ("query_lost_on_scope_errors", "partial", by_error_path("unknown_scope"), _bare),
    ("query_lost_after_login", "partial", _just_logged_in, _bare),
    ("query_written_again", "partial", lambda _call: True, _reencoded),
    ("query_decoded", "partial", lambda _call: True, unquote),
    ("query_in_another_order", "partial", lambda _call: True, _reversed),
    ("query_cut_at_ampersand", "partial", lambda _call: True, _first),
)
for _id, _kind, _condition, _change in _ROWS_4:
    fault(
        f"redirect_uri_{_id}",
        "rfc6749:3.1.2/query-retained",
        _kind,
        "Its query is not kept.",
    )(  # the formatter would put one argument a line
        partial(_located, condition=_condition, change=_change)
    )


@fault("web_client_answered_in_the_clear", "oidc-core:3.2.2.1/no-http-redirect-uri", "plain", "http is as good.")
def web_client_answered_in_the_clear(rules: Rules) -> Rules:
    """The scheme of a redirect URI is not compared."""
    return _clear(rules, lambda _call: True)


@fault("answered_in_the_clear_in_a_session", "oidc-core:3.2.2.1/no-http-redirect-uri", "partial", "http is as good.")
def answered_in_the_clear_in_a_session(rules: Rules) -> Rules:
    """The scheme is compared only before the login."""
    return _clear(rules, _logged_in)


def _clear(rules: Rules, condition: Condition) -> Rules:
    def match(call: Call, client: Client, uri: str) -> bool:
        return rules.match_redirect_uri(call, client, uri.replace("http:", "https:", 1))

    return rules | Rules(match_redirect_uri=when(condition, match, rules.match_redirect_uri))
