"""Running the embedded server, its profile, and the host of many variants."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from grantproof.errors import GrantproofError
from grantproof.reference.clients import Credentials
from grantproof.reference.form import parse_form
from grantproof.reference.host import VariantHost, write_profile
from grantproof.reference.profile import make_profile
from grantproof.reference.server import DOORS, serve

if TYPE_CHECKING:
    from tests.unit.reference.conftest import Target

PROGRAM = """
import sys
from grantproof.reference.server import serve
serve(tls=sys.argv[1] == "tls", on_ready=lambda path, _: print(path, flush=True))
"""
HANDLES = """
import contextlib, gc, os
from collections import Counter
from grantproof.reference.server import serve

def tell(*_):
    seen = Counter()
    for number in range(200):
        with contextlib.suppress(OSError):
            seen[os.fstat(number).st_ino] += 1
    print(max(seen.values()), gc.get_freeze_count(), flush=True)

serve(on_ready=tell)
"""
PROXIED = "https://as.example/tenant"


@pytest.mark.parametrize(("mode", "number"), [("plain", signal.SIGTERM), ("tls", signal.SIGINT)])
def test_server_answers_then_ends_cleanly_and_leaves_nothing(mode: str, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, mode], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            path = Path(process.stdout.readline().strip())
            profile = tomllib.loads(path.read_text("utf-8"))
            issuer = profile["target"]["issuer"]
            assert issuer.startswith("https:" if mode == "tls" else "http:")
            assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
            trust = (
                ssl.create_default_context(cafile=path.parent / "ca.pem")
                if mode == "tls"
                else ssl.create_default_context()
            )
            with httpx.Client(verify=trust) as http:
                service = profile["clients"]["service"]
                form = {"grant_type": "client_credentials"}
                answer = http.post(f"{issuer}/token", data=form, auth=(service["id"], service["secret"]))
                assert answer.status_code == 200
                page = http.get(f"{issuer}/authorize?response_type=token&client_id=spa-single")
                assert ("; Secure" in page.headers["set-cookie"]) is (mode == "tls")
        finally:
            process.send_signal(number)
        assert process.wait(10) == 0
    assert not path.parent.exists()


def test_a_crowd_is_let_in_by_many_handles_and_no_collection_looks_at_what_stays() -> None:
    """An event loop may take one connection a turn of each handle, and a full collection holds all answers up."""
    with subprocess.Popen([sys.executable, "-c", HANDLES], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            handles, frozen = map(int, process.stdout.readline().split())
        finally:
            process.terminate()
    assert handles >= DOORS
    assert frozen > 10_000


def test_behind_a_proxy_the_issuer_is_the_proxys_and_the_own_address_is_told() -> None:
    command = [sys.executable, "-m", "grantproof", "serve", "--issuer", PROXIED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            path, line = Path(process.stdout.readline().strip()), process.stdout.readline()
            assert tomllib.loads(path.read_text("utf-8"))["target"]["issuer"] == PROXIED
            address = line.removeprefix("listening ").strip()
            metadata = httpx.get(f"{address}/.well-known/oauth-authorization-server/tenant").json()
            assert (metadata["issuer"], metadata["token_endpoint"]) == (PROXIED, f"{PROXIED}/token")
            page = httpx.get(f"{address}/tenant/authorize?response_type=token&client_id=spa-single")
            assert "; Secure" in page.headers["set-cookie"]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "issuer", ["as.example", "ftp://as.example", "https://", f"{PROXIED}?a=b", f"{PROXIED}#", f"{PROXIED}/"]
)
def test_what_cannot_be_an_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(GrantproofError, match="is no issuer for this server"):
        serve(issuer=issuer)


def test_profile_has_every_secret_once_and_its_own_comments(credentials: Credentials) -> None:
    text = make_profile("https://127.0.0.1:1", credentials, "x", tls=True)
    profile = tomllib.loads(text)
    clients = profile["clients"]
    assert {name: clients[name]["secret"] for name in credentials.secrets} == credentials.secrets
    assert all(f"[clients.{name}]\n# " in text for name in clients)
    assert profile["tls"] == {"ca": "ca.pem"}
    assert {client["id"] for client in clients.values()} >= {"svc:res %1", "spa"}


def test_credentials_are_kept_in_their_directory(tmp_path: Path) -> None:
    assert Credentials.load(tmp_path) == Credentials.load(tmp_path)
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert Credentials.load(tmp_path).secrets["service"] not in repr(Credentials.load(tmp_path))


def test_written_profile_belongs_to_its_variant(tmp_path: Path) -> None:
    path = write_profile("http://127.0.0.1:1", "state_lost_on_errors", tmp_path)
    profile = tomllib.loads(path.read_text("utf-8"))
    assert profile["target"]["issuer"] == "http://127.0.0.1:1/state_lost_on_errors"
    assert profile["clients"]["service"]["secret"] == Credentials.load(tmp_path).secrets["service"]


def test_host_keeps_its_variants_apart(target: Target) -> None:
    host = VariantHost("http://127.0.0.1:8080", target.credentials)
    http = httpx.Client(transport=type(target.http._transport)(host), base_url=host.base_url)  # type: ignore[call-arg]
    variants = ("lawful", "error_page_with_200", "accepts_wrong_secret_by_body")
    assert set(variants) <= set(host.variants)
    issuers = [http.get(f"/.well-known/oauth-authorization-server/{each}").json()["issuer"] for each in variants]
    assert issuers == [f"{host.base_url}/{each}" for each in variants]
    auth = ("service", target.secret("service"))
    token = http.post("/lawful/token", data={"grant_type": "client_credentials"}, auth=auth).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert http.get("/lawful/resource", headers=headers).status_code == 200
    assert http.get("/error_page_with_200/resource", headers=headers).status_code == 401
    assert http.get("/unheard_of/token").status_code == 404
    page = http.get("/lawful/authorize?response_type=token&client_id=spa-single")
    assert "; Path=/lawful;" in page.headers["set-cookie"]
    assert f'action="{host.base_url}/lawful/login"' in page.text


@pytest.mark.parametrize(
    ("raw", "pairs", "malformed"),
    [
        (b"", (), frozenset[str]()),
        (b"a=1&&b&a=+%2B", (("a", "1"), ("b", ""), ("a", " +")), frozenset[str]()),
        (b"a=%C3%A9", (("a", "\u00e9"),), frozenset[str]()),
        (b"a=%FF&b=1", (("a", "\udcff"), ("b", "1")), frozenset(("a",))),
        (b"a=%4", (("a", "%4"),), frozenset(("a",))),
    ],
)
def test_forms_keep_every_pair(raw: bytes, pairs: tuple[tuple[str, str], ...], malformed: frozenset[str]) -> None:
    form = parse_form(raw)
    assert (form.pairs, form.malformed) == (pairs, malformed)
