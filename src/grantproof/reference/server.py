"""Running the embedded server in the foreground."""

from __future__ import annotations

import contextlib
import gc
import signal
import socket
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from grantproof.errors import GrantproofError

from .app import AuthorizationServer
from .clients import Credentials
from .host import VariantHost, write_profile
from .listener import Listener, PlainDoor, Sniffer
from .profile import write_profile_files
from .tls import TlsFiles, make_tls_files
from .variants import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import FrameType

    from starlette.types import ASGIApp

HOST = "127.0.0.1"
SHUTDOWN_TIMEOUT_S = 2
DOORS = 16
"""How many listening handles share the socket: the event loop accepts one connection of each per turn, and with one
handle a crowd that comes at once under load would wait for seconds."""


def serve(
    port: int = 0,
    faults: Sequence[str] = (),
    oddities: Sequence[str] = (),
    *,
    tls: bool = False,
    issuer: str = "",
    directory: Path | None = None,
    on_ready: Callable[[Path, str], None] | None = None,
) -> None:
    """Serves one authorization server on the loopback interface until SIGTERM or SIGINT.

    `port` 0 takes a free one; `issuer` is the address that clients use where a reverse proxy stands in front, and the
    server's own without one. `on_ready` gets the path of the profile and the server's own address once requests are
    answered. Without a directory a private one is made and removed at the end.

    Raises:
        GrantproofError: A fault or oddity is not known, or the issuer is no http or https URL.
        OSError: The port is taken.
    """
    if issuer:
        _check_issuer(issuer)
    variants = (*faults, *oddities)
    rules = rules_of(variants)
    with _private_directory(directory) as private, _listen(port) as listener:
        credentials = Credentials.load(private)
        files = make_tls_files(private, rules.listener.certificate) if tls else None
        address = f"{'https' if tls else 'http'}://{HOST}:{listener.getsockname()[1]}"
        issuer = issuer or address
        title = f"grantproof reference ({', '.join(variants) or 'lawful'})"
        path = write_profile_files(issuer, credentials, title, private / "embedded.toml", tls=tls)
        app = AuthorizationServer(issuer, credentials, rules)
        _run(app, listener, files, lambda: on_ready(path, address) if on_ready else None, rules.listener)


def serve_variants(port: int, directory: Path, on_ready: Callable[[str], None] | None = None) -> None:
    """Serves every variant, each under its own path, until SIGTERM or SIGINT; `on_ready` gets the base URL.

    The profile of each variant comes from `write_profile(base_url, variant, directory)`, in this process or another.

    Raises:
        OSError: The port is taken.
    """
    with _private_directory(directory) as private, _listen(port) as listener:
        base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        host = VariantHost(base_url, Credentials.load(private))
        _run(host, listener, None, lambda: on_ready(base_url) if on_ready else None)


def _check_issuer(issuer: str) -> None:
    """Source: RFC 8414 section 2: an issuer has neither query nor fragment."""
    parts = urlsplit(issuer)
    if parts.scheme not in {"http", "https"} or not parts.hostname or issuer.endswith("/") or {"?", "#"} & set(issuer):
        hint = "http or https, a host, no query, no fragment, no slash at the end"
        raise GrantproofError(f"{issuer!r} is no issuer for this server", where="--issuer", hint=hint)


@contextlib.contextmanager
def _private_directory(directory: Path | None) -> Generator[Path]:
    """A directory that only its owner can enter."""
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="grantproof-") as made:
            yield Path(made)
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    yield directory


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


class _Foreground(uvicorn.Server):
    """A uvicorn server that says when it is ready, and ends quietly on a signal."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], sniffer: Sniffer | None = None) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._sniffer = sniffer

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._sniffer is not None:
            await self._sniffer.start()
        gc.collect()
        gc.freeze()  # the collections of a server at work need not look at what stays: answers would wait for them
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._sniffer is not None:
            await self._sniffer.stop()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ends the server on SIGTERM and SIGINT, without raising them again afterwards as uvicorn does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        former: dict[signal.Signals, Any] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            former[number] = signal.signal(number, end)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _run(
    app: AuthorizationServer | VariantHost,
    listener: socket.socket,
    files: TlsFiles | None,
    on_ready: Callable[[], None],
    settings: Listener | None = None,
) -> None:
    settings = settings or Listener()
    config = _config(app, files, settings.ciphers)
    if files is None or not settings.sniffs or not isinstance(app, AuthorizationServer):
        _Foreground(config, on_ready).run(sockets=[listener, *(listener.dup() for _ in range(DOORS - 1))])
        return
    with _listen(0) as inner:
        sniffer = Sniffer(listener, inner.getsockname()[1], _config(PlainDoor(app, settings), None))
        _Foreground(config, on_ready, sniffer).run(sockets=[inner])


def _config(app: ASGIApp, files: TlsFiles | None, ciphers: str = "") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        backlog=2048,
        ssl_certfile=files.certificate if files else None,
        ssl_keyfile=files.key if files else None,
        ssl_ciphers=ciphers or None,
    )


__all__ = ["serve", "serve_variants", "write_profile"]
