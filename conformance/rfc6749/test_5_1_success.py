"""RFC 6749 section 5.1: the successful token answer."""

from grantproof.checks import Caller, Idp, Inconclusive, NotOffered, TokenAnswer, clause, control
from grantproof.wire.grammar import scope_set


@clause("rfc6749:5.1/status-200")
@control
def test_success_has_status_200(idp: Idp, service: Caller) -> None:
    answer = _plain(idp, service)
    if not answer.issued:
        raise Inconclusive("no token came back, so that there is no success whose status could be judged")
    assert answer.status == 200


@clause("rfc6749:5.1/json-object")
@control
def test_body_is_one_json_object(idp: Idp, service: Caller) -> None:
    members = _plain(idp, service).members
    assert "access_token" in members, f"the members are {', '.join(members)}"


@clause("rfc6749:5.1/content-type")
def test_body_is_labelled_json(idp: Idp, service: Caller) -> None:
    assert idp.token(service).headers.media_type == "application/json"


@clause("rfc6749:5.1/access-token")
@control
def test_access_token_is_a_string(idp: Idp, service: Caller) -> None:
    assert _plain(idp, service).access_token


@clause("rfc6749:5.1/token-type")
def test_token_type_is_a_string(idp: Idp, service: Caller) -> None:
    token_type = idp.token(service).members.get("token_type")
    assert isinstance(token_type, str), f"token_type is {type(token_type).__name__}"
    assert token_type


@clause("rfc6749:5.1/expires-in")
def test_lifetime_is_told(idp: Idp, service: Caller) -> None:
    lifetime = idp.token(service).members.get("expires_in")
    assert lifetime is not None
    assert not _is_number(lifetime) or lifetime > 0


@clause("rfc6749:5.1/expires-in-number")
def test_lifetime_is_a_number(idp: Idp, service: Caller) -> None:
    members = idp.token(service).members
    if "expires_in" not in members:
        raise NotOffered("the answer has no expires_in")
    assert _is_number(members["expires_in"]), f"expires_in is {type(members['expires_in']).__name__}"


@clause("rfc6749:5.1/json-strings")
def test_texts_are_strings(idp: Idp, service: Caller) -> None:
    members = idp.token(service).members
    texts = {
        name: members[name] for name in ("access_token", "token_type", "refresh_token", "scope") if name in members
    }
    assert not [name for name, value in texts.items() if not isinstance(value, str)]


@clause("rfc6749:5.1/json-strings")
def test_default_scope_is_a_string(idp: Idp, service: Caller) -> None:
    scope = _served(idp, service, scope=None).members.get("scope")
    assert scope is None or isinstance(scope, str)


@clause("rfc6749:5.1/no-store")
def test_answer_is_not_stored(idp: Idp, service: Caller) -> None:
    assert "no-store" in idp.token(service).headers.directives("cache-control")


@clause("rfc6749:5.1/no-store")
def test_answer_without_a_requested_scope_is_not_stored(idp: Idp, service: Caller) -> None:
    answer = _served(idp, service, scope=None)
    assert "no-store" in answer.headers.directives("cache-control")


@clause("rfc6749:5.1/pragma")
def test_answer_has_pragma_no_cache(idp: Idp, service: Caller) -> None:
    assert "no-cache" in idp.token(service).headers.directives("pragma")


@clause("rfc6749:5.1/pragma")
def test_answer_without_a_requested_scope_has_pragma_no_cache(idp: Idp, service: Caller) -> None:
    assert "no-cache" in _served(idp, service, scope=None).headers.directives("pragma")


@clause("rfc6749:5.1/scope-when-identical")
def test_identical_scope_may_be_named(idp: Idp, service: Caller) -> None:
    if not service.client.scopes:
        raise NotOffered(f"the client {service.client.name} has no scope to ask for")
    assert "scope" in idp.token(service).members


@clause("rfc6749:5.1/scope-when-different")
def test_narrowed_scope_is_named(idp: Idp, service: Caller) -> None:
    every = {scope for client in idp.profile.clients.values() for scope in client.scopes}
    _expect_named_scope(idp, service, sorted(every))


@clause("rfc6749:5.1/scope-when-different")
def test_scope_without_its_unknown_part_is_named(idp: Idp, service: Caller) -> None:
    _expect_named_scope(idp, service, [*service.client.scopes, "unheard-of-7f3a"])


@clause("rfc6749:5.1/scope-when-different")
def test_nothing_of_an_unknown_scope_is_not_passed_over(idp: Idp, service: Caller) -> None:
    _expect_named_scope(idp, service, ["unheard-of-7f3a"])


@clause("rfc6749:5.1/scope-when-different")
def test_scope_of_the_token_is_what_the_answer_names(idp: Idp, service: Caller) -> None:
    _expect_named_scope(idp, service, service.client.scopes[:1])


def _expect_named_scope(idp: Idp, caller: Caller, scopes: "list[str] | tuple[str, ...]") -> None:
    """Fails unless the token's scope is the one that the answer names, or the requested one where it names none."""
    if not scopes:
        raise NotOffered("no client in the profile has a scope to ask for")
    answer = _served(idp, caller, scope=" ".join(scopes))
    actual = idp.scope_of(answer.access_token)
    if actual is None:
        raise NotOffered("nothing says which scope the token has")
    named = answer.members.get("scope", " ".join(scopes))
    assert scope_set(str(named)) == actual, "the token has another scope than the answer says"


def _plain(idp: Idp, caller: Caller) -> TokenAnswer:
    """The answer to the plain request; where it is a refusal, the client is in doubt and nothing is judged."""
    answer = idp.token(caller)
    if answer.error is not None or answer.status >= 400:
        idp.prove(caller)
    return answer


def _served(idp: Idp, caller: Caller, **changes: str | None) -> TokenAnswer:
    answer = idp.token(caller, **changes)
    if not answer.issued:
        raise NotOffered(f"the server refuses this request with {answer.error}")
    return answer


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
