"""Harness faults: a target, a network or a profile so broken that nothing may be concluded; a pass would be a lie.

Each is a tiny server on loopback that speaks raw octets, or the lawful server behind a wrong profile.
"""

import contextlib
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from grantproof.clauses import load_registry
from grantproof.reference.host import write_profile
from tests.faults.shard import Job, run_all, variant_host

ONE_IN = 4
Behaviour = Callable[[socket.socket], None]
PAGE = b"<!doctype html><title>Sign in to the network</title><form><input name=room></form>"


def _http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/html",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _read_head(connection: socket.socket) -> None:
    octets = b""
    while b"\r\n\r\n" not in octets and len(octets) < 100_000:
        octets += connection.recv(65_536) or b"\r\n\r\n"


def _say(octets: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        _read_head(connection)
        connection.sendall(octets)

    return behave


def drops_connections(connection: socket.socket) -> None:
    """Closes before it has read anything."""


def drops_after_request(connection: socket.socket) -> None:
    """Reads the request and closes."""
    _read_head(connection)


def never_answers(connection: socket.socket) -> None:
    """Reads and says nothing."""
    _read_head(connection)
    with contextlib.suppress(OSError):
        connection.recv(1)


def endless_body(connection: socket.socket) -> None:
    """A JSON body that never ends."""
    _read_head(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": "')
    while True:
        connection.sendall(b"x" * 65_536)


def trickling_body(connection: socket.socket) -> None:
    """One octet now and then, so that no single read times out."""
    _read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def endless_headers(connection: socket.socket) -> None:
    """Header lines without end."""
    _read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Padding: " + b"y" * 1000 + b"\r\n")


def redirect_loop(connection: socket.socket) -> None:
    """Every answer leads to itself."""
    _read_head(connection)
    connection.sendall(_http("302 Found", b"", "Location: /authorize?again=1"))


def continues_forever(connection: socket.socket) -> None:
    """Interim answers without end, and never a final one."""
    _read_head(connection)
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


_BOMB = gzip.compress(bytes(50_000_000))


def compressed_bomb(connection: socket.socket) -> None:
    """A small body that nobody asked to have compressed, and that would unfold to fifty megabytes."""
    _read_head(connection)
    connection.sendall(_http("200 OK", _BOMB, "Content-Encoding: gzip"))


SERVERS: dict[str, Behaviour] = {
    "drops_connections": drops_connections,
    "drops_after_request": drops_after_request,
    "never_answers": never_answers,
    "endless_body": endless_body,
    "trickling_body": trickling_body,
    "endless_headers": endless_headers,
    "redirect_loop": redirect_loop,
    "speaks_no_http": _say(b"220 mail.example ESMTP ready\r\n" * 3),
    "truncated_body": _say(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"acc'),
    "gateway_502": _say(_http("502 Bad Gateway", b"<h1>502 Bad Gateway</h1>")),
    "gateway_503": _say(_http("503 Service Unavailable", b"<h1>come back later</h1>", "Retry-After: 0")),
    "gateway_504": _say(_http("504 Gateway Timeout", b"<h1>504</h1>")),
    "gateway_413": _say(_http("413 Content Too Large", b"too much")),
    "gateway_431": _say(_http("431 Request Header Fields Too Large", b"too long")),
    "speaks_tls_where_http_is_spoken": _say(b"\x15\x03\x03\x00\x02\x02\x46"),
    "continues_forever": continues_forever,
    "compressed_bomb": compressed_bomb,
    "limits_everything": _say(_http("429 Too Many Requests", b"slow down")),
    "captive_portal": _say(_http("200 OK", PAGE)),
    "captive_portal_redirect": _say(_http("302 Found", b"", "Location: http://127.0.0.1:9/portal")),
    "empty_200": _say(_http("200 OK", b"")),
    "maintenance_404": _say(_http("404 Not Found", b"<h1>not here</h1>")),
}


@contextlib.contextmanager
def raw_server(behave: Behaviour) -> Generator[str]:
    """A server whose every connection behaves like this; gives its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(5)
                threading.Thread(target=_one, args=(behave, connection), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()


def _one(behave: Behaviour, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        behave(connection)


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _raw_profile(lawful: str, origin: str) -> str:
    """The lawful profile pointed at another origin whose endpoints it names itself."""
    names = ("authorization", "token", "introspection", "revocation", "jwks")
    endpoints = "".join(f'{name} = "{origin}/{"authorize" if name == "authorization" else name}"\n' for name in names)
    text = re.sub(r'issuer = "[^"]*"', f'issuer = "{origin}"', lawful)
    text = re.sub(r'resource = "[^"]*"', f'resource = "{origin}/resource"', text)
    return "timeout_s = 0.3\n" + text.replace("[endpoints]", "[endpoints]\n" + endpoints, 1)


def _wrong_secrets(text: str) -> str:
    """Every credential of every confidential client is wrong: secrets, and the key that signs assertions."""
    text = text.replace('"service-jwt-key.pem"', f'"{FOREIGN_KEY}"')
    return re.sub(r'(?m)^secret = ".*"$', 'secret = "not-the-secret-at-all-0123456789abcdef"', text)


def _wrong_passwords(text: str) -> str:
    return re.sub(r'(?m)^password = ".*"$', 'password = "not-the-password"', text)


def _wrong_redirect_uris(text: str) -> str:
    return re.sub(r"(?m)^redirect_uris = .*$", lambda line: line[0].replace("://", "://elsewhere."), text)


def _no_login_steps(text: str) -> str:
    return text[: text.index("[[login.steps]]")] + text[text.index("[claims]") :]


def _at_the_wrong_endpoint(endpoint: str, path: str) -> Callable[[str], str]:
    """The profile names an address of the server that is another endpoint's."""

    def change(text: str) -> str:
        found = re.search(r'issuer = "([^"]*)"', text)
        issuer = found[1] if found else ""
        return text.replace("[endpoints]", f'[endpoints]\n{endpoint} = "{issuer}/{path}"', 1)

    return change


def _behind_a_dead_proxy(text: str) -> str:
    return text.replace("[target]", f'[target]\nproxy = "{_closed_port()}"', 1)


def _no_requests_left(text: str) -> str:
    return text.replace("[politeness]", "[politeness]\nmax_requests = 5", 1)


FOREIGN_KEY = "foreign-key.pem"


def _write_foreign_key(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / FOREIGN_KEY).write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))


PROFILES: dict[str, Callable[[str], str]] = {
    "wrong_secrets_in_profile": _wrong_secrets,
    "wrong_passwords_in_profile": _wrong_passwords,
    "wrong_redirect_uris_in_profile": _wrong_redirect_uris,
    "no_login_steps_in_profile": _no_login_steps,
    "wrong_token_endpoint_in_profile": _at_the_wrong_endpoint("token", "jwks"),
    "wrong_authorization_endpoint_in_profile": _at_the_wrong_endpoint("authorization", "jwks"),
    "dead_proxy_in_profile": _behind_a_dead_proxy,
    "no_requests_left": _no_requests_left,
    "unknown_clients_in_profile": lambda text: re.sub(r'(?m)^id = "(.*)"$', r'id = "unknown-\1"', text),
}
GRANTS = {
    "wrong_token_endpoint_in_profile": "client_credentials",
    "wrong_authorization_endpoint_in_profile": "implicit",
    "wrong_secrets_in_profile": "client_credentials",
    "wrong_passwords_in_profile": "implicit",
    "wrong_redirect_uris_in_profile": "implicit",
    "no_login_steps_in_profile": "implicit",
}


def run_harness(only: tuple[str, ...] = (), *, one_in: int = ONE_IN) -> list[dict[str, Any]]:
    """Runs every check but the fuzzing under each harness fault, of each one case in four; `one_in=1` is every case.

    `verdict` is `pass` if any check passed, else `accused` if any accuses the server; both are wrong.
    """
    with contextlib.ExitStack() as stack:
        base_url, folder = stack.enter_context(variant_host())
        lawful = write_profile(base_url, "lawful", folder).read_text("utf-8")
        _write_foreign_key(folder)
        texts = {
            name: _raw_profile(lawful, stack.enter_context(raw_server(behave)))
            for name, behave in SERVERS.items()
            if not only or name in only
        }
        if not only or "refuses_connections" in only:
            texts["refuses_connections"] = _raw_profile(lawful, _closed_port())
        texts |= {name: change(lawful) for name, change in PROFILES.items() if not only or name in only}
        jobs = [
            Job(name, _written(folder, name, text), (), _arguments(name), ("rfc6749",), one_in=one_in)
            for name, text in texts.items()
        ]
        return sorted((_row(outcome) for outcome in run_all(jobs, processes=4)), key=lambda row: str(row["id"]))


def _arguments(name: str) -> tuple[str, ...]:
    grant = ("--grantproof-grant", GRANTS[name]) if name in GRANTS else ()
    return ("-k", "not fuzz", *grant)


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"harness-{name}.toml"
    path.write_text(text, "utf-8")
    return path


def _passed(outcome: Any) -> list[str]:
    """The checks that passed though nothing may be concluded.

    Capabilities are no verdicts. Where only a part of the profile is wrong, what does not use that part may be right:
    a client that is registered for a check uses none of it.
    """
    name, registry = outcome.job.variant, load_registry()
    return sorted(
        str(record["id"])
        for record in outcome.records
        if record["verdict"] == "pass"
        and record["capability"] is None
        and (record["credentials"] or name not in PROFILES)
        and GRANTS.get(name, record["grant"]) == record["grant"]
        and not (name in PROFILES and any("registration" in registry[each].needs for each in record["clauses"]))
    )


def _row(outcome: Any) -> dict[str, Any]:
    passed = _passed(outcome)
    failed = outcome.ids("fail", "warn")
    if not outcome.records:
        verdict = "profile_error" if outcome.code == 4 else "no_verdict"
    else:
        verdict = "pass" if passed else "accused" if failed else "inconclusive"
    return {
        "id": outcome.job.variant,
        "verdict": verdict,
        "passed": passed,
        "failed": failed,
        "seconds": round(outcome.seconds, 1),
    }
