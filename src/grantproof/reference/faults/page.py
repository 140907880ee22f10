"""Faults of the pages: frames, values shown raw, headers split, the page that posts the response."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call, Refusal
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition, Kind

Pairs = tuple[tuple[str, str], ...]
Headers = list[tuple[str, str]]
_CSP = "content-security-policy"
FRAMING, RAW = "rfc6749:10.13/framing", "rfc6749:10.14/sanitized-values"


def _framed(rules: Rules, condition: Condition, headers: Headers) -> Rules:
    return rules | Rules(framing_headers=when(condition, lambda _call: headers, rules.framing_headers))


def _always(_call: Call) -> bool:
    return True


_ROWS_1: tuple[tuple[str, Kind, Condition, Headers], ...] = (
    ("pages_may_be_framed", "plain", _always, []),
    ("login_page_may_be_framed", "partial", lambda call: not call.logged_in, []),
    ("consent_page_may_be_framed", "partial", lambda call: call.logged_in, []),
    ("pages_allow_frames_from", "partial", _always, [("x-frame-options", "ALLOW-FROM https://app.example/")]),
    ("pages_allow_all_frames", "partial", _always, [("x-frame-options", "ALLOWALL")]),
    ("policy_allows_all_ancestors", "partial", _always, [("content-security-policy", "frame-ancestors *")]),
    (
        "policy_outdoes_frame_options",
        "partial",
        _always,
        [(_CSP, "frame-ancestors https:"), ("x-frame-options", "DENY")],
    ),
    ("policy_reports_only", "partial", _always, [("content-security-policy-report-only", "frame-ancestors 'none'")]),
    ("policy_without_ancestors", "partial", _always, [("content-security-policy", "frame-src 'none'")]),
)
for _id, _kind, _condition, _headers in _ROWS_1:
    fault(_id, FRAMING, _kind, "Foreign sites can frame pages.")(
        partial(_framed, condition=_condition, headers=_headers)
    )


def _quote_only(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _tags_only(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(rules: Rules, name: str, escape: Callable[[str], str]) -> Rules:
    """Rules whose error page shows a parameter in an attribute and in its text."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        value = call.parameters.get(name)
        if value is not None:
            shown = escape(value).encode("utf-8", "replace").decode()
            text = f"<p title='{shown}' class=\"{shown}\">You sent {shown}.</p></body>"
            answer.body = answer.body.replace(b"</body>", text.encode())
        return answer

    return rules | Rules(error_page=page)


_ROWS_2: tuple[tuple[str, Kind, str, Callable[[str], str]], ...] = (
    ("page_shows_client_raw", "plain", "client_id", str),
    ("page_shows_redirect_uri_raw", "partial", "redirect_uri", str),
    ("page_shows_client_with_quotes_raw", "partial", "client_id", _tags_only),
    ("page_shows_redirect_uri_with_apostrophe_raw", "partial", "redirect_uri", _quote_only),
)
for _id, _kind, _name, _escape in _ROWS_2:
    fault(_id, RAW, _kind, "A page shows a parameter raw.")(partial(_shown, name=_name, escape=_escape))


def _kept(rules: Rules, name: str) -> Rules:
    """Rules whose login page carries a parameter along, raw."""

    def page(call: Call, pending: PendingRequest, message: str) -> Answer:
        answer = rules.login_page(call, pending, message)
        field = f'<input type="hidden" name="{name}" value="{pending.parameters.get(name) or ""}">'
        answer.body = answer.body.replace(b"</form>", field.encode("utf-8", "replace") + b"</form>")
        return answer

    return rules | Rules(login_page=page)


for _name in ("state", "scope", "nonce"):
    fault(f"login_page_carries_{_name}_raw", RAW, "partial", f"The login page carries the {_name} along, raw.")(
        partial(_kept, name=_name)
    )


@fault("login_page_carries_the_unknown_raw", RAW, "partial", "What is unknown is carried along, raw.")
def login_page_carries_the_unknown_raw(rules: Rules) -> Rules:
    """The login page keeps the whole request in its form."""

    def page(call: Call, pending: PendingRequest, message: str) -> Answer:
        answer = rules.login_page(call, pending, message)
        known = rules.recognised_parameters(call)
        pairs = [pair for pair in pending.parameters.pairs if pair[0] not in known]
        fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in pairs)
        answer.body = answer.body.replace(b"</form>", fields.encode("utf-8", "replace") + b"</form>")
        return answer

    return rules | Rules(login_page=page)


@fault("page_that_posts_is_raw", RAW, "partial", "The page that posts the response shows the state raw.")
def page_that_posts_is_raw(rules: Rules) -> Rules:
    """Another template, without escaping."""

    def page(call: Call, uri: str, pairs: Pairs) -> Answer:
        fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in pairs)
        body = f'<form method="post" action="{uri}">{fields}</form><script>document.forms[0].submit()</script>'
        return rules.page(call, "Back to the application", body, 200)

    return rules | Rules(form_post_page=page)


@fault("page_links_to_scripts", RAW, "partial", "The error page links to the redirect URI, whatever its scheme.")
def page_links_to_scripts(rules: Rules) -> Rules:
    """A way back for the user."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        uri = rules.escape(call, call.parameters.get("redirect_uri") or "")
        answer.body = answer.body.replace(b"</body>", f'<a href="{uri}">Back</a></body>'.encode())
        return answer

    return rules | Rules(error_page=when(by_error_path("", "wrong_redirect_uri"), page, rules.error_page))


def _split(rules: Rules, name: str) -> Rules:
    """Rules that write a parameter into a header of every answer, line by line as it comes."""

    def finish(call: Call, answer: Answer) -> Answer:
        lines = (call.parameters.get(name) or "").replace("\r", "\n").split("\n")
        answer.headers.append(("x-last-seen", lines[0].encode("ascii", "replace").decode()))
        for line in lines[1:]:
            key, mark, value = line.partition(":")
            if mark and key.replace("-", "").isalnum() and value.isprintable() and value.isascii():
                answer.headers.append((key.lower(), value.strip()))
        return rules.finish(call, answer)

    return rules | Rules(finish=when(by_endpoint("authorization"), finish, rules.finish))


for _name in ("state", "client_id", "redirect_uri"):
    fault(f"header_split_by_{_name}", RAW, "partial", f"A line break in the {_name} begins another header.")(
        partial(_split, name=_name)
    )


def _posting(rules: Rules, condition: Condition, change: Callable[[Answer], Answer]) -> Rules:
    def page(call: Call, uri: str, pairs: Pairs) -> Answer:
        return change(rules.form_post_page(call, uri, pairs))

    return rules | Rules(form_post_page=when(condition, page, rules.form_post_page))


def _replaced(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        answer.body = answer.body.replace(old, new)
        return answer

    return change


def _stored(answer: Answer) -> Answer:
    return answer.set_header("cache-control", "private, max-age=60")


def _unsaid(answer: Answer) -> Answer:
    return answer.drop_header("cache-control")


_IN_THE_CLEAR = _replaced(b'action="https:', b'action="http:')


def _refused(call: Call) -> bool:
    return call.refusal is not None


def _just_logged_in(call: Call) -> bool:
    return call.pending is not None and call.pending.authenticated


_ROWS_3: tuple[tuple[str, str, Kind, Condition, Callable[[Answer], Answer]], ...] = (
    ("response_form_goes_elsewhere", "action-is-redirect-uri", "plain", _always, _IN_THE_CLEAR),
    ("response_form_of_errors_goes_elsewhere", "action-is-redirect-uri", "partial", _refused, _IN_THE_CLEAR),
    ("response_form_loses_query", "action-is-redirect-uri", "partial", _always, _replaced(b"&amp;y=a%20b", b"")),
    ("response_form_by_get", "method-post", "plain", _always, _replaced(b'method="post"', b'method="get"')),
    ("response_form_of_errors_by_get", "method-post", "partial", _refused, _replaced(b'method="post"', b"")),
    ("response_form_stored", "page-not-stored", "plain", _always, _unsaid),
    ("response_form_stored_after_login", "page-not-stored", "partial", _just_logged_in, _stored),
)
for _id, _slug, _kind, _condition, _change in _ROWS_3:
    fault(_id, f"oauth-form-post:2/{_slug}", _kind, "The posting page is wrong.")(
        partial(_posting, condition=_condition, change=_change)
    )
