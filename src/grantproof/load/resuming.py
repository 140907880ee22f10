"""TLS connections that are for one request each, by pyOpenSSL: there a session is resumed as it is.

The standard library copies a session each time it is resumed, the server's certificate in it and all, which costs more
than the handshake. The authorities and the flags of verification are those that the standard library would take; names
are compared by OpenSSL, as there. For kept-alive connections the standard library's own objects are the faster ones.
Source: RFC 8446 section 2.2, RFC 5077, RFC 9525.
"""

import errno
import ipaddress
import ssl
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DuplicateExtension
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from grantproof.load.connection import Address, Connection

Session = SSL.Session
_READ_SIZE: Final = 16_384
_TOLD: Final = int(SSL.SENT_SHUTDOWN) | int(SSL.RECEIVED_SHUTDOWN)
_MOST_CERTIFICATES: Final = 16
# What browsers and Go ask for first, but for the hybrid group: it would cost the client 30 µs a handshake.
_CIPHERS: Final = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
_GROUPS: Final = b"X25519:P-256:P-384:P-521"
_WHOLE_LABELS: Final = 4  # OpenSSL's name for it is X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS; the standard library sets it


class Trust:
    """What connections to one host share: whom they trust, what they offer, and certificates that have the host's name.

    Args:
        host: a name or an address.
        ca: a PEM file of authorities to trust instead of the system's.
        flags: how certificates are verified, as the standard library's context says.
    """

    def __init__(self, host: str, ca: Path | None, flags: int) -> None:
        self.context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self.context.set_min_proto_version(SSL.TLS1_2_VERSION)
        self.context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.context.set_alpn_protos([b"http/1.1"])
        self.context.set_verify(SSL.VERIFY_PEER)
        self.context.set_tls13_ciphersuites(_CIPHERS)
        _prefer_groups(self.context)
        system = ssl.get_default_verify_paths()
        places = (str(ca), None) if ca else (system.cafile, system.capath)
        if any(places):
            self.context.load_verify_locations(*places)
        store = self.context.get_cert_store()
        if store is not None:
            store.set_flags(flags)
        self._host, self._is_address = host, is_address(host)
        self.server_name = None if self._is_address else host.encode("idna")
        self._named: set[bytes] = set()
        name = ipaddress.ip_address(host).packed if self.server_name is None else self.server_name
        self._checked_by_openssl = _expect(self.context, name, is_address=self._is_address)

    def check_name(self, tls: SSL.Connection) -> None:
        """Sees to it that a peer's certificate is the host's, where OpenSSL has not done so.

        Raises:
            ssl.SSLError: it is somebody else's, or cannot be read.
        """
        if self._checked_by_openssl:
            return
        try:
            certificate = tls.get_peer_certificate(as_cryptography=True)
        except ValueError:
            raise ssl.SSLError("the certificate cannot be read") from None
        if certificate is None:
            raise ssl.SSLError("no certificate")
        octets = certificate.public_bytes(Encoding.DER)
        if octets in self._named:
            return
        verify = verify_certificate_ip_address if self._is_address else verify_certificate_hostname
        try:
            verify(certificate, self._host)
        except (CertificateError, VerificationError, ValueError, DuplicateExtension):
            raise ssl.SSLError("the certificate is not the host's") from None
        if len(self._named) < _MOST_CERTIFICATES:
            self._named.add(octets)


def _prefer_groups(context: SSL.Context) -> None:
    """Sets the order of key exchange groups; the first has its key made ahead, the others are taken if need be.

    pyOpenSSL has no public way. Where its inner one is gone, or a group is unknown, OpenSSL's own order stays.
    """
    library: Any = getattr(SSL, "_lib", None)
    inner: Any = getattr(context, "_context", None)
    set_groups = getattr(library, "SSL_CTX_set1_curves_list", None)
    if set_groups is not None and inner is not None and not set_groups(inner, _GROUPS):
        library.ERR_clear_error()


def _expect(context: SSL.Context, name: bytes, *, is_address: bool) -> bool:
    """Has OpenSSL compare the host's name, or its packed address, with a certificate's; False where that cannot be.

    pyOpenSSL has no public way. The other one, by service-identity, reads certificates more strictly than OpenSSL does.
    """
    library: Any = getattr(SSL, "_lib", None)
    inner: Any = getattr(context, "_context", None)
    compare = getattr(library, f"X509_VERIFY_PARAM_set1_{'ip' if is_address else 'host'}", None)
    set_flags = getattr(library, "X509_VERIFY_PARAM_set_hostflags", None)
    parameters_of = getattr(library, "SSL_CTX_get0_param", None)
    if inner is None or compare is None or set_flags is None or parameters_of is None:
        return False
    parameters = parameters_of(inner)
    set_flags(parameters, _WHOLE_LABELS)
    return bool(compare(parameters, name, len(name)) == 1)


def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class ResumingConnection(Connection):
    """A connection under TLS that resumes a session without a copy of it. Through memory buffers, as the others."""

    __slots__ = ("_begun", "_resumed", "_tls", "_trust")

    def __init__(self, address: Address, now_s: float, trust: Trust, session: Session | None = None) -> None:
        self._trust, self._begun, self._resumed = trust, False, False
        self._tls = tls = SSL.Connection(trust.context)
        if trust.server_name is not None:
            tls.set_tlsext_host_name(trust.server_name)
        tls.set_connect_state()
        if session is not None:
            tls.set_session(session)
        super().__init__(address, now_s)

    def establish(self) -> bool:
        """Goes on with connecting and the handshake; True when a request can be sent.

        Raises:
            OSError: the connection or the handshake failed; `ssl.SSLError` is one.
        """
        if self._begun:
            data = super().receive()
            if data:
                self._tls.bio_write(data)
            elif data is not None:
                raise ConnectionResetError(errno.ECONNRESET, "closed during the handshake")
        else:
            self._begun = super().establish()
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._push()
            return False
        except SSL.Error as error:
            raise ssl.SSLError(str(error)) from None
        if self.offered and self._tls.get_verified_chain() is None:  # all was verified when the session began
            self._resumed = True
        else:
            self._trust.check_name(self._tls)
        return True  # the handshake's last octets go with the request, which waits already

    @property
    def resumed(self) -> bool:
        """Whether TLS was resumed from an earlier session."""
        return self._resumed

    @property
    def session(self) -> Session | None:
        """The TLS session to resume on the next connection."""
        return self._tls.get_session()

    def send(self, data: bytes) -> bool:
        """Encrypts and sends octets; False while some are left."""
        try:
            self._tls.sendall(data)
        except SSL.Error as error:
            raise ssl.SSLError(str(error)) from None
        return self._push()

    def flush(self) -> bool:
        """Sends what is left; True when nothing is."""
        data, self.left = self.left, b""
        return super().send(data) if data else True

    def receive(self) -> bytes | None:
        """Decrypted octets; None when none have come, empty at the connection's end.

        Raises:
            OSError: the connection is lost, or what came is no TLS.
        """
        data = super().receive()
        if not data:
            return data
        self._tls.bio_write(data)
        pieces: list[bytes] = []
        try:
            while True:
                pieces.append(self._tls.recv(_READ_SIZE))
        except SSL.WantReadError:
            if not pieces:
                self._push()  # perhaps the peer wants a new handshake or new keys, and waits for them
            return b"".join(pieces) or None
        except SSL.ZeroReturnError:
            self.ended = True
            return b"".join(pieces)
        except SSL.Error as error:
            raise ssl.SSLError(str(error)) from None

    def close(self) -> None:
        """Ends it as if the peer had been told: a session whose connection broke off would not be resumed again."""
        self._tls.set_shutdown(_TOLD)
        super().close()

    def _push(self) -> bool:
        data = b""
        try:
            while len(data) % _READ_SIZE == 0:
                data += self._tls.bio_read(_READ_SIZE)
        except SSL.WantReadError:
            pass
        if self.left:
            self.left += data
            return False
        return super().send(data) if data else True
