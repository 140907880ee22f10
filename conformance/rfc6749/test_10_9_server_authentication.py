"""RFC 6749 section 10.9: the server proves by TLS who it is."""

import ssl

import pytest

from grantproof.checks import Idp, NotOffered, clause

ENDPOINTS = ("issuer", "authorization", "token", "introspection", "revocation", "jwks")
WEAK = {
    "no-authentication": "aNULL:!eNULL:@SECLEVEL=0",
    "no-encryption": "eNULL:!aNULL:@SECLEVEL=0",
    "neither": "aNULL+eNULL:@SECLEVEL=0",
}


def _address(idp: Idp, name: str) -> str:
    """The address of an endpoint."""
    if name != "issuer":
        return idp.endpoint(name)
    if not idp.issuer:
        raise NotOffered("no issuer is known")
    return idp.issuer


@clause("rfc6749:10.9/server-authentication", "rfc6819:5.1.2/server-certificate")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_certificate_is_valid_for_the_host(idp: Idp, name: str) -> None:
    url = _address(idp, name)
    assert url.startswith("https:"), f"the address is plain http: {name}"
    handshake = idp.shake_hands(url)
    assert handshake.agreed, f"the handshake failed: {handshake.problem}"


@clause("rfc6750:5.2/cipher-suites")
@pytest.mark.parametrize("lack", WEAK)
@pytest.mark.parametrize("name", ["issuer", "token"])
def test_cipher_suite_without_protection_is_not_agreed_on(idp: Idp, name: str, lack: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.set_ciphers(WEAK[lack])
    except ssl.SSLError:
        raise NotOffered("the tester's own TLS library has no such cipher suite") from None
    url = _address(idp, name)
    assert url.startswith("https:"), f"the address is plain http: {name}"
    handshake = idp.shake_hands(url, context)
    assert not handshake.agreed, f"the server agreed to {handshake.cipher}"
