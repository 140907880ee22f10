"""What a request costs the generator, beside other tools: the same request to the same nginx, each tool on one core.

    python -m tests.bench.cost                 # five interleaved rounds of every tool and mode
    python -m tests.bench.cost --rounds 1 --mode keep-alive

Every tool runs twice a round, short and long; what the longer run adds, in processor time over requests, has no start
in it. A tool that is not on the path (nor where Go and Rust put programs) is left out and named. Prints tables in
Markdown.
"""

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.site import AUTHORIZATION, BODY, FORM, MODES, Site, find_program, nginx

CONNECTIONS = 32
SHORT_S, LONG_S = 1, 4
REFERENCE = "wrk"

LUA = """
wrk.method = "POST"
wrk.body = "{body}"
wrk.headers["Content-Type"] = "{form}"
wrk.headers["Authorization"] = "{authorization}"
{close}
"""

ALONE = """
import sys
from dataclasses import replace
from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.target import load_target
target = replace(load_target(sys.argv[1]), new_connections=sys.argv[4] == "new")
engine = Engine(target, token_exchange(target), users=int(sys.argv[3]), duration_s=float(sys.argv[2]))
engine.run()
print("errors", sum(sum(tally.errors.values()) for tally in engine.finished))
print("done", sum(tally.ok for tally in engine.finished))
"""

LOCUST = """
from locust import {kind}, constant, task
class Tokens({kind}):
    wait_time = constant(0)
    @task
    def ask(self):
        fields = {{"Content-Type": "{form}", "Authorization": "{authorization}"}}
        self.client.post("/token", data="{body}", headers=fields)
"""


@dataclass(frozen=True)
class Tool:
    """A load generator.

    Attributes:
        program: what has to be on the path; empty for what is installed with this project.
        command: its words for a site, a mode and a duration in seconds.
        count: finds the number of answered requests in what it prints.
        modes: what it can do.
    """

    name: str
    program: str
    command: Callable[[Site, str, int], list[str]]
    count: Callable[[str], int]
    modes: Sequence[str] = MODES


def _python(*words: str) -> list[str]:
    return [sys.executable, *words]


def wrk(connections: int) -> Callable[[Site, str, int], list[str]]:
    """How wrk is called with so many connections."""

    def command(site: Site, mode: str, seconds: int) -> list[str]:
        close = 'wrk.headers["Connection"] = "close"' if mode.endswith("new connections") else ""
        script = site.folder / "request.lua"
        script.write_text(LUA.format(body=BODY, form=FORM, authorization=AUTHORIZATION, close=close))
        return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"{site.url(mode)}/token"]

    return command


def _hey(site: Site, mode: str, seconds: int) -> list[str]:
    words = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-cpus", "1", "-m", "POST", "-T", FORM, "-d", BODY]
    words += ["-disable-keepalive"] if mode.endswith("new connections") else []
    return [*words, "-H", f"Authorization: {AUTHORIZATION}", f"{site.url(mode)}/token"]


def _vegeta(site: Site, mode: str, seconds: int) -> list[str]:
    targets, found = site.folder / "targets", site.folder / "found"
    lines = [f"POST {site.url(mode)}/token", f"Content-Type: {FORM}", f"Authorization: {AUTHORIZATION}"]
    (site.folder / "body").with_suffix(".form").write_text(BODY)
    targets.write_text("\n".join([*lines, f"@{site.folder / 'body.form'}", ""]))
    words = ["vegeta", "-cpus=1", "attack", "-rate=0", f"-max-workers={CONNECTIONS}", f"-workers={CONNECTIONS}"]
    words += [f"-connections={CONNECTIONS}", f"-duration={seconds}s", f"-targets={targets}", f"-output={found}"]
    words += ["-keepalive=false"] if mode.endswith("new connections") else []
    words[0] = find_program("vegeta") or "vegeta"
    return ["sh", "-c", f"{shlex.join(words)} && echo {found}"]


def _vegeta_count(text: str) -> int:
    words = [find_program("vegeta") or "vegeta", "report", "-type=json", text.strip()]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return int(told["status_codes"].get("200", 0))


def _oha(site: Site, mode: str, seconds: int) -> list[str]:
    words = ["oha", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-m", "POST", "-T", FORM, "-d", BODY, "--no-tui"]
    words += ["--disable-keepalive"] if mode.endswith("new connections") else []
    words += ["--output-format", "json", "--insecure", "-H", f"Authorization: {AUTHORIZATION}"]
    return [*words, f"{site.url(mode)}/token"]


def _oha_count(text: str) -> int:
    return int(json.loads(text)["statusCodeDistribution"]["200"])


def _alone(site: Site, mode: str, seconds: int) -> list[str]:
    script = site.folder / "alone.py"
    script.write_text(ALONE)
    kind = "new" if mode.endswith("new connections") else "kept"
    return _python(str(script), site.profile(mode), str(seconds), str(CONNECTIONS), kind)


def _inside(site: Site, mode: str, seconds: int) -> list[str]:
    words = ["-m", "grantproof", "load", "--idp", site.profile(mode), "--users", str(CONNECTIONS)]
    words += ["--new-connections"] if mode.endswith("new connections") else []
    return _python(*words, "--duration", f"{seconds}s", "--out", str(site.folder / "inside"))


def _locust(kind: str) -> Callable[[Site, str, int], list[str]]:
    def command(site: Site, mode: str, seconds: int) -> list[str]:
        script = site.folder / f"{kind}.py"
        script.write_text(LOCUST.format(kind=kind, body=BODY, form=FORM, authorization=AUTHORIZATION))
        words = ["-m", "locust", "-f", str(script), "--headless", "--json", "-u", str(CONNECTIONS)]
        return _python(*words, "-r", str(CONNECTIONS), "-t", f"{seconds}s", "-H", site.url(mode))

    return command


def _found(pattern: str) -> Callable[[str], int]:
    def count(text: str) -> int:
        found = re.search(pattern, text)
        if found is None:
            raise ValueError(f"no count of requests in: {text[-500:]}")
        return int(found[1].replace(",", ""))

    return count


wrk_count = _found(r"(\d+) requests in")


def _locust_count(text: str) -> int:
    rows = json.loads(text[text.index("[") :])
    return int(sum(row["num_requests"] - row["num_failures"] for row in rows))


TOOLS = (
    Tool(REFERENCE, "wrk", wrk(CONNECTIONS), wrk_count),
    Tool("the engine alone", "", _alone, _found(r"done (\d+)")),
    Tool("grantproof load (inside Locust)", "", _inside, _found(r"ok ([\d,]+)")),
    Tool("hey", "hey", _hey, _found(r"\[200\]\s+(\d+) responses")),
    Tool("vegeta", "vegeta", _vegeta, _vegeta_count),
    Tool("oha", "oha", _oha, _oha_count),
    Tool("Locust FastHttpUser", "", _locust("FastHttpUser"), _locust_count, MODES[:1]),
    Tool("Locust HttpUser", "", _locust("HttpUser"), _locust_count, MODES[:1]),
)


def run(tool: Tool, site: Site, mode: str, seconds: int) -> tuple[float, int]:
    """Seconds of processor time of a run, with those of the processes that it started, and the requests answered."""
    words = tool.command(site, mode, seconds)
    words[0] = find_program(words[0]) or words[0]
    environment = os.environ | {"SSL_CERT_FILE": str(site.folder / "server.pem")}
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *words],
            stdout=out, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        out.seek(0)
        return used.ru_utime + used.ru_stime, tool.count(out.read())


def marginal_us(tool: Tool, site: Site, mode: str) -> float:
    """Microseconds of processor time for each further request."""
    short_s, few = run(tool, site, mode, SHORT_S)
    long_s, many = run(tool, site, mode, LONG_S)
    return 1e6 * (long_s - short_s) / (many - few)


def table(mode: str, found: dict[str, list[float]]) -> str:
    """The figures of a mode in Markdown: medians, spread, and the ratio to wrk, round by round."""
    lines = [
        f"### {mode[0].upper()}{mode[1:]}",
        "",
        "| generator | CPU µs per request (least, most) | times wrk |",
        "| --- | --- | --- |",
    ]
    for name, costs in found.items():
        ratio = statistics.median(own / wrk for own, wrk in zip(costs, found[REFERENCE], strict=True))
        lines.append(
            f"| {name} | {statistics.median(costs):,.1f} ({min(costs):,.1f}, {max(costs):,.1f}) | {ratio:.2f} |"
        )
    return "\n".join(lines) + "\n\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", choices=MODES, action="append")
    options = parser.parse_args(arguments)
    tools = [tool for tool in TOOLS if not tool.program or find_program(tool.program)]
    if REFERENCE not in {tool.name for tool in tools} or not find_program("nginx"):
        raise SystemExit("this needs wrk and nginx (Debian: apt-get install wrk nginx-light)")
    for tool in TOOLS:
        if tool not in tools:
            sys.stdout.write(f"{tool.name} is not installed and left out\n\n")
    with nginx() as site:
        for mode in options.mode or MODES:
            found: dict[str, list[float]] = {tool.name: [] for tool in tools if mode in tool.modes}
            for _ in range(options.rounds):
                for tool in tools:
                    if mode in tool.modes:
                        found[tool.name].append(marginal_us(tool, site, mode))
            sys.stdout.write(table(mode, found))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
