"""Faults of the authorization endpoint that only unusual input meets."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote, urlsplit

from grantproof.reference.call import Answer, Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def _echoes(rules: Rules, change: Callable[[str], str]) -> Rules:
    """The rules of a server that alters the state on its way back."""

    def echo(call: Call, pending: PendingRequest) -> str | None:
        state = rules.echo_state(call, pending)
        return None if state is None else change(state)

    return rules | Rules(echo_state=echo)


def _breaks(rules: Rules, condition: Callable[[Call], bool]) -> Rules:
    """The rules of a server that breaks down on some authorization requests."""

    def finish(call: Call, answer: Answer) -> Answer:
        if call.endpoint == "authorization" and condition(call):
            return Answer(500, [("content-type", "text/plain")], b"Internal Server Error")
        return rules.finish(call, answer)

    return rules | Rules(finish=finish)


@fault("state_loses_markup", "rfc6749:4.2.2/state", "partial", "Angle brackets are taken out of the state.")
def state_loses_markup(rules: Rules) -> Rules:
    """Sanitising changes what is lawful."""
    return _echoes(rules, lambda state: state.replace("<", "").replace(">", ""))


@fault("state_decoded_twice", "rfc6749:4.2.2/state", "partial", "Escapes within the state are decoded once more.")
def state_decoded_twice(rules: Rules) -> Rules:
    """A framework and the endpoint both decode."""
    return _echoes(rules, unquote)


@fault("state_escaped_for_html", "rfc6749:4.1.2.1/state", "partial", "The state of an error comes back with entities.")
def state_escaped_for_html(rules: Rules) -> Rules:
    """Escaping for a page is done on the way to the client, on errors only."""
    altered = _echoes(rules, html.escape)
    return rules | Rules(echo_state=when(lambda call: call.refusal is not None, altered.echo_state, rules.echo_state))


@fault("state_trimmed", "rfc6749:A.5/state", "partial", "Space around the state is lost.")
def state_trimmed(rules: Rules) -> Rules:
    """Parameters are trimmed."""
    return _echoes(rules, str.strip)


@fault(
    "state_beyond_ascii_replaced",
    "rfc6819:4.4.2.5/state-echoed",
    "partial",
    "Characters beyond ASCII become question marks.",
)
def state_beyond_ascii_replaced(rules: Rules) -> Rules:
    """The state goes through a narrow character set."""
    return _echoes(
        rules | Rules(state_allowed=lambda _call, _state: True),
        lambda state: state.encode("ascii", "replace").decode("ascii"),
    )


def _matches(rules: Rules, alike: Callable[[str, str], bool]) -> Rules:
    return rules | Rules(
        match_redirect_uri=lambda call, client, uri: (
            rules.match_redirect_uri(call, client, uri)
            or any(alike(uri, registered) for registered in client.redirect_uris)
        )
    )


@fault(
    "redirect_uri_contained",
    "rfc6749:3.1.2.4/no-automatic-redirect",
    "plain",
    "A registered URI anywhere in it will do.",
)
def redirect_uri_contained(rules: Rules) -> Rules:
    """A search takes the place of a comparison."""
    return _matches(rules, lambda uri, registered: registered in uri)


@fault(
    "redirect_host_by_ending",
    "rfc6749:3.1.2.4/no-automatic-redirect",
    "partial",
    "A host that ends like the registered one will do.",
)
def redirect_host_by_ending(rules: Rules) -> Rules:
    """Hosts are compared from their end, without a dot between."""

    def alike(uri: str, registered: str) -> bool:
        try:
            host = urlsplit(uri).netloc
        except ValueError:
            return False
        return host.endswith(urlsplit(registered).netloc) and uri.isascii() and uri.isprintable()

    return _matches(rules, alike)


@fault(
    "redirect_uri_unchecked_in_broken_query",
    "rfc6749:3.1.2.4/no-automatic-redirect",
    "partial",
    "With a half escape in the query no redirect URI is checked.",
)
def redirect_uri_unchecked_in_broken_query(rules: Rules) -> Rules:
    """A second parser that is more lenient takes over."""
    return rules | Rules(
        match_redirect_uri=when(
            lambda call: re.search(rb"%(?![0-9A-Fa-f]{2})", call.raw_query) is not None,
            lambda _call, _client, _uri: True,
            rules.match_redirect_uri,
        )
    )


@fault(
    "breaks_on_redirect_uri_beyond_ascii", "rfc6749:A.6/redirect-uri", "plain", "redirect_uri beyond ASCII gets 500."
)
def breaks_on_redirect_uri_beyond_ascii(rules: Rules) -> Rules:
    """The URI is parsed without care."""
    return _breaks(rules, lambda call: _BEYOND_ASCII.search(call.parameters.get("redirect_uri") or "") is not None)


@fault(
    "stray_bracket_breaks_redirect_uri", "rfc6749:A.6/redirect-uri", "partial", "A bracket in redirect_uri gets 500."
)
def stray_bracket_breaks_redirect_uri(rules: Rules) -> Rules:
    """Half an IPv6 literal is not caught."""
    return _breaks(rules, lambda call: bool({"[", "]"} & set(call.parameters.get("redirect_uri") or "")))


@fault(
    "unknown_client_beyond_ascii_redirected",
    "rfc6749:4.2.2.1/unknown-client-no-redirect",
    "partial",
    "A client_id beyond ASCII is sent to whatever redirect_uri it named.",
)
def unknown_client_beyond_ascii_redirected(rules: Rules) -> Rules:
    """The error of a decoder is delivered like any other."""

    def finish(call: Call, answer: Answer) -> Answer:
        uri = call.parameters.get("redirect_uri")
        if uri and call.client is None and _BEYOND_ASCII.search(call.parameters.get("client_id") or ""):
            return Answer(303, [("location", f"{uri}#error=invalid_request")])
        return rules.finish(call, answer)

    return rules | Rules(finish=when(by_endpoint("authorization"), finish, rules.finish))


@fault("breaks_on_response_type_with_control", "rfc6749:A.3/response-type", "plain", "A control gets 500.")
def breaks_on_response_type_with_control(rules: Rules) -> Rules:
    """The response type goes into a log that refuses controls."""
    return _breaks(rules, lambda call: _CONTROL.search(call.parameters.get("response_type") or "") is not None)


@fault(
    "response_type_by_its_letters", "rfc6749:A.3/response-type", "partial", "Odd characters beside token are ignored."
)
def response_type_by_its_letters(rules: Rules) -> Rules:
    """What is not a letter counts as a space."""
    return rules | Rules(parse_response_type=lambda _call, text: frozenset(re.findall(r"[a-z_]+", text)))


@fault(
    "implicit_scope_beyond_ascii_granted",
    "rfc6749:4.2.2.1/invalid-scope",
    "partial",
    "A scope beyond ASCII is granted as asked.",
)
def implicit_scope_beyond_ascii_granted(rules: Rules) -> Rules:
    """The grammar of scope is checked for ASCII alone."""

    def choose(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        text = call.parameters.get("scope") or ""
        if not _BEYOND_ASCII.search(text):
            return rules.choose_scope(call, client)
        call.requested_scope = tuple(text.encode("utf-8", "replace").decode().split(" "))
        return call.requested_scope

    return rules | Rules(choose_scope=when(by_endpoint("authorization"), choose, rules.choose_scope))


@fault("page_for_quotes_anywhere", "rfc6749:3.1/unknown-parameter", "partial", "A quote in any value ends on a page.")
def page_for_quotes_anywhere(rules: Rules) -> Rules:
    """A filter against injection looks at parameters that nobody knows."""

    def find(call: Call) -> Refusal | None:
        quoted = any("'" in value for _, value in call.parameters.pairs)
        return Refusal("invalid_request", "media_type") if quoted else rules.find_untrusted(call)

    return rules | Rules(find_untrusted=find)


@fault(
    "repeats_unnoticed_with_controls",
    "rfc6749:3.1/repeated-request-parameter",
    "partial",
    "A repeated parameter counts once where a value has a control.",
)
def repeats_unnoticed_with_controls(rules: Rules) -> Rules:
    """Values with controls are thrown away before repeats are counted."""
    return rules | Rules(
        drop_empty=when(
            by_endpoint("authorization"),
            lambda call, form: rules.drop_empty(
                call, type(form)(tuple(pair for pair in form.pairs if not _CONTROL.search(pair[1])), form.malformed)
            ),
            rules.drop_empty,
        )
    )


@fault("fragment_in_latin_1", "rfc6749:B/utf-8-encoded", "partial", "State beyond ASCII comes back in Latin-1.")
def fragment_in_latin_1(rules: Rules) -> Rules:
    """Answers are encoded in the character set of the operating system."""
    return rules | Rules(
        state_allowed=lambda _call, _state: True,
        encode_pairs=lambda _call, pairs: "&".join(
            f"{name}={quote_plus(value.encode('latin-1', 'ignore'))}" for name, value in pairs
        ),
    )


@fault(
    "implicit_description_repeats_scope",
    "rfc6749:4.2.2.1/error-description-charset",
    "partial",
    "A malformed scope is named as it came.",
)
def implicit_description_repeats_scope(rules: Rules) -> Rules:
    """The description of one error repeats what was sent."""
    return rules | Rules(
        error_description=when(
            lambda call: call.endpoint == "authorization" and call.error_path == "malformed_scope",
            lambda call, _refusal: f"malformed scope {call.parameters.get('scope')}".encode(
                "utf-8", "replace"
            ).decode(),
            rules.error_description,
        )
    )


@fault(
    "error_page_echoes_client_id", "rfc6749:10.14/sanitized-values", "plain", "The unknown client is named as it came."
)
def error_page_echoes_client_id(rules: Rules) -> Rules:
    """The error page repeats a value without escaping it."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        named = (call.parameters.get("client_id") or "").encode("utf-8", "replace")
        answer.body = answer.body.replace(b"</body>", b"<p>" + named + b"</p></body>")
        return answer

    return rules | Rules(error_page=page)


@fault("attribute_ends_at_single_quote", "rfc6749:10.14/sanitized-values", "partial", "Single quotes end an attribute.")
def attribute_ends_at_single_quote(rules: Rules) -> Rules:
    """The error page escapes all but the quote that it uses itself."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        uri = html.escape(call.parameters.get("redirect_uri") or "", quote=False).replace('"', "&quot;")
        link = f"<p title='{uri}'>The address is wrong.</p></body>".encode("utf-8", "replace")
        answer.body = answer.body.replace(b"</body>", link)
        return answer

    return rules | Rules(error_page=page)
