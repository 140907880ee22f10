"""Starts the embedded server and nginx in front of it: `python -m ...embedded_tls.deploy FOLDER NGINX`.

Both belong to this process' group, and end with it.
"""

# ruff: noqa: T201 - its log says where it listens

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from string import Template

from grantproof.errors import GrantproofError
from grantproof.reference.tls import TlsFiles, make_tls_files
from tests.interop.server import free_ports

HOST = "127.0.0.1"
PATIENCE_S = 30.0
SERVE_LOG = "serve.log"
"""The log of the embedded server, whose first line is the path of its profile."""
_CONFIGURATION = Path(__file__).with_name("nginx.conf")
_LISTENING = re.compile(r"^listening (http://\S+)$", re.MULTILINE)


def main(folder: Path, program: str) -> int:
    """Serves until it is ended, or one of the two ends; gives the exit code."""
    files = make_tls_files(folder)
    https_port, http_port = free_ports(2)
    issuer = f"https://{HOST}:{https_port}"
    with (folder / SERVE_LOG).open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "grantproof", "serve", "--issuer", issuer], stdout=log)
    upstream = _wait_for_upstream(server, folder / SERVE_LOG)
    values = {"issuer": issuer, "upstream": upstream, "https_port": str(https_port), "http_port": str(http_port)}
    configuration = folder / "nginx.conf"
    configuration.write_text(Template(_CONFIGURATION.read_text("utf-8")).safe_substitute(values), "utf-8")
    nginx = subprocess.Popen([program, "-p", folder, "-e", "stderr", "-c", configuration], stdout=sys.stdout)
    _wait_for_tls(nginx, https_port, files)
    print(f"plain http on {http_port} is redirected", f"listening {issuer}", sep="\n", flush=True)
    while server.poll() is None and nginx.poll() is None:
        time.sleep(0.2)
    print(f"grantproof serve: {server.poll()}, nginx: {nginx.poll()}", flush=True)
    return 1


def _wait_for_upstream(server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        if found := _LISTENING.search(log.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise GrantproofError("grantproof serve does not come up", where=str(log))


def _wait_for_tls(nginx: "subprocess.Popen[bytes]", port: int, files: TlsFiles) -> None:
    context = ssl.create_default_context(cafile=files.ca)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and nginx.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((HOST, port), 1) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            return
        time.sleep(0.05)
    raise GrantproofError("nginx does not come up")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
