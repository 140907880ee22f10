"""Starts Hydra, registers the clients, serves the login and consent pages: `python -m ...hydra.deploy PROGRAM`.

Hydra belongs to this process' group, and ends with it.
"""

# ruff: noqa: T201 - its log says where it listens

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import uvicorn

from grantproof.errors import GrantproofError
from tests.interop.server import free_ports
from tests.interop.servers.hydra.clients import registrations
from tests.interop.servers.hydra.pages import LoginAndConsent

HOST = "127.0.0.1"
PATIENCE_S = 45.0
OK, CREATED = 200, 201
ADDRESSES = "addresses.json"
"""The file that names the addresses beside the issuer, by the profile's variables."""


def main(program: Path) -> int:
    """Serves until it is ended, or Hydra ends; gives the exit code."""
    folder = Path(os.environ["GRANTPROOF_STATE_DIR"])
    public_port, admin_port, pages_port = free_ports(3)
    issuer, admin, pages = (f"http://{HOST}:{port}" for port in (public_port, admin_port, pages_port))
    configuration = folder / "hydra.json"
    configuration.write_text(json.dumps(_configuration(issuer, pages, public_port, admin_port), indent=1), "utf-8")
    hydra = subprocess.Popen([program, "serve", "all", "--dev", "--config", configuration])
    _register(hydra, admin)
    addresses = {"GRANTPROOF_HYDRA_ADMIN_URL": admin, "GRANTPROOF_HYDRA_LOGIN_URL": pages}
    (folder / ADDRESSES).write_text(json.dumps(addresses), "utf-8")
    return _serve(hydra, issuer, admin, pages_port)


def _configuration(issuer: str, pages: str, public_port: int, admin_port: int) -> dict[str, object]:
    """What the documentation tells to set. All else keeps its default; secrets come by the environment."""
    return {
        "dsn": "memory",
        "log": {"level": "warn"},
        "sqa": {"opt_out": True},
        "serve": {"public": {"host": HOST, "port": public_port}, "admin": {"host": HOST, "port": admin_port}},
        "urls": {
            "self": {"issuer": issuer},
            "login": f"{pages}/login",
            "consent": f"{pages}/consent",
            "error": f"{pages}/error",
        },
    }


def _register(hydra: "subprocess.Popen[bytes]", admin: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with httpx.Client(base_url=admin) as api:
        while not _is_ready(api):
            if hydra.poll() is not None or time.monotonic() > deadline:
                raise GrantproofError("hydra does not come up")
            time.sleep(0.1)
        for registration in registrations():
            answer = api.post("/admin/clients", json=registration)
            if answer.status_code != CREATED:
                raise GrantproofError(f"{registration['client_id']} is not registered", hint=answer.text)


def _is_ready(api: httpx.Client) -> bool:
    try:
        return api.get("/health/ready").status_code == OK
    except httpx.TransportError:
        return False


def _serve(hydra: "subprocess.Popen[bytes]", issuer: str, admin: str, port: int) -> int:
    app = LoginAndConsent(httpx.AsyncClient(base_url=admin)).app
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="warning", server_header=False))
    pages = threading.Thread(target=server.run, daemon=True)
    pages.start()
    while not server.started and pages.is_alive():
        time.sleep(0.02)
    print(f"listening {issuer}", flush=True)
    while hydra.poll() is None and pages.is_alive():
        time.sleep(0.2)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
