"""Faults of the published documents (RFC 8414, RFC 9068 section 4)."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call

Document = dict[str, Any]
OAUTH = by_endpoint("metadata")
OPENID = by_endpoint("openid_metadata")
ALGORITHMS = "{}_endpoint_auth_signing_alg_values_supported"


def _changed(
    rules: Rules, change: Callable[[Document], Document], where: Callable[[Call], bool] = lambda _call: True
) -> Rules:
    """The rules with the documents, or one of them, changed."""
    changed = when(where, lambda call: change(rules.metadata_document(call)), rules.metadata_document)
    return rules | Rules(metadata_document=changed)


def _without(*names: str) -> Callable[[Document], Document]:
    return lambda document: {name: value for name, value in document.items() if name not in names}


def _with(**members: Any) -> Callable[[Document], Document]:
    return lambda document: document | members


def _mapped(name: str, change: Callable[[Any], Any]) -> Callable[[Document], Document]:
    return lambda document: document | {name: change(document[name])}


@fault("metadata_issuer_with_query", "rfc8414:2/issuer-https-url", "plain", "The issuer has a query.")
def metadata_issuer_with_query(rules: Rules) -> Rules:
    """Both documents have it."""
    return _changed(rules, _mapped("issuer", lambda issuer: f"{issuer}?tenant=1"))


@fault("metadata_issuer_with_fragment", "rfc8414:2/issuer-https-url", "partial", "One issuer ends with a hash.")
def metadata_issuer_with_fragment(rules: Rules) -> Rules:
    """An empty fragment is one."""
    return _changed(rules, _mapped("issuer", lambda issuer: f"{issuer}#"), OPENID)


@fault("metadata_without_issuer", "rfc8414:2/issuer-https-url", "partial", "The OAuth document has no issuer.")
def metadata_without_issuer(rules: Rules) -> Rules:
    """The other one has it."""
    return _changed(rules, _without("issuer"), OAUTH)


def _declare_missing(member: str, clause: str) -> None:
    @fault(f"metadata_without_{member}", clause, "plain", f"The documents have no {member}.")
    def everywhere(rules: Rules) -> Rules:
        return _changed(rules, _without(member))

    @fault(f"metadata_without_{member}_in_oauth", clause, "partial", f"The OAuth document has no {member}.")
    def in_one(rules: Rules) -> Rules:
        return _changed(rules, _without(member), OAUTH)

    del everywhere, in_one


_declare_missing("authorization_endpoint", "rfc8414:2/authorization-endpoint-listed")
_declare_missing("token_endpoint", "rfc8414:2/token-endpoint-listed")
_declare_missing("response_types_supported", "rfc8414:2/response-types-supported-listed")
_declare_missing("scopes_supported", "rfc8414:2/scopes-supported-listed")


@fault("metadata_response_types_as_text", "rfc8414:2/response-types-supported-listed", "partial", "No array, a string.")
def metadata_response_types_as_text(rules: Rules) -> Rules:
    """The types are joined by commas."""
    return _changed(rules, _mapped("response_types_supported", ",".join))


@fault("metadata_without_plain_token", "rfc8414:2/response-types-supported-listed", "partial", "One type is missing.")
def metadata_without_plain_token(rules: Rules) -> Rules:
    """The type token works and is not listed."""
    return _changed(
        rules, _mapped("response_types_supported", lambda kinds: [each for each in kinds if each != "token"])
    )


def _with_encryption_key(call: Call, *, unnamed: int) -> Document:
    """The key set with a key for encryption; the first few others lose their use."""
    keys = [dict(key) for key in call.server.keys.public.values()]
    extra = {**keys[0], "use": "enc", "kid": "encryption", "alg": "RSA-OAEP"}
    for key in keys[:unnamed]:
        del key["use"]
    return {"keys": [*keys, extra]}


@fault("metadata_keys_without_use", "rfc8414:2/jwks-use-on-every-key", "plain", "Signing keys have no use.")
def metadata_keys_without_use(rules: Rules) -> Rules:
    """Only the key for encryption has one."""
    return rules | Rules(jwks_document=lambda call: _with_encryption_key(call, unnamed=9))


@fault(
    "metadata_one_key_without_use", "rfc8414:2/jwks-use-on-every-key", "partial", "One key of a mixed set has no use."
)
def metadata_one_key_without_use(rules: Rules) -> Rules:
    """The others have one."""
    return rules | Rules(jwks_document=lambda call: _with_encryption_key(call, unnamed=1))


def _declare_algorithms(endpoint: str, kind: str) -> None:
    member = ALGORITHMS.format(endpoint)

    @fault(f"metadata_without_{endpoint}_algorithms", "rfc8414:2/auth-signing-algs-listed", kind, f"No {member}.")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - one of the two kinds
    def missing(rules: Rules) -> Rules:
        return _changed(rules, _without(member))

    @fault(f"metadata_none_for_{endpoint}", "rfc8414:2/auth-signing-algs-without-none", kind, f"none is in {member}.")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as above
    def none(rules: Rules) -> Rules:
        return _changed(rules, _mapped(member, lambda algorithms: [*algorithms, "none"]))

    del missing, none


for _endpoint, _kind in (("token", "plain"), ("introspection", "partial"), ("revocation", "partial")):
    _declare_algorithms(_endpoint, _kind)


@fault("metadata_without_rs256", "rfc8414:2/auth-signing-algs-rs256", "plain", "RS256 is not offered for assertions.")
def metadata_without_rs256(rules: Rules) -> Rules:
    """Only a newer algorithm is listed."""
    return _changed(rules, _with(**{ALGORITHMS.format("token"): ["ES256", "HS256"]}))


def _declare_dead_address(member: str) -> None:
    @fault(f"metadata_dead_{member}", "rfc8414:2/advertised-features-work", "partial", f"Nothing is at {member}.")
    def dead(rules: Rules) -> Rules:
        return _changed(rules, _mapped(member, lambda url: f"{url}/gone"))

    del dead


for _member in ("authorization_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
    _declare_dead_address(_member)


@fault("metadata_lists_a_method_in_vain", "rfc8414:2/advertised-features-work", "plain", "A listed method is refused.")
def metadata_lists_a_method_in_vain(rules: Rules) -> Rules:
    """Secrets in the body are advertised and never taken, while the same client's header is."""
    body = when(by_method("client_secret_post"), lambda _call, _client, _attempt: False, rules.proves_client)
    return rules | Rules(proves_client=body)


@fault(
    "metadata_lists_a_method_in_vain_elsewhere", "rfc8414:2/advertised-features-work", "partial", "One method fails."
)
def metadata_lists_a_method_in_vain_elsewhere(rules: Rules) -> Rules:
    """The revocation endpoint takes no secret in the body although it says so."""
    body = when(by_method("client_secret_post"), lambda _call, _client, _attempt: False, rules.proves_client)
    return rules | Rules(proves_client=when(by_endpoint("revocation"), body, rules.proves_client))


@fault("metadata_lists_a_grant_in_vain", "rfc8414:2/advertised-features-work", "partial", "A listed grant is refused.")
def metadata_lists_a_grant_in_vain(rules: Rules) -> Rules:
    """Client credentials are advertised and allowed to nobody."""
    return rules | Rules(client_may_use_grant=lambda _call, _client, _grant: False)


@fault("metadata_lists_a_type_in_vain", "rfc8414:2/advertised-features-work", "partial", "A listed type is refused.")
def metadata_lists_a_type_in_vain(rules: Rules) -> Rules:
    """The composite response type is advertised and not known."""
    return rules | Rules(
        response_type_known=lambda call, words: len(words) < 2 and rules.response_type_known(call, words)
    )


@fault("metadata_lists_a_scope_in_vain", "rfc8414:2/advertised-features-work", "partial", "A listed scope is unknown.")
def metadata_lists_a_scope_in_vain(rules: Rules) -> Rules:
    """The last scope of the list is granted to nobody."""

    def granted(call: Call, client: Any, requested: tuple[str, ...]) -> tuple[str, ...] | None:
        return rules.granted_scope(
            call, client, tuple(each for each in requested if each != rules.supported_scopes(call)[-1])
        )

    return rules | Rules(granted_scope=granted)


@fault("metadata_appended", "rfc8414:3/well-known-location", "plain", "The well-known string is appended.")
def metadata_appended(rules: Rules) -> Rules:
    """The OAuth document is found where OpenID Connect would have it."""
    return rules | Rules(metadata_status=lambda call: 404 if call.endpoint == "metadata" else 200)


@fault("metadata_gone_after_the_first", "rfc8414:3/well-known-location", "partial", "The right place is used up.")
def metadata_gone_after_the_first(rules: Rules) -> Rules:
    """After one request the document moves to the wrong place."""
    return rules | Rules(metadata_status=lambda call: 404 if call.endpoint == "metadata" and call.earlier else 200)


@fault("metadata_called_text", "rfc8414:3.2/json-document", "plain", "The documents are called text.")
def metadata_called_text(rules: Rules) -> Rules:
    """The content is JSON."""
    documents = by_endpoint("metadata", "openid_metadata")
    return rules | Rules(json_content_type=when(documents, lambda _call: "text/plain", rules.json_content_type))


@fault("metadata_called_binary_in_oauth", "rfc8414:3.2/json-document", "partial", "One document has the wrong type.")
def metadata_called_binary_in_oauth(rules: Rules) -> Rules:
    """A file without an ending is served as octets."""
    return rules | Rules(
        json_content_type=when(OAUTH, lambda _call: "application/octet-stream", rules.json_content_type)
    )


def _rewritten(rules: Rules, change: Callable[[Answer], Answer]) -> Rules:
    def finish(call: Call, answer: Answer) -> Answer:
        return rules.finish(call, change(answer))

    return rules | Rules(finish=when(OAUTH, finish, rules.finish))


@fault("metadata_in_a_list", "rfc8414:3.2/json-document", "partial", "The OAuth document is a list of one object.")
def metadata_in_a_list(rules: Rules) -> Rules:
    """The other document is right."""

    def wrap(answer: Answer) -> Answer:
        answer.body = b"[" + answer.body + b"]"
        return answer

    return _rewritten(rules, wrap)


@fault("metadata_with_status_203", "rfc8414:3.2/json-document", "partial", "The OAuth document has status 203.")
def metadata_with_status_203(rules: Rules) -> Rules:
    """As if a proxy had changed it."""

    def change(answer: Answer) -> Answer:
        answer.status = 203
        return answer

    return _rewritten(rules, change)


@fault("metadata_with_a_member_twice", "rfc8414:3.2/json-document", "partial", "One member stands twice.")
def metadata_with_a_member_twice(rules: Rules) -> Rules:
    """Readers disagree about which one counts."""

    def change(answer: Answer) -> Answer:
        issuer = json.dumps(json.loads(answer.body)["issuer"]).encode()
        answer.body = b'{"issuer": ' + issuer + b"," + answer.body.lstrip()[1:]
        return answer

    return _rewritten(rules, change)


@fault("metadata_with_empty_list", "rfc8414:3.2/empty-members-left-out", "plain", "A list without entries is sent.")
def metadata_with_empty_list(rules: Rules) -> Rules:
    """Nothing is supported, and that is said."""
    return _changed(rules, _with(ui_locales_supported=[], code_challenge_methods_supported=[]))


@fault("metadata_with_empty_list_in_oauth", "rfc8414:3.2/empty-members-left-out", "partial", "One empty list is sent.")
def metadata_with_empty_list_in_oauth(rules: Rules) -> Rules:
    """Only one document has it."""
    return _changed(rules, _with(service_documentation_languages=[]), OAUTH)


@fault("metadata_of_another_issuer", "rfc8414:3.3/issuer-identical", "plain", "The issuer is somebody else.")
def metadata_of_another_issuer(rules: Rules) -> Rules:
    """The name of an inner host is published."""
    return _changed(rules, _with(issuer="http://localhost:8080"))


@fault("metadata_issuer_with_slash", "rfc8414:3.3/issuer-identical", "partial", "A slash makes another issuer.")
def metadata_issuer_with_slash(rules: Rules) -> Rules:
    """One document has a slash at the end."""
    return _changed(rules, _mapped("issuer", lambda issuer: f"{issuer}/"), OAUTH)


@fault("metadata_issuer_in_other_case", "rfc8414:3.3/issuer-identical", "partial", "Capitals make another issuer.")
def metadata_issuer_in_other_case(rules: Rules) -> Rules:
    """The scheme is written in capitals."""
    return _changed(rules, _mapped("issuer", lambda issuer: issuer.replace("http", "HTTP", 1)), OPENID)


@fault("metadata_documents_disagree_on_issuer", "rfc9068:4/metadata-documents-agree", "plain", "Two issuers.")
def metadata_documents_disagree_on_issuer(rules: Rules) -> Rules:
    """Each document has its own."""
    return _changed(rules, _mapped("issuer", lambda issuer: f"{issuer}/oidc"), OPENID)


@fault("metadata_documents_disagree_on_keys", "rfc9068:4/metadata-documents-agree", "partial", "Two key sets.")
def metadata_documents_disagree_on_keys(rules: Rules) -> Rules:
    """Each document has its own address."""
    return _changed(rules, _mapped("jwks_uri", lambda url: f"{url}?set=oidc"), OPENID)


def _in_the_clear(rules: Rules, member: str, *, everywhere: bool) -> Rules:
    def document(call: Call) -> Document:
        members = rules.metadata_document(call)
        if everywhere or call.endpoint == "openid_metadata":
            members = {**members, member: str(members[member]).replace("https:", "http:", 1)}
        return members

    return rules | Rules(metadata_document=document)


for _member, _clause in (
    ("jwks_uri", "rfc8414:2/jwks-uri-https"),
    ("revocation_endpoint", "rfc7009:2/tls"),
    ("introspection_endpoint", "rfc7662:2/transport-security"),
):
    fault(f"{_member}_in_the_clear", _clause, "plain", "Its address is published with http.")(
        partial(_in_the_clear, member=_member, everywhere=True)
    )
    fault(f"{_member}_in_the_clear_once", _clause, "partial", "One of the two documents has it with http.")(
        partial(_in_the_clear, member=_member, everywhere=False)
    )
