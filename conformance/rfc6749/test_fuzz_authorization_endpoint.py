"""RFC 6749 section 3.1 and Appendix A: the authorization endpoint under any octets in any place."""

from unicodedata import category
from urllib.parse import unquote_to_bytes

from hypothesis import strategies as st

from grantproof.checks import (
    Answer,
    AuthorizationAnswer,
    Flow,
    Form,
    Idp,
    Inconclusive,
    NotOffered,
    Request,
    ResetError,
    clause,
)
from grantproof.wire.form import MalformedFormError
from grantproof.wire.grammar import is_nqschars
from grantproof.wire.strategies import (
    MARK,
    Detour,
    any_text,
    became_markup,
    breakouts,
    broken_queries,
    detours,
    fuzz,
    is_utf8,
    octets_of,
    parameter_names,
    printable_text,
    response_types,
    shown,
)

_WHICH = st.integers(0, 11)
_GUESSABLE = 8
"""Shorter states are refused by some servers, which a check of its own judges."""
_PARAMETERS = ("client_id", "redirect_uri", "response_type", "scope", "state", "response_mode", "prompt", "nonce")
_KNOWN = frozenset({*_PARAMETERS, "max_age", "display", "ui_locales", "claims", "request", "request_uri"})
_NO_RESPONSE_TYPE = "neither_code_nor_token"


def _strayed(answer: AuthorizationAnswer, flow: Flow) -> bool:
    """Whether the browser was sent by itself to anything but a redirect URI of the client."""
    return answer.location is not None and not any(answer.went_to(uri) for uri in flow.client.redirect_uris)


def _state_octets(answer: AuthorizationAnswer) -> bytes | None:
    """The octets of the state that came back; None where there was none."""
    if answer.redirect is not None and answer.redirect.form is not None:
        return None if answer.state is None else octets_of(answer.state)
    for part in (answer.raw_fragment or (answer.location or "").partition("?")[2]).split("&"):
        name, _, value = part.partition("=")
        if name == "state":
            return unquote_to_bytes(value.replace("+", " "))
    return None


@clause("rfc6749:4.2.2/state", "rfc6749:A.5/state")
@fuzz(which=_WHICH, state=printable_text().filter(lambda text: len(text) >= _GUESSABLE))
def test_fuzz_printable_state_comes_back_with_the_token(idp: Idp, which: int, state: str) -> None:
    answer = idp.authorize(idp.flow("token_flow", which), state=state)
    if not answer.issued:
        raise Inconclusive(f"state={shown(state)} ended at {answer.describe()}")
    assert answer.state == state, f"state={shown(state)} came back as {shown(answer.state or '')}"


@clause("rfc6749:4.1.2.1/state", "rfc6749:A.5/state")
@fuzz(which=_WHICH, state=printable_text())
def test_fuzz_printable_state_comes_back_with_an_error(idp: Idp, which: int, state: str) -> None:
    answer = idp.authorize(idp.flow("flow", which), state=state, response_type=_NO_RESPONSE_TYPE)
    if answer.error is None:
        if idp.authorize(idp.flow("flow", which), response_type=_NO_RESPONSE_TYPE).error is None:
            raise NotOffered(f"an unknown response_type ends at {answer.describe()}, which another check judges")
        raise Inconclusive(f"an unknown response_type ended at {answer.describe()}")
    assert answer.state == state, f"state={shown(state)} came back as {shown(answer.state or '')}"


@clause("rfc6819:4.4.2.5/state-echoed")
@fuzz(which=_WHICH, state=any_text())
def test_fuzz_no_state_is_altered(idp: Idp, which: int, state: str) -> None:
    if not is_utf8(state) or any(category(character) == "Cc" for character in state):
        return  # no form on a page can carry it unaltered
    answer = idp.authorize(idp.flow("flow", which), state=state, response_type=_NO_RESPONSE_TYPE)
    back = _state_octets(answer)
    assert back in {None, octets_of(state)}, f"state={shown(state)} came back as {back!r}"


@clause("rfc6749:3.1.2.4/no-automatic-redirect", "rfc6819:4.2.4/no-redirect-when-unverified")
@fuzz(which=_WHICH, detour=detours())
def test_fuzz_no_stray_redirect_uri_is_ever_used(idp: Idp, which: int, detour: Detour) -> None:
    flow = idp.flow("flow", which)
    stray = detour.apply(flow.redirect_uri)
    answer = idp.authorize(flow, redirect_uri=stray)
    assert not _strayed(answer, flow), f"redirect_uri={shown(stray)} led to {answer.describe()}"


@clause("rfc6749:A.6/redirect-uri")
@fuzz(which=_WHICH, redirect_uri=any_text())
def test_fuzz_a_redirect_uri_that_is_none_ends_on_an_error_page(idp: Idp, which: int, redirect_uri: str) -> None:
    answer = idp.authorize(idp.flow("flow", which), redirect_uri=redirect_uri)
    assert answer.page is not None, f"redirect_uri={shown(redirect_uri)} ended at {answer.describe()}"
    assert answer.page.status < 500, f"redirect_uri={shown(redirect_uri)} got status {answer.page.status}"


@clause("rfc6749:4.2.2.1/unknown-client-no-redirect")
@fuzz(which=_WHICH, client_id=any_text() | printable_text())
def test_fuzz_no_unknown_client_is_sent_anywhere(idp: Idp, which: int, client_id: str) -> None:
    flow = idp.flow("flow", which)
    if any(client_id == client.id for client in idp.profile.clients.values()):
        return
    answer = idp.authorize(flow, client_id=client_id)
    assert answer.redirect is None, f"client_id={shown(client_id)} ended at {answer.describe()}"
    status = answer.page.status if answer.page else 0
    assert status < 500, f"client_id={shown(client_id)} got status {status}"


@clause("rfc6749:A.3/response-type")
@fuzz(which=_WHICH, response_type=response_types())
def test_fuzz_any_response_type_gets_a_regular_error_answer(idp: Idp, which: int, response_type: str) -> None:
    if response_type in {"token", "code"}:
        return
    answer = idp.authorize(idp.flow("flow", which), response_type=response_type)
    seen = f"response_type={shown(response_type)} ended at {answer.describe()}"
    assert not answer.issued, seen
    assert answer.error or answer.page is not None, seen
    assert answer.page is None or answer.page.status != 500, seen  # 501 is no crash


@clause("rfc6749:4.2.2.1/invalid-scope")
@fuzz(which=_WHICH, scope=any_text() | printable_text())
def test_fuzz_any_scope_gets_an_error_or_a_token_without_it(idp: Idp, which: int, scope: str) -> None:
    flow = idp.flow("token_flow", which)
    asked = frozenset(scope.split(" ")) - {"", *flow.client.scopes}
    answer = idp.authorize(flow, scope=f"openid {scope}" if flow.has_id_token else scope)
    seen = f"scope={shown(scope)} ended at {answer.describe()}"
    if answer.issued:
        assert not asked or answer.parameters.get("scope"), f"{seen}: the scope is left out as if it were granted"
        assert not asked & frozenset((answer.parameters.get("scope") or "").split(" ")), f"{seen}: it was granted"
    elif is_utf8(scope):
        assert answer.error in {"invalid_scope", "invalid_request"}, seen
    assert answer.page is None or answer.page.status < 500, seen


@clause("rfc6749:3.1/unknown-parameter")
@fuzz(which=_WHICH, name=parameter_names(_KNOWN), value=printable_text())
def test_fuzz_unknown_parameters_change_nothing(idp: Idp, which: int, name: str, value: str) -> None:
    flow = idp.flow("token_flow", which)
    answer = idp.follow(idp.authorization_request(flow).add(name, value))
    assert answer.issued, f"with {name}={shown(value)} it ended at {answer.describe()}"


@clause("rfc6749:3.1/repeated-request-parameter")
@fuzz(which=_WHICH, name=st.sampled_from(("client_id", "redirect_uri", "response_type", "scope")), value=any_text())
def test_fuzz_repeated_parameters_earn_no_token(idp: Idp, which: int, name: str, value: str) -> None:
    request = idp.authorization_request(idp.flow("token_flow", which))
    if name not in request.form:
        return
    answer = idp.follow(request.add(name, value))
    assert not answer.issued, f"with another {name}={shown(value)} a token came"


@clause("rfc6749:B/utf-8-encoded")
@fuzz(which=_WHICH, name=st.sampled_from(("state", "scope", "response_type")), value=any_text())
def test_fuzz_every_fragment_is_form_urlencoded_utf8(idp: Idp, which: int, name: str, value: str) -> None:
    request = idp.authorization_request(idp.flow("flow", which), response_type=_NO_RESPONSE_TYPE).set(name, value)
    answer = idp.follow(request)
    try:
        Form.parse(answer.raw_fragment, strict=True)
    except MalformedFormError as problem:
        raise AssertionError(f"{name}={shown(value)} came back in a malformed fragment: {problem}") from None


@clause("rfc6749:4.2.2.1/error-description-charset")
@fuzz(which=_WHICH, name=st.sampled_from(("state", "scope", "response_type", "nonce")), value=any_text())
def test_fuzz_descriptions_keep_to_their_characters(idp: Idp, which: int, name: str, value: str) -> None:
    request = idp.authorization_request(idp.flow("flow", which), scope="no_such_scope").set(name, value)
    described = idp.follow(request).parameters.get("error_description")
    assert not described or is_nqschars(described), f"{name}={shown(value)} came back as {described!r}"


@clause("rfc6749:10.14/sanitized-values")
@fuzz(which=_WHICH, name=st.sampled_from(_PARAMETERS), value=breakouts())
def test_fuzz_nothing_sent_comes_back_as_markup_or_a_header(idp: Idp, which: int, name: str, value: str) -> None:
    request = idp.authorization_request(idp.flow("flow", which)).set(name, value)
    answer = idp.follow(request, stop_at_pages=True)
    for step in answer.steps:
        assert MARK not in step.headers, f"{name}={shown(value)} became a header"
        assert not became_markup(step.text), f"{name}={shown(value)} became markup"


@clause("rfc6749:3.1.2.4/no-automatic-redirect")
@fuzz(which=_WHICH, junk=broken_queries())
def test_fuzz_no_broken_query_sends_the_browser_elsewhere(idp: Idp, which: int, junk: bytes) -> None:
    stray = "https://elsewhere.invalid/"
    flow = idp.flow("flow", which)
    url = idp.authorization_request(flow, redirect_uri=stray, response_type=_NO_RESPONSE_TYPE).to_request().url
    answer = _get_raw(idp, url, b"&" + junk)
    if answer is not None:
        location = answer.headers.get("location") or ""
        assert not location.startswith(stray), f"{junk!r} in the query let {stray} pass"
        assert answer.status != 500, f"{junk!r} in the query got status {answer.status}"


def _get_raw(idp: Idp, url: str, more: bytes) -> Answer | None:
    """The answer to a GET by the signed-in browser with more octets at the end of its query; None for a hang-up."""
    host, _, target = url.partition("//")[2].partition("/")
    cookie = idp.agent().jar.header(url) or ""
    lines = (
        b"GET /" + target.encode("ascii") + more + b" HTTP/1.1",
        b"Host: " + host.encode("ascii"),
        b"Connection: close",
        b"Cookie: " + cookie.encode("latin-1"),
    )
    sent = Request("GET", url + more.decode("latin-1"), (("Cookie", cookie),))
    try:
        return idp.raw(sent, b"\r\n".join(lines) + b"\r\n\r\n")
    except ResetError:
        return None
