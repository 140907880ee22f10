"""What real servers take: saturation, capacity with its interval, and latency against throughput.

    python -m tests.bench.servers                            # the embedded server, oidc-provider, Django OAuth Toolkit
    python -m tests.bench.servers oauth2orize --budget 120 --threshold "p99 < 100ms"

Each is started by the scripts of the interoperability runs and searched by `grantproof capacity`. Prints tables in
Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.interop.catalogue import find_server, profile_path
from tests.interop.server import running

EMBEDDED = "embedded"
SERVERS = (EMBEDDED, "oidc-provider", "django-oauth-toolkit")


def search(idp: str, environ: Mapping[str, str], folder: Path, options: Sequence[str]) -> dict[str, Any]:
    """capacity.json of a search, with its exit code."""
    words = [sys.executable, "-m", "grantproof", "capacity", "--idp", idp, *options, "--out", str(folder)]
    done = subprocess.run(words, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    found = folder / "capacity.json"
    if not found.exists():
        raise SystemExit(f"{idp}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(found.read_text("utf-8"))
    return result | {"exit_code": done.returncode}


def measure(name: str, folder: Path, options: Sequence[str]) -> dict[str, Any]:
    """The same of a server that is started for it."""
    if name == EMBEDDED:
        return search(EMBEDDED, {}, folder / "out", options)
    server = find_server(name)
    server.install()
    with running(server, folder) as up:
        return search(str(profile_path(name)), up.environ, folder / "out", options)


def row(name: str, found: Mapping[str, Any]) -> str:
    """A line of the table."""
    capacity, interval = found.get("capacity_per_s"), found.get("interval_95")
    cells = (
        name,
        f"{found['saturation_per_s']:,.0f}" if found.get("saturation_per_s") else "-",
        f"{capacity:,.0f}" if capacity else "-",
        f"{interval[0]:,.0f} to {interval[1]:,.0f}" if interval else "-",
        f"{found['seconds']:.0f}",
        f"{found['connections']['most']:,}" + ", as served" * found["connections"]["restrained"],
        str(found["exit_code"]),
        found.get("reason") or "",
    )
    return "| " + " | ".join(cells) + " |"


def curve(name: str, found: Mapping[str, Any]) -> str:
    """Latency against throughput, by rate; probes of one rate stand beside each other."""
    probes = sorted(found["probes"], key=lambda probe: (probe["offered_per_s"] or 0.0, not probe["kept"]))
    lines = [f"### {name}", "", "| offered /s | kept | p99 ms |", "| --- | --- | --- |"]
    for probe in probes:
        p99 = f"{1000 * probe['p99']:,.1f}" if probe.get("p99") is not None else "-"
        offered = f"{probe['offered_per_s']:,.0f}" if probe["offered_per_s"] else "closed loop"
        lines.append(f"| {offered} | {'yes' if probe['kept'] else 'no'} | {p99} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=SERVERS, metavar="NAME")
    parser.add_argument("--budget", type=int, default=90, help="seconds of each search")
    parser.add_argument("--threshold", default="p99 < 100ms", help="the same for all, so that they can be compared")
    parser.add_argument("--connections", type=int, default=1000, help="open at once, at most")
    options = parser.parse_args(arguments)
    given = ["--budget", f"{options.budget}s", "--threshold", options.threshold]
    given += ["--connections", str(options.connections)]
    heads = ("server", "saturation /s", "capacity /s", "95 % interval", "seconds", "connections", "exit code", "reason")
    rows, curves = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"], list[str]()
    for name in options.names:
        with tempfile.TemporaryDirectory(prefix="grantproof-bench-") as folder:
            found = measure(name, Path(folder), given)
        rows.append(row(name, found))
        curves.append(curve(name, found))
    sys.stdout.write("\n".join([*rows, "", *curves]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
