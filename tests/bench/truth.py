"""Whether latencies are true: against a server of known delays that stalls, beside other tools.

    python -m tests.bench.truth                      # 200/s and 2,000/s, five rounds of 25 s
    python -m tests.bench.truth --rate 200 --rounds 1

What is true is computed from the schedule: a request that is due while the server stalls waits for the end of the
stall. The server says how late its own timers fired; `miss` is by how much the worst percentile is off beyond one per
cent, or beyond a millisecond over that lateness, whichever is more. Prints a table in Markdown.
"""

import argparse
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.queue_server import Stalling
from tests.bench.site import AUTHORIZATION, BODY, FORM, find_program, write_profile

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
USERS = 50
LOCUST = """
from locust import FastHttpUser, constant_throughput, task
class Tokens(FastHttpUser):
    wait_time = constant_throughput({each})
    @task
    def ask(self):
        fields = {{"Content-Type": "{form}", "Authorization": "{authorization}"}}
        self.client.post("/token", data="{body}", headers=fields)
"""


def truth(rate_per_s: float, seconds: int) -> list[float]:
    """The true percentiles in milliseconds, by the server's own rule."""
    server = Stalling()
    due = [number / rate_per_s for number in range(int(rate_per_s * seconds))]
    waits = sorted(server.end_of(moment) - moment for moment in due)
    return [1000 * waits[_place(len(waits), each)] for each in PERCENTILES]


def _place(number: int, percent: float) -> int:
    """Which of so many, counted from 0, is the percentile: the least that so many per cent do not exceed."""
    return max(1, math.ceil(number * percent / 100)) - 1


def _ours(url: str, rate_per_s: int, seconds: int, folder: Path) -> list[float]:
    profile = write_profile(folder / "profile.toml", url.removesuffix("/token"))
    words = ["-m", "grantproof", "load", "--idp", profile, "--rate", str(rate_per_s), "--duration", f"{seconds}s"]
    words += ["--connections", "4000", "--out", str(folder / "load")]
    subprocess.run([sys.executable, *words], check=False, capture_output=True)
    latency = json.loads((folder / "load" / "load.json").read_text("utf-8"))["latency_s"]
    return [1000 * latency[f"p{each:g}".replace(".", "_")] for each in PERCENTILES]


def _locust(url: str, rate_per_s: int, seconds: int, folder: Path) -> list[float]:
    script = folder / "locustfile.py"
    script.write_text(LOCUST.format(each=rate_per_s / USERS, form=FORM, authorization=AUTHORIZATION, body=BODY))
    words = ["-m", "locust", "-f", str(script), "--headless", "--json", "-u", str(USERS), "-r", str(USERS)]
    words += ["-t", f"{seconds}s", "-H", url.removesuffix("/token")]
    out = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True).stdout
    row = json.loads(out[out.index("[") :])[0]
    times = sorted((float(ms), int(number)) for ms, number in row["response_times"].items())
    return [_nth(times, _place(row["num_requests"], each)) for each in PERCENTILES]


def _nth(times: Sequence[tuple[float, int]], place: int) -> float:
    for ms, number in times:
        place -= number
        if place < 0:
            return ms
    return times[-1][0]


def _hey(url: str, rate_per_s: int, seconds: int, _: Path) -> list[float]:
    program = find_program("hey") or "hey"
    words = ["-z", f"{seconds}s", "-c", str(USERS), "-q", str(rate_per_s / USERS), "-m", "POST", "-T", FORM, "-d", BODY]
    words += ["-H", f"Authorization: {AUTHORIZATION}", "-o", "csv", url]
    out = subprocess.run([program, *words], check=False, capture_output=True, text=True).stdout
    times = sorted(1000 * float(line.split(",")[0]) for line in out.splitlines() if re.match(r"^\d", line))
    return [times[_place(len(times), each)] for each in PERCENTILES]


def _autocannon(url: str, rate_per_s: int, seconds: int, _: Path) -> list[float]:
    words = ["-c", str(USERS), "-R", str(rate_per_s), "-d", str(seconds), "-m", "POST", "-b", BODY, "--json", "-n"]
    words += ["-H", f"Authorization={AUTHORIZATION}", "-H", f"Content-Type={FORM}", url]
    program = find_program("autocannon") or "autocannon"
    latency = json.loads(subprocess.run([program, *words], check=False, capture_output=True).stdout)["latency"]
    return [float(latency[f"p{each:g}".replace(".", "_")]) for each in PERCENTILES]


TOOLS: dict[str, Callable[[str, int, int, Path], list[float]]] = {
    "grantproof load": _ours,
    "Locust FastHttpUser, constant_throughput": _locust,
    "hey -q": _hey,
    "autocannon -R": _autocannon,
}


@contextmanager
def server() -> Generator[str]:
    """A fresh server; gives the URL of its token endpoint."""
    words = [sys.executable, "-m", "tests.bench.queue_server", "0", "0", "stalling"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/token"
        finally:
            process.terminate()


def lateness(url: str) -> list[float]:
    """By how many milliseconds the server's timers were late, at the percentiles."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        late: list[float] = json.load(answer)
    return [1000 * late[_place(len(late), each)] for each in PERCENTILES]


def miss(found: Sequence[float], true: Sequence[float], late: Sequence[float]) -> float:
    """By how many milliseconds the worst percentile is off, beyond what is allowed."""
    rows = zip(found, true, late, strict=True)
    return max(max(0.0, abs(own - right) - max(0.01 * right, 1.0 + timers)) for own, right, timers in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=25)
    options = parser.parse_args(arguments)
    absent = [each for each in ("hey", "autocannon") if not find_program(each)]
    tools = {name: tool for name, tool in TOOLS.items() if name.split()[0] not in absent}
    for rate in options.rate or (200, 2000):
        true = truth(rate, options.seconds)
        found: dict[str, list[list[float]]] = {name: [] for name in tools}
        late: dict[str, list[list[float]]] = {name: [] for name in tools}
        for _ in range(options.rounds):
            for name, tool in tools.items():
                with server() as url, tempfile.TemporaryDirectory() as folder:
                    found[name].append(tool(url, rate, options.seconds, Path(folder)))
                    late[name].append(lateness(url))
        head = " | ".join(f"p{each:g} ms" for each in PERCENTILES)
        lines = [f"### {rate:,}/s", "", f"| | {head} | miss ms |", "| --- |" + " --- |" * (len(PERCENTILES) + 1)]
        lines.append(_row("the truth", true, 0.0))
        for name, rounds in found.items():
            middle, timers = _middle(rounds), _middle(late[name])
            lines.append(_row(name, middle, miss(middle, true, timers)))
            told = ", ".join(f"{each:.1f}" for each in timers)
            sys.stderr.write(f"{name}: the server's timers were late by {told} ms\n")
        sys.stdout.write("\n".join(lines) + "\n\n")
        sys.stdout.flush()
    return 0


def _middle(rounds: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(each) for each in zip(*rounds, strict=True)]


def _row(name: str, figures: Sequence[float], off: float) -> str:
    return f"| {name} | " + " | ".join(f"{each:,.1f}" for each in figures) + f" | {off:,.1f} |"


if __name__ == "__main__":
    sys.exit(main())
