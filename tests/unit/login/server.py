"""A tiny web server on loopback that answers as a test says and remembers what it heard."""

import base64
import contextlib
import ssl
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from grantproof.reference.tls import TlsFiles


@dataclass(frozen=True)
class Heard:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    body: str
    cookie: str
    basic: str = ""
    """Identifier and secret of HTTP Basic, decoded."""
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Reply:
    """One answer; HTML unless a header says otherwise."""

    body: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def redirect(location: str, status: int = 302, *headers: tuple[str, str]) -> Reply:
    """A redirect."""
    return Reply("", status, (("Location", location), *headers))


def _nothing(_heard: Heard) -> Reply:
    return Reply("<title>Nothing</title>", 404)


def _decoded(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    return base64.b64decode(credentials).decode("utf-8") if scheme == "Basic" else ""


Pages = dict[str, Callable[[Heard], Reply]]


@dataclass
class Site:
    """A running server: its origin, and every request that reached it."""

    origin: str
    heard: list[Heard] = field(default_factory=list[Heard])

    def sent(self, path: str) -> Heard:
        """The last request to a path."""
        return next(each for each in reversed(self.heard) if each.path == path)

    @property
    def paths(self) -> list[str]:
        """Method and path of each request."""
        return [f"{each.method} {each.path}" for each in self.heard]


@contextlib.contextmanager
def serve(pages: Pages, tls: "TlsFiles | None" = None) -> Generator[Site]:
    """Serves these pages by their path, any other is 404; over TLS with the certificate of these files."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
            heard = Heard(
                self.command,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                parse_qs(body, keep_blank_values=True) if is_form else {},
                body,
                self.headers.get("Cookie", ""),
                _decoded(self.headers.get("Authorization", "")),
                {name.lower(): value for name, value in self.headers.items()},
            )
            site.heard.append(heard)
            reply = pages.get(parts.path, _nothing)(heard)
            content = reply.body.encode()
            self.send_response(reply.status)
            headers = dict(reply.headers)
            headers.setdefault("Content-Type", "text/html; charset=utf-8")
            for name, value in [*headers.items(), ("Content-Length", str(len(content)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site = Site(f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
