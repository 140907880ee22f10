"""`make bench`: what the conformance run adds to the exchanges that it makes.

Every check runs once against the embedded server in this process; then the same requests, octet for octet, go bare
through the same httpx transport, one after the other. The ratio of the two times is what checks, fixtures, recording
and pytest add. What pytest adds by itself is told by as many cases of one check that does nothing.
"""

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest

from grantproof import embedded
from grantproof.clauses import content_root
from grantproof.transport.client import Transport
from grantproof.wire.answer import Answer
from grantproof.wire.request import Request

ROUNDS = 3
RULEBOOKS = ("rfc6749", "bcp9700", "oidc", "rfc9068")

NOTHING = """
import pytest
@pytest.fixture
def target():
    return None
@pytest.mark.parametrize("number", range({cases}))
def test_nothing(target, number):
    pass
"""


@contextlib.contextmanager
def captured() -> Generator[list[Request]]:
    """The requests that go over the wire while the context lasts."""
    requests: list[Request] = []
    exchange: Callable[[Transport, Request, int], Answer] = vars(Transport)["_exchange"]

    def keep(transport: Transport, request: Request, limit: int) -> Answer:
        requests.append(request)
        return exchange(transport, request, limit)

    patch = pytest.MonkeyPatch()
    patch.setattr(Transport, "_exchange", keep)
    try:
        yield requests
    finally:
        patch.undo()


def run_suite(profile: Path) -> tuple[float, int]:
    """Seconds of the whole run in this process, and its number of checks."""
    root = content_root("conformance")
    arguments = [str(root), "--idp", str(profile), "--grantproof-report", "none", "-q", "-p", "no:cacheprovider"]
    arguments += ["-p", "no:unraisableexception"]
    arguments += ["-c", "/dev/null", "--rootdir", str(root.parent), "--import-mode=importlib"]
    arguments += [part for name in RULEBOOKS for part in ("--grantproof-rulebook", name)]
    output = io.StringIO()
    began = time.perf_counter()
    with contextlib.redirect_stdout(output):
        pytest.main(arguments)
    seconds = time.perf_counter() - began
    counted = [
        int(word) for word in output.getvalue().strip().splitlines()[-1].replace(",", "").split() if word.isdigit()
    ]
    return seconds, sum(counted)


def replay(requests: list[Request]) -> float:
    """Seconds of the same requests through a bare httpx transport."""
    with httpx.HTTPTransport(trust_env=False) as pool:
        began = time.perf_counter()
        for request in requests:
            headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers]
            sent = httpx.Request(request.method, request.url, headers=headers, content=request.body)
            response = pool.handle_request(sent)
            response.read()
            response.close()
        return time.perf_counter() - began


def run_nothing(cases: int, folder: Path) -> float:
    """Seconds that pytest takes for so many cases of a check with one fixture and nothing in it."""
    module = folder / "test_nothing.py"
    module.write_text(NOTHING.format(cases=cases))
    words = [sys.executable, "-m", "pytest", str(module), "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run([*words, "--rootdir", str(folder)], capture_output=True, text=True, check=True)
    return float(done.stdout.strip().rpartition(" in ")[2].split("s")[0])


def main() -> int:
    """Measures and prints."""
    with embedded.start() as profile, captured() as requests:
        seconds, checks = run_suite(profile)
        sent = list(requests)
        bare = [replay(sent) for _ in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        nothing = run_nothing(checks, Path(folder))
    middle = statistics.median(bare)
    sys.stdout.write(
        f"conformance: {checks:,} checks, {len(sent):,} exchanges, {seconds:.1f} s\n"
        f"the same exchanges bare: {middle:.1f} s (median of {ROUNDS}: {', '.join(f'{each:.1f}' for each in bare)})\n"
        f"ratio: {seconds / middle:.2f}\n"
        f"as many cases with nothing in them: {nothing:.1f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
