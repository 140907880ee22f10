"""RFC 6749 section 3.2 and Appendix A: the token endpoint under any octets in any place."""

from hypothesis import strategies as st

from grantproof.checks import Answer, Caller, FormRequest, Idp, Request, ResetError, TokenAnswer, clause
from grantproof.wire.grammar import is_nqschars
from grantproof.wire.request import FORM_TYPE
from grantproof.wire.strategies import (
    MARK,
    Change,
    any_octets,
    any_text,
    became_markup,
    breakouts,
    broken_queries,
    changes,
    fuzz,
    methods,
    parameter_names,
    printable_text,
    shown,
    spellings,
)

_WHICH = st.integers(0, 11)
_PARAMETERS = st.sampled_from(("grant_type", "scope", "client_id", "client_secret"))
_KNOWN = frozenset({"client_id", "client_secret", "grant_type", "scope"})


def _assert_regular_error(answer: TokenAnswer, sent: str) -> None:
    """Fails where the octets got a token or broke something; the status and code of a refusal are for section 5.2."""
    assert not answer.issued, f"{sent} earned a token"
    assert answer.status != 500, f"{sent} got status {answer.status}"  # 501 is no crash
    assert answer.error or 400 <= answer.status < 500, f"{sent} got status {answer.status} and no error code"


def _without_credentials(idp: Idp) -> FormRequest:
    return FormRequest(idp.endpoint("token")).set("grant_type", "client_credentials")


def _raw(idp: Idp, request: Request, line: bytes) -> Answer | None:
    """The answer to a request with one more line in its head; None where the server hangs up instead."""
    host = request.url.partition("//")[2].partition("/")[0].encode("ascii")
    path = request.url.partition("//")[2].partition("/")[2].encode("ascii")
    head = [request.method.encode() + b" /" + path + b" HTTP/1.1", b"Host: " + host, b"Connection: close"]
    head += [f"{name}: {value}".encode("latin-1") for name, value in request.headers]
    head += [b"Content-Length: %d" % len(request.body), *([line] if line else [])]
    try:
        return idp.raw(request, b"\r\n".join(head) + b"\r\n\r\n" + request.body)
    except ResetError:
        return None


@clause("rfc6749:A.1/client-id")
@fuzz(client_id=any_text())
def test_fuzz_any_client_id_gets_a_regular_error_answer(idp: Idp, client_id: str) -> None:
    request = _without_credentials(idp).set("client_id", client_id).set("client_secret", "no such secret")
    _assert_regular_error(idp.send(request), f"client_id={shown(client_id)}")


@clause("rfc6749:A.2/client-secret")
@fuzz(which=_WHICH, wrong=any_text())
def test_fuzz_any_client_secret_gets_a_regular_error_answer(idp: Idp, which: int, wrong: str) -> None:
    caller = idp.caller("password_service", which)
    request = idp.authenticate(_without_credentials(idp), caller, secret=wrong)
    _assert_regular_error(idp.send(request), f"the secret {shown(wrong)} by {caller.method}")


@clause("rfc6749:4.4.2/client-authenticated")
@fuzz(which=_WHICH, change=changes())
def test_fuzz_nearly_right_secrets_earn_no_token(idp: Idp, which: int, change: Change) -> None:
    caller = idp.caller("password_service", which)
    right = caller.client.secret or ""
    wrong = change.apply(right)
    if wrong == right:
        return
    answer = idp.send(idp.authenticate(_without_credentials(idp), caller, secret=wrong))
    assert not answer.issued, f"the secret {change.words} earned a token by {caller.method}"


@clause("rfc6749:A.10/grant-type")
@fuzz(which=_WHICH, grant_type=any_text() | printable_text())
def test_fuzz_any_grant_type_gets_a_regular_error_answer(idp: Idp, which: int, grant_type: str) -> None:
    if grant_type == "client_credentials":
        return
    answer = idp.token(idp.caller("password_service", which), grant_type=grant_type)
    _assert_regular_error(answer, f"grant_type={shown(grant_type)}")


@clause("rfc6749:5.2/invalid-scope")
@fuzz(which=_WHICH, scope=any_text() | printable_text())
def test_fuzz_any_scope_gets_an_error_or_a_token_without_it(idp: Idp, which: int, scope: str) -> None:
    caller = idp.caller("password_service", which)
    asked = frozenset(scope.split(" ")) - {"", *caller.client.scopes}
    answer = idp.token(caller, scope=scope)
    if not answer.issued:
        _assert_regular_error(answer, f"scope={shown(scope)}")
        assert answer.error in {"invalid_scope", "invalid_request"}, f"scope={shown(scope)} got {answer.error}"
    elif asked:
        named = answer.get("scope")
        granted = frozenset(named.split(" ")) if isinstance(named, str) else idp.scope_of(answer.access_token)
        assert granted is not None, f"a token came for scope={shown(scope)}, its scope left out as if it were that"
        assert not asked & granted, f"a token came with the unknown scope {shown(scope)}"


@clause("rfc6749:3.2/unknown-parameter")
@fuzz(which=_WHICH, name=parameter_names(_KNOWN), value=printable_text())
def test_fuzz_unknown_parameters_change_nothing(idp: Idp, which: int, name: str, value: str) -> None:
    caller = idp.caller("password_service", which)
    answer = idp.send(idp.token_request(caller).add(name, value))
    assert answer.issued, f"with {name}={shown(value)} the token did not come: status {answer.status}, {answer.error}"


@clause("rfc6749:3.2/repeated-request-parameter")
@fuzz(which=_WHICH, name=st.sampled_from(("grant_type", "scope")), value=any_text(), first=st.booleans())
def test_fuzz_repeated_parameters_earn_no_token(idp: Idp, which: int, name: str, value: str, *, first: bool) -> None:
    request = idp.token_request(idp.caller("password_service", which))
    if name not in request.form:
        return
    again = FormRequest(request.url).add(name, value).form.pairs
    form = type(request.form)((*again, *request.form.pairs) if first else (*request.form.pairs, *again))
    answer = idp.send(FormRequest(request.url, form, headers=request.headers))
    assert not answer.issued, f"with {name}={shown(value)} {'before' if first else 'after'} the right one a token came"


@clause("rfc6749:B/form-decoded")
@fuzz(which=_WHICH, data=st.data())
def test_fuzz_every_spelling_of_a_form_means_the_same(idp: Idp, which: int, data: st.DataObject) -> None:
    request = idp.token_request(idp.caller("basic_service", which))
    pairs = [(name, data.draw(spellings(value), label=name)) for name, value in request.form]
    body = "&".join(f"{name}={spelled}" for name, spelled in pairs).encode("ascii")
    answer = idp.send(request.sent(body, FORM_TYPE))
    assert answer.issued, f"{body.decode()} got status {answer.status}, {answer.error}"


@clause("rfc6749:5.2/json-object")
@fuzz(body=any_octets())
def test_fuzz_any_body_gets_an_error_in_one_json_object(idp: Idp, body: bytes) -> None:
    answer = idp.send(_without_credentials(idp).sent(body, FORM_TYPE))
    assert answer.headers.media_type == "application/json", f"{body!r} got {answer.headers.media_type or 'no type'}"
    assert answer.members, f"{body!r} got an empty object"


@clause("rfc6749:5.2/status-400")
@fuzz(which=_WHICH, junk=broken_queries())
def test_fuzz_junk_beside_the_parameters_never_breaks_the_server(idp: Idp, which: int, junk: bytes) -> None:
    request = idp.token_request(idp.caller("basic_service", which))
    answer = idp.send(request.sent(request.form.encode().encode("ascii") + b"&" + junk, FORM_TYPE))
    seen = f"{junk!r} after the parameters got status {answer.status}"
    assert answer.status in ({200} if answer.issued else {400}), seen


@clause("rfc6749:5.2/error-description-charset")
@fuzz(which=_WHICH, name=_PARAMETERS, value=any_text() | printable_text())
def test_fuzz_descriptions_keep_to_their_characters(idp: Idp, which: int, name: str, value: str) -> None:
    request = idp.token_request(idp.caller("basic_service", which))
    described = idp.send(request.set(name, value)).get("error_description")
    assert described is None or isinstance(described, str), f"{name}={shown(value)}: the description is no string"
    assert not described or is_nqschars(described), f"{name}={shown(value)} came back as {described!r}"


@clause("rfc6749:10.14/sanitized-values")
@fuzz(which=_WHICH, name=_PARAMETERS, value=breakouts())
def test_fuzz_nothing_sent_comes_back_as_a_header_or_markup(idp: Idp, which: int, name: str, value: str) -> None:
    answer = idp.send(idp.token_request(idp.caller("basic_service", which)).set(name, value))
    assert MARK not in answer.headers, f"{name}={shown(value)} became a header"
    if answer.headers.media_type in {"text/html", "application/xhtml+xml", ""}:
        assert not became_markup(answer.text), f"{name}={shown(value)} became markup"


@clause("rfc6749:3.2/post-only")
@fuzz(which=_WHICH, method=methods())
def test_fuzz_no_other_method_earns_a_token(idp: Idp, which: int, method: str) -> None:
    request = idp.token_request(idp.caller("basic_service", which)).to_request()
    answer = _raw(idp, Request(method, request.url, request.headers, request.body), b"")
    assert answer is None or b'"access_token"' not in answer.body, f"{method} earned a token"


@clause("rfc6749:3.2.1/client-authentication")
@fuzz(credentials=any_octets() | any_octets().map(lambda octets: b"Basic " + octets))
def test_fuzz_no_authorization_header_made_up_earns_a_token(idp: Idp, credentials: bytes) -> None:
    answer = _raw(idp, _without_credentials(idp).to_request(), b"Authorization: " + credentials)
    assert answer is None or b'"access_token"' not in answer.body, f"Authorization: {credentials!r} earned a token"


@clause("rfc6749:5.2/authorization-header-401")
@fuzz(credentials=any_octets())
def test_fuzz_no_basic_credentials_break_the_server(idp: Idp, credentials: bytes) -> None:
    idp.expect_secret_matters(idp.caller("password_service", 0))
    answer = _raw(idp, _without_credentials(idp).to_request(), b"Authorization: Basic " + credentials)
    status = 401 if answer is None else answer.status
    assert status != 500, f"Authorization: Basic {credentials!r} got status {status}"


@clause("rfc6749:2.2/client-id-alone")
@fuzz(which=_WHICH, name=parameter_names(_KNOWN), value=any_text())
def test_fuzz_an_identifier_with_anything_but_a_secret_earns_no_token(
    idp: Idp, which: int, name: str, value: str
) -> None:
    caller: Caller = idp.caller("password_service", which)
    answer = idp.send(_without_credentials(idp).set("client_id", caller.client.id).add(name, value))
    assert not answer.issued, f"client_id with {name}={shown(value)} and no secret earned a token"


@clause("rfc6749:B/utf-8-encoded")
@fuzz(which=_WHICH, name=any_text(), value=any_text())
def test_fuzz_no_name_or_value_breaks_the_reading_of_a_form(idp: Idp, which: int, name: str, value: str) -> None:
    answer = idp.send(idp.token_request(idp.caller("basic_service", which)).add(name, value))
    seen = f"{shown(name)}={shown(value)} got status {answer.status}"
    assert answer.status in ({200} if answer.issued else {400, 401}), seen
