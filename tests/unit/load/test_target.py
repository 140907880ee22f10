"""From a profile to the octets of a request, and what is refused."""

from pathlib import Path

import pytest

from grantproof.errors import GrantproofError
from grantproof.load.durations import parse_duration
from grantproof.load.ledger import make_folder
from grantproof.load.plan import LoadPlan, load_tests, locust_file
from grantproof.load.target import Target, load_target

_PROFILE = """
timeout_s = 3
[target]
name = "The server"
headers = { X-Api-Key = "open" }
[endpoints]
token = "https://as.example:8443/oauth/token?tenant=1"
[clients.spa]
id = "spa"
public = true
grants = ["implicit"]
redirect_uris = ["https://app.example/cb"]
[clients.service]
id = "a b"
secret = "s:1/é"
auth_methods = ["METHOD"]
grants = ["client_credentials"]
scopes = ["read", "write"]
parameters = { audience = "https://api.example", resource = ["urn:a", "urn:b"] }
[claims]
reuses_tokens = true
[load]
allowed = true
thresholds = ["p99 < 250ms"]
"""


def _write(folder: Path, text: str, method: str = "client_secret_basic") -> str:
    path = folder / "server.toml"
    path.write_text(text.replace("METHOD", method), "utf-8")
    return str(path)


def test_a_profile_becomes_a_target(tmp_path: Path) -> None:
    target = load_target(_write(tmp_path, _PROFILE))
    assert (target.name, target.profile_name, target.host, target.port, target.secure) == (
        "The server",
        "server",
        "as.example",
        8443,
        True,
    )
    assert (target.timeout_s, target.thresholds, target.reuses_tokens) == (3.0, ("p99 < 250ms",), True)
    head, _, body = target.token_request().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[:2] == ["POST /oauth/token?tenant=1 HTTP/1.1", "Host: as.example:8443"]
    assert "Accept-Encoding: identity" in lines  # without it any coding would be lawful
    assert "Authorization: Basic YStiOnMlM0ExJTJGJUMzJUE5" in lines
    assert "X-Api-Key: open" in lines
    assert f"Content-Length: {len(body)}" in lines
    assert body == (
        b"grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi.example&resource=urn%3Aa&resource=urn%3Ab"
    )


def test_a_secret_may_go_in_the_body(tmp_path: Path) -> None:
    request = load_target(_write(tmp_path, _PROFILE, "client_secret_post")).token_request()
    assert b"Authorization" not in request
    assert request.endswith(b"&client_id=a+b&client_secret=s%3A1%2F%C3%A9")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    target = load_target(_write(tmp_path, _PROFILE))
    assert "s:1" not in repr(target)
    assert "YStiOnMl" not in repr(target)
    assert {"s:1/é", "open", "Basic YStiOnMlM0ExJTJGJUMzJUE5"} <= target.secrets


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("allowed = true", "allowed = false", "does not allow load"),
        ("allowed = true", "", "does not allow load"),
        ('name = "The server"', 'name = "x"\nproxy = "http://proxy.example:3128"', "proxy"),
        ('grants = ["client_credentials"]', "grants = []", "no client for load"),
    ],
)
def test_what_must_not_be_loaded_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    with pytest.raises(GrantproofError, match=what):
        load_target(_write(tmp_path, _PROFILE.replace(old, new)))


def test_authorities_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(GrantproofError, match="authorities cannot be read"):
        load_target(_write(tmp_path, f'{_PROFILE}\n[tls]\nca = "ca.pem"\n'))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GrantproofError, match="folder cannot be made"):
        make_folder(tmp_path / "file" / "run")


@pytest.mark.parametrize("header", ["a\r\nX-Other: b", "a\x00b", "\u20ac"])
def test_a_header_cannot_break_out_of_its_line(header: str) -> None:
    with pytest.raises(GrantproofError):
        Target("x", "http://as.example/token", (("X", header),), b"").token_request()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30.0), ("45", 45.0), ("2m", 120.0), ("1h30m", 5400.0), ("1m30s", 90.0), ("1.5s", 1.5), (" 2M ", 120.0)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0s", "-5s", "5x", "1s30m", "1..5s", "."])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(GrantproofError):
        parse_duration(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"rate_per_s": 1.0, "users": 1},
        {"users": 0},
        {"rate_per_s": 0.0},
        {"rate_per_s": 1.0, "duration_s": 0.0},
        {"rate_per_s": 1.0, "arrival": "even"},
        {"rate_per_s": 1.0, "workers": 0},
        {"users": 2, "workers": 3},
        {"rate_per_s": 1.0, "workers": 2, "connections": 1},
        {"rate_per_s": 1.0, "thresholds": ("p99",)},
        {"rate_per_s": 1.0, "scenario": "../../etc/passwd"},
        {"rate_per_s": 1.0, "scenario": "__init__"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GrantproofError):
        LoadPlan("embedded", **wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a table of mistakes


def test_scenarios_are_locust_files() -> None:
    assert locust_file("token_endpoint") == load_tests() / "token_endpoint.py"
    assert LoadPlan("embedded", rate_per_s=5.0).schedule is not None
    assert LoadPlan("embedded", users=5).schedule is None
