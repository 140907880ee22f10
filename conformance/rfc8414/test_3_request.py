"""RFC 8414 sections 3 and 6.1: where the metadata is found, and in what shape."""

from urllib.parse import urlsplit

from grantproof.checks import Answer, Idp, NotOffered, Request, clause

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@clause("rfc8414:3/well-known-location")
def test_document_is_where_the_well_known_string_is_inserted(idp: Idp) -> None:
    parts = urlsplit(_issuer(idp))
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    found = _get(idp, f"{host}{WELL_KNOWN}{path}")
    if found.status != 200 and (not path or _get(idp, f"{host}{path}{WELL_KNOWN}").status != 200):
        raise NotOffered("there is no document of RFC 8414, only one of OpenID Connect Discovery")
    if found.status == 200 and not isinstance(found.get("issuer"), str):
        raise NotOffered("what stands there is no metadata document, which other clauses judge")
    assert found.status == 200, "the well-known string is appended to the issuer instead"


@clause("rfc8414:3/well-known-https")
def test_well_known_location_is_https(idp: Idp) -> None:
    assert all(urlsplit(answer.url).scheme == "https" for answer in _documents(idp))


@clause("rfc8414:6.1/tls-1-2")
def test_document_comes_over_tls_1_2_or_newer(idp: Idp) -> None:
    # The transport's context offers 1.2 and newer only, so that any answer shows it.
    https = [answer for answer in _documents(idp) if urlsplit(answer.url).scheme == "https"]
    assert https, "no document came over TLS"


@clause("rfc8414:3.2/json-document")
def test_document_is_a_json_object_with_status_200(idp: Idp) -> None:
    for answer in _documents(idp):
        assert answer.status == 200
        assert answer.members


@clause("rfc8414:3.2/json-document")
def test_document_is_called_json(idp: Idp) -> None:
    for answer in _documents(idp):
        assert answer.headers.media_type == "application/json"


@clause("rfc8414:3.2/json-document")
def test_document_names_each_member_once(idp: Idp) -> None:
    for answer in _documents(idp):
        assert not answer.repeated_members


@clause("rfc8414:3.2/empty-members-left-out")
def test_no_list_is_empty(idp: Idp) -> None:
    for answer in _documents(idp):
        empty = sorted(name for name, value in answer.members.items() if value == [])
        assert not empty, f"empty: {', '.join(empty)}"


@clause("rfc8414:3.3/issuer-identical")
def test_issuer_is_the_one_that_was_asked(idp: Idp) -> None:
    issuer = _issuer(idp)
    for answer in _documents(idp):
        found = answer.members.get("issuer")
        assert found == issuer, "the document names another issuer than the profile"


def _issuer(idp: Idp) -> str:
    if not idp.profile.target.issuer:
        raise NotOffered("the profile names no issuer")
    return idp.profile.target.issuer


def _get(idp: Idp, url: str) -> Answer:
    return idp.exchange(Request("GET", url, (("Accept", "application/json"),)))


def _documents(idp: Idp) -> list[Answer]:
    """Every document with a successful status, which need not be the right one."""
    found = [answer for answer in idp.documents if 200 <= answer.status < 300]
    if not found:
        raise NotOffered("no metadata document was found")
    return found
