"""Whether a request's cost stays what it is: over connections, over workers, over time.

    python -m tests.bench.scale                    # five rounds of each step, then a soak of two minutes
    python -m tests.bench.scale --rounds 1 --soak 30

The generator is on one core, with all its workers; nginx has the other one. Costs are marginal, as in `cost`. The soak
sends at a rate and looks at the memory of all its processes once a second; the slope is that of the second half.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.cost import Tool, marginal_us, wrk, wrk_count
from tests.bench.site import Site, nginx, write_profile

CONNECTIONS = (10, 100, 500, 2000)
WORKERS = (1, 2)
SOAK_PER_S = 5000
_OF_THE_HOUR = 3600


def load(name: str, *options: str) -> Tool:
    """A closed loop of ours with these options."""

    def command(site: Site, mode: str, seconds: int) -> list[str]:
        words = ["-m", "grantproof", "load", "--idp", site.profile(mode), "--duration", f"{seconds}s"]
        return [sys.executable, *words, *options, "--out", str(site.folder / "scale")]

    def count(text: str) -> int:
        told = next(line for line in text.splitlines() if " ok " in f" {line.strip()} ")
        words = told.split()
        return int(words[words.index("ok") + 1].replace(",", ""))

    return Tool(name, "", command, count)


def steps(site: Site, tools: Sequence[Tool], rounds: int, title: str) -> None:
    """Measures each tool by turns and prints the table; the ratio is to the first one's."""
    found: dict[str, list[float]] = {tool.name: [] for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            found[tool.name].append(marginal_us(tool, site, "keep-alive"))
    first = found[tools[0].name]
    lines = [f"### {title}", "", "| | CPU µs per request (least, most) | times the first |", "| --- | --- | --- |"]
    for name, costs in found.items():
        ratio = statistics.median(own / base for own, base in zip(costs, first, strict=True))
        lines.append(
            f"| {name} | {statistics.median(costs):,.1f} ({min(costs):,.1f}, {max(costs):,.1f}) | {ratio:.2f} |"
        )
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def soak(site: Site, seconds: int) -> None:
    """Sends at a rate and prints how memory grew."""
    profile = write_profile(site.folder / "soak.toml", f"{site.url('keep-alive')}/unique")
    words = ["-m", "grantproof", "load", "--idp", profile, "--rate", str(SOAK_PER_S), "--duration"]
    words += [f"{seconds}s", "--out", str(site.folder / "soak")]
    process = subprocess.Popen(["taskset", "-c", "0", sys.executable, *words], stdout=subprocess.DEVNULL)
    kept: list[tuple[float, float]] = []
    began = time.monotonic()
    while process.poll() is None:
        time.sleep(1)
        kept.append((time.monotonic() - began, memory_mb(process.pid)))
    inner = [(at, size) for at, size in kept if seconds / 2 <= at <= seconds]
    slope = statistics.linear_regression(*zip(*inner, strict=True)).slope
    hashes = 8 * SOAK_PER_S / 1e6
    sys.stdout.write(
        f"### Soak\n\n{SOAK_PER_S:,}/s for {seconds} s, no token twice: "
        f"{inner[0][1]:.0f} MB at its half, {inner[-1][1]:.0f} MB at its end, "
        f"{slope:.3f} MB/s, {slope * _OF_THE_HOUR:.0f} MB in an hour; the hashes of as many tokens are "
        f"{hashes:.3f} MB/s, {hashes * _OF_THE_HOUR:.0f} MB in an hour.\n\n"
    )


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all that it has started; nothing once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(memory_mb(int(child)) for child in children)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--soak", type=int, default=120, help="seconds; 0 leaves it out")
    options = parser.parse_args(arguments)
    with nginx() as site:
        counts = [
            load(f"{number:,} connections", "--users", str(number), "--connections", str(number))
            for number in CONNECTIONS
        ]
        steps(site, counts, options.rounds, "Connections")
        others = [Tool(f"{number:,} connections", "wrk", wrk(number), wrk_count) for number in CONNECTIONS]
        steps(site, others, options.rounds, "Connections, wrk beside it")
        shares = [
            load(f"{number} worker{'s' * (number > 1)}", "--users", "32", "--workers", str(number))
            for number in WORKERS
        ]
        steps(site, shares, options.rounds, "Workers")
        if options.soak:
            soak(site, options.soak)
    return 0


if __name__ == "__main__":
    sys.exit(main())
