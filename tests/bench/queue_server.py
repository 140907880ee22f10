"""A token endpoint of known capacity: some workers behind one queue, service by timers and not by computing.

    python -m tests.bench.queue_server WORKERS SERVICE_S fixed|exponential
    python -m tests.bench.queue_server 0 0 stalling         # any number at once, each 2 to 8 ms, and regular stalls

Prints its port. A GET is told, sorted, by how many seconds its timers have fired late. When each service ends is
computed from when the former one should have ended, so a timer that fires late delays an answer but costs no capacity.
Short waits go through `select` on the epoll descriptor, because its time-outs are finer than a millisecond.
"""

import asyncio
import heapq
import json
import random
import select
import selectors
import sys
from collections.abc import Callable
from itertools import count
from typing import cast

_FINE_S = 0.004
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_BODY = b'{"access_token":"t%d","token_type":"Bearer","expires_in":60}'


class FineSelector(selectors.EpollSelector):
    """epoll for any number of connections, to a fraction of a millisecond."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if timeout >= _FINE_S:
            return super().select(timeout - _FINE_S / 2)
        ready, _, _ = select.select((self.fileno(),), (), (), timeout)
        return super().select(0) if ready else []


class Workers:
    """First come, first served."""

    def __init__(self, number: int, service: Callable[[], float]) -> None:
        self._free = [0.0] * number
        self._service = service

    def end_of(self, arrived_s: float) -> float:
        """When a request that arrives now is done."""
        ended = max(heapq.heappop(self._free), arrived_s) + self._service()
        heapq.heappush(self._free, ended)
        return ended


class Stalling:
    """Serves any number at once, each in 2 to 8 ms by its turn, but nothing while it stalls.

    Times count from the first request: from `FIRST_STALL_S` on, for `STALL_S` in every `CYCLE_S`.
    """

    FIRST_STALL_S, STALL_S, CYCLE_S = 4.0, 1.0, 25.0

    def __init__(self) -> None:
        self._began: float | None = None
        self._turn = 0

    def end_of(self, arrived_s: float) -> float:
        """When a request that arrives now is done."""
        if self._began is None:
            self._began = arrived_s
        since = arrived_s - self._began
        stalled = (since - self.FIRST_STALL_S) % self.CYCLE_S if since >= self.FIRST_STALL_S else self.CYCLE_S
        wait = max(0.0, self.STALL_S - stalled)
        self._turn += 1
        return arrived_s + wait + 0.002 + 0.006 * (self._turn * 0.6180339887 % 1)


class Endpoint(asyncio.Protocol):
    """Answers each request on a connection when the workers are done with it."""

    def __init__(self, workers: Workers | Stalling, numbers: "count[int]", late: list[float]) -> None:
        self._workers, self._numbers, self._late = workers, numbers, late
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes whole requests."""
        self._left += data
        head, found, rest = self._left.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET "):
            self._write(json.dumps(sorted(self._late)).encode())
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) >= length:
            self._left = rest[length:]
            end = self._workers.end_of(self._loop.time())
            self._loop.call_at(end, self._answer, end)

    def _answer(self, end: float) -> None:
        self._late.append(self._loop.time() - end)
        self._write(_BODY % next(self._numbers))

    def _write(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD % (len(body), body))


async def serve(workers: int, service_s: float, kind: str) -> None:
    """Serves until it is ended."""
    dice = random.Random(7)
    service = (lambda: dice.expovariate(1 / service_s)) if kind == "exponential" else lambda: service_s
    made = Stalling() if kind == "stalling" else Workers(workers, service)
    numbers = count(1)
    late: list[float] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: Endpoint(made, numbers, late), "127.0.0.1", 0, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Runs it."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(FineSelector())) as runner:
        runner.run(serve(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))


if __name__ == "__main__":
    main()
