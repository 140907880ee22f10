"""The connection pool of httpx under one deadline for a whole exchange, whatever trickles in.

httpx bounds each read alone, so a peer that says a little now and then, or interim answers without end, would be
listened to for ever. Its pool takes its sockets from a network backend; the one here looks at the clock at each read.
"""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class BoundedTransport(httpx.HTTPTransport):
    """A pool whose reads end at `deadline`, on the clock `perf_counter`; for one exchange at a time.

    Args:
        verify: how certificates are verified.
        proxy: a proxy's URL; empty for none.
    """

    def __init__(self, verify: ssl.SSLContext | bool, proxy: str) -> None:  # noqa: FBT001 - as httpx has it
        super().__init__(
            verify=verify,
            proxy=proxy or None,
            trust_env=False,
            limits=httpx.Limits(max_connections=10, max_keepalive_connections=10, keepalive_expiry=30),
        )
        self.deadline = float("inf")
        pool: Any = self._pool
        pool._network_backend = _Backend(pool._network_backend, self)  # noqa: SLF001 - httpx hands no backend on


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend, owner: BoundedTransport) -> None:
        self._backend = backend
        self._owner = owner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._owner)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, owner: BoundedTransport) -> None:
        self._stream = stream
        self._owner = owner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if time.perf_counter() > self._owner.deadline:
            raise httpcore.ReadTimeout("the answer does not end")
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._owner)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
