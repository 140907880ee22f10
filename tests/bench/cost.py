"""What a request costs the generator, beside other tools: the same request to the same nginx, each tool on one core.

    python -m tests.bench.cost                 # five interleaved rounds of every tool and mode
    python -m tests.bench.cost --rounds 1 --mode keep-alive

Every tool runs twice a round, short and long; what the longer run adds, in processor time over requests, has no start
in it. A tool that is not on the path (or in `~/go/bin`) is left out and named. Prints a table in Markdown.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
SHORT_S, LONG_S = 1, 4
TOKEN = '{"access_token":"aG93IG1hbnkgb2YgdGhlc2UgY2FuIHlvdSBnaXZl","token_type":"Bearer","expires_in":3600}'
BODY = "grant_type=client_credentials"
AUTHORIZATION = "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA=="
FORM = "application/x-www-form-urlencoded"
MODES = ("keep-alive", "TLS", "new connections", "TLS, new connections")
REFERENCE = "wrk"

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{plain} backlog=4096; listen 127.0.0.1:{tls} ssl backlog=4096;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; ssl_session_cache shared:a:10m;
    location /token {{ add_header Cache-Control no-store; return 200 '{token}'; }}
  }}
}}
"""

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

PROFILE = """
[endpoints]
token = "{url}/token"
[target]
name = "nginx"
[tls]
ca = "{folder}/server.pem"
[clients.service]
id = "service"
secret = "service-secret"
auth_methods = ["client_secret_basic"]
grants = ["client_credentials"]
[claims]
reuses_tokens = true
[load]
allowed = true
"""


@dataclass(frozen=True)
class Site:
    """nginx, and a folder with what the tools need."""

    folder: Path
    plain: int
    tls: int

    def url(self, mode: str) -> str:
        """Where requests of a mode go."""
        return f"https://localhost:{self.tls}" if mode.startswith("TLS") else f"http://127.0.0.1:{self.plain}"


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


def _wrk(site: Site, mode: str, seconds: int) -> list[str]:
    close = 'wrk.headers["Connection"] = "close"' if mode.endswith("new connections") else ""
    script = site.folder / "request.lua"
    script.write_text(LUA.format(body=BODY, form=FORM, authorization=AUTHORIZATION, close=close))
    return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"{site.url(mode)}/token"]


def _hey(site: Site, mode: str, seconds: int) -> list[str]:
    words = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-cpus", "1", "-m", "POST", "-T", FORM, "-d", BODY]
    words += ["-disable-keepalive"] if mode.endswith("new connections") else []
    return [*words, "-H", f"Authorization: {AUTHORIZATION}", f"{site.url(mode)}/token"]


def _profile(site: Site, mode: str) -> str:
    path = site.folder / ("tls.toml" if mode.startswith("TLS") else "plain.toml")
    path.write_text(PROFILE.format(url=site.url(mode), folder=site.folder))
    return str(path)


def _alone(site: Site, mode: str, seconds: int) -> list[str]:
    script = site.folder / "alone.py"
    script.write_text(ALONE)
    kind = "new" if mode.endswith("new connections") else "kept"
    return _python(str(script), _profile(site, mode), str(seconds), str(CONNECTIONS), kind)


def _inside(site: Site, mode: str, seconds: int) -> list[str]:
    words = ["-m", "grantproof", "load", "--idp", _profile(site, mode), "--users", str(CONNECTIONS)]
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


def _locust_count(text: str) -> int:
    rows = json.loads(text[text.index("[") :])
    return int(sum(row["num_requests"] - row["num_failures"] for row in rows))


TOOLS = (
    Tool(REFERENCE, "wrk", _wrk, _found(r"(\d+) requests in")),
    Tool("the engine alone", "", _alone, _found(r"done (\d+)")),
    Tool("grantproof load (inside Locust)", "", _inside, _found(r"ok ([\d,]+)")),
    Tool("hey", "hey", _hey, _found(r"\[200\]\s+(\d+) responses")),
    Tool("Locust FastHttpUser", "", _locust("FastHttpUser"), _locust_count, MODES[:1]),
    Tool("Locust HttpUser", "", _locust("HttpUser"), _locust_count, MODES[:1]),
)


@contextmanager
def nginx() -> Generator[Site]:
    """The server, on the second core, with a certificate of its own."""
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name), _free_port(), _free_port())
        _certify(site.folder)
        config = site.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=name, plain=site.plain, tls=site.tls, token=TOKEN))
        server = subprocess.Popen(
            ["taskset", "-c", "1", find_program("nginx") or "nginx", "-p", name, "-c", str(config)],
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(0.5)
            if server.poll() is not None:
                raise SystemExit("nginx does not start")
            yield site
        finally:
            server.terminate()
            server.wait(10)


def _free_port() -> int:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _certify(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def find_program(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=f"{Path.home()}/go/bin:/usr/sbin")


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
