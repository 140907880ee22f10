"""Every driver comes to the same verdicts, and a profile whose driver cannot run says so before anything is sent."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grantproof.login.chromium import absence
from grantproof.login.drivers import require_driver
from grantproof.login.pace import LoginPace
from grantproof.profile.loading import load
from grantproof.profile.problems import ProfileError

MODULE = "rfc6749/test_4_2_2_access_token_response.py"
PROGRAM = """#!{python}
import html.parser, http.cookiejar, os, sys, urllib.error, urllib.parse, urllib.request

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None

class Form(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.action, self.fields = "", {{}}

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self.action = found.get("action") or ""
        if tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value") or ""

jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
browser = urllib.request.build_opener(urllib.request.ProxyHandler({{}}), Stay, jar)
url, body = sys.argv[1], None
server = urllib.parse.urlsplit(url).netloc
for _ in range(10):
    try:
        answer = browser.open(url, body, timeout=20)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    location, text = answer.headers.get("Location"), answer.read().decode()
    if location:
        url, body = urllib.parse.urljoin(url, location), None
        if urllib.parse.urlsplit(url).netloc != server:
            break
        continue
    form = Form()
    form.feed(text)
    if "password" in form.fields:
        if body:
            sys.exit("the login is refused")
        form.fields.update(username=os.environ["GRANTPROOF_USERNAME"], password=os.environ["GRANTPROOF_PASSWORD"])
    elif 'id="consent"' in text:
        form.fields["decision"] = os.environ["GRANTPROOF_CHOICE"]
    else:
        break
    url, body = urllib.parse.urljoin(url, form.action or url), urllib.parse.urlencode(form.fields).encode()
print(url)
"""


def verdicts(profile: Path, folder: Path, driver: str) -> dict[str, str]:
    """What a run of the module's checks says about the embedded server with a driver."""
    text = profile.read_text("utf-8")
    if driver == "command":
        program = folder / "login.py"
        program.write_text(PROGRAM.format(python=sys.executable), "utf-8")
        program.chmod(0o700)
        text = text.replace('driver = "forms"', f'driver = "command"\ncommand = ["{program}"]')
    text = text.replace('driver = "forms"', f'driver = "{driver}"')
    text = text.replace('"service-jwt-key.pem"', json.dumps(str(profile.parent / "service-jwt-key.pem")))
    changed, out = folder / f"{driver}.toml", folder / driver
    changed.write_text(text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"conformance/{MODULE}",
        "--idp",
        str(changed),
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command += ["--grantproof-out", str(out), "--grantproof-report", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert ended.returncode == 0, ended.stdout[-4_000:] + ended.stderr[-2_000:]
    results: dict[str, Any] = json.loads((out / "results.json").read_text("utf-8"))
    return {check["id"]: check["verdict"] for check in results["checks"]}


@pytest.fixture(scope="module")
def by_forms(lawful_profile: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the forms driver says."""
    return verdicts(lawful_profile, tmp_path_factory.mktemp("forms"), "forms")


def test_a_command_comes_to_the_same_verdicts(lawful_profile: Path, tmp_path: Path, by_forms: dict[str, str]) -> None:
    assert verdicts(lawful_profile, tmp_path, "command") == by_forms


@pytest.mark.skipif(
    bool(absence()[0]) and os.environ.get("GRANTPROOF_REQUIRE_CHROMIUM") != "1",
    reason="no Chromium is installed (GRANTPROOF_REQUIRE_CHROMIUM=1 makes this a failure)",
)
def test_a_browser_comes_to_the_same_verdicts(lawful_profile: Path, tmp_path: Path, by_forms: dict[str, str]) -> None:
    assert verdicts(lawful_profile, tmp_path, "browser") == by_forms


def test_the_checks_judge_the_embedded_server(by_forms: dict[str, str]) -> None:
    assert len(by_forms) > 50
    assert set(by_forms.values()) <= {"pass", "not_offered"}
    assert list(by_forms.values()).count("pass") > len(by_forms) / 2


def test_the_page_on_which_a_login_is_stuck_stands_beside_the_report(lawful_profile: Path, tmp_path: Path) -> None:
    text = lawful_profile.read_text("utf-8").replace('"form#login"', '"form#signin"')
    text = text.replace('"service-jwt-key.pem"', json.dumps(str(lawful_profile.parent / "service-jwt-key.pem")))
    profile = tmp_path / "stuck.toml"
    profile.write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", f"conformance/{MODULE}", "--idp", str(profile), "-q", "-k", "positive"]
    command += ["-p", "no:cacheprovider", "--grantproof-out", str(tmp_path / "out"), "--grantproof-report", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 1, ended.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert {check["verdict"] for check in results["checks"]} == {"inconclusive"}
    said = results["checks"][0]["message"]
    (page, *_) = (tmp_path / "out").glob("login-page-*.txt")
    assert "'form#signin' matches nothing on it" in said
    assert any(file.name in said for file in (tmp_path / "out").glob("login-page-*.txt"))
    assert "<title>Log in</title>" in page.read_text("utf-8")


# What a driver needs.

PROFILE = """[target]
issuer = "http://127.0.0.1:1"
[clients.spa]
id = "spa"
public = true
grants = ["{grant}"]
redirect_uris = ["https://app.example/cb"]
[login]
driver = "{driver}"
"""


def profile_of(folder: Path, grant: str, driver: str = "browser") -> Path:
    path = folder / "p.toml"
    path.write_text(PROFILE.format(grant=grant, driver=driver), "utf-8")
    return path


def no_package(_name: str) -> None:
    """What is said of a package that is not installed."""


@pytest.mark.parametrize("missing", ["playwright", "chromium", "named"])
def test_a_missing_browser_is_a_profile_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv("GRANTPROOF_CHROMIUM", raising=False)
    if missing == "playwright":
        monkeypatch.setattr("grantproof.login.chromium.find_spec", no_package)
    elif missing == "chromium":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setenv("GRANTPROOF_CHROMIUM", str(tmp_path / "absent"))
    path = profile_of(tmp_path, "implicit")
    with pytest.raises(ProfileError) as ending:
        require_driver(load(str(path)))
    said = str(ending.value)
    assert said.startswith(f"{path}:9: login.driver: the browser driver needs ")
    assert "pip install grantproof[browser]" in said


@pytest.mark.parametrize(("grant", "driver"), [("implicit", "forms")])
def test_nobody_else_needs_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grant: str, driver: str) -> None:
    monkeypatch.setattr("grantproof.login.chromium.find_spec", no_package)
    require_driver(load(str(profile_of(tmp_path, grant, driver))))


@pytest.mark.parametrize("command", [["-m", "grantproof", "preflight"], ["-m", "grantproof", "check"]])
def test_a_missing_browser_ends_a_run_with_2(tmp_path: Path, command: list[str]) -> None:
    path = profile_of(tmp_path, "implicit")
    environment = {**os.environ, "GRANTPROOF_CHROMIUM": str(tmp_path / "absent")}
    ended = subprocess.run(
        [sys.executable, *command, "--idp", str(path)],
        capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert f"{path}:9: login.driver: the browser driver needs Chromium" in ended.stdout + ended.stderr


# The pause between logins.


@pytest.mark.parametrize("shared", [True, False])
def test_logins_keep_their_distance(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shared: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    now, slept = [1_000.0], list[float]()
    monkeypatch.setattr("grantproof.login.pace.time.time", lambda: now[0])
    monkeypatch.setattr("grantproof.login.pace.time.sleep", slept.append)
    file = tmp_path / "logins" if shared else None
    first = LoginPace(3, file)
    second = LoginPace(3, file) if shared else first
    for pace in (first, second, first):
        pace.wait()
    assert slept == [3.0, 6.0]
    now[0] = 2_000.0
    first.wait()
    LoginPace(0, file).wait()
    assert slept == [3.0, 6.0]
