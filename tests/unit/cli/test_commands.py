"""The commands beside `check` and `load`."""

import json
import os
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest

from grantproof import embedded
from grantproof.clauses import content_root, load_registry
from tests.unit.cli.child import STATUS_200, CommandLine, Variant, line_of, secrets_of, value_of


def test_help_names_every_command(grantproof: CommandLine) -> None:
    ran = grantproof("--help")
    assert ran.code == 0
    for name in (
        "capacity",
        "check",
        "clauses",
        "demo",
        "diff",
        "explain",
        "init",
        "load",
        "path",
        "preflight",
        "schema",
        "serve",
    ):
        assert f"\n  {name} " in ran.out


def test_no_command_is_a_usage_error(grantproof: CommandLine) -> None:
    assert grantproof().code == 2


def test_explain_says_all_about_a_clause(grantproof: CommandLine) -> None:
    ran = grantproof("explain", STATUS_200)
    assert ran.code == 0
    assert ran.out.startswith(STATUS_200)
    assert "  level     MUST under rfc6749" in ran.out
    assert "  check     rfc6749/test_5_1_success.py::test_success_has_status_200" in ran.out
    assert "  fault     success_has_status_201: " in ran.out
    assert "  read      https://www.rfc-editor.org/rfc/rfc6749#section-5.1" in ran.out


def test_clauses_in_json_have_the_shape_of_the_contract(grantproof: CommandLine) -> None:
    ran = grantproof("clauses", "--format", "json")
    assert ran.code == 0
    rows = json.loads(ran.out)["clauses"]
    assert {row["id"] for row in rows} == {clause.id for clause in load_registry()}
    types = {
        "id": str, "spec": str, "section": str, "level": str, "levels": dict, "grants": list, "statement": str,
        "url": str, "requirements": list, "checks": list, "untestable": str | None, "faults": list,
    }  # fmt: skip
    for row in rows:
        assert list(row) == list(types)
        assert all(isinstance(row[name], kind) for name, kind in types.items()), row["id"]
    (row,) = [row for row in rows if row["id"] == STATUS_200]
    assert (row["spec"], row["section"], row["level"]) == ("rfc6749", "5.1", "MUST")
    assert "success_has_status_201" in row["faults"]
    assert row["checks"] == ["rfc6749/test_5_1_success.py::test_success_has_status_200"]


@pytest.mark.parametrize(("style", "head"), [("table", "specification  "), ("markdown", "| specification | clauses |")])
def test_clauses_as_a_table(grantproof: CommandLine, style: str, head: str) -> None:
    ran = grantproof("clauses", "--format", style)
    assert ran.code == 0
    assert ran.out.startswith(head)
    assert ("| clause | level |" in ran.out) is (style == "markdown")
    words = ran.out.split("\n\n")[0].splitlines()[-1].replace("|", " ").split()
    assert words[:2] == ["all", str(len(load_registry()))]
    checked, untestable, still_open = map(int, words[2:5])
    assert checked + untestable + still_open == len(load_registry())


@pytest.mark.parametrize("name", ["conformance", "loadtests", "profiles"])
def test_path_says_where_the_content_is(grantproof: CommandLine, name: str) -> None:
    ran = grantproof("path", name)
    assert (ran.code, ran.out) == (0, f"{content_root(name)}\n")


def test_schema_holds_for_the_embedded_profile(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = grantproof("schema")
    assert ran.code == 0
    schema, document = json.loads(ran.out), tomllib.loads(lawful_profile.read_text("utf-8"))
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "politness": {}}, schema)


def test_serve_lists_faults_and_oddities(grantproof: CommandLine) -> None:
    ran = grantproof("serve", "--list")
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["fault", "success_has_status_201", STATUS_200] in lines
    assert {line[0] for line in lines} == {"fault", "oddity"}


def test_a_reader_that_goes_away_is_no_verdict(grantproof: CommandLine) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            grantproof.command("clauses", "--format", "json"),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=grantproof.environ,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_a_page_is_written_though_nobody_reads_what_is_said(grantproof: CommandLine, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = ("load", "--idp", "embedded", "--rate", "20", "--duration", "1s", "--out", str(tmp_path))
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            grantproof.command(*words),
            stdout=gone,
            stderr=subprocess.DEVNULL,
            timeout=100,
            env=grantproof.environ,
            check=False,
        )
    assert (done.returncode, (tmp_path / "report.html").is_file()) == (141, True)


# init


def test_init_drafts_a_profile_from_metadata(grantproof: CommandLine, lawful_profile: Path) -> None:
    issuer = value_of(lawful_profile, "target", "issuer")
    ran = grantproof("init", issuer, "-o", "mine.toml")
    assert ran.code == 0, ran
    assert "grantproof preflight --idp mine.toml" in ran.out
    text = (grantproof.folder / "mine.toml").read_text("utf-8")
    document = tomllib.loads(text)
    assert document["target"]["issuer"] == issuer
    assert document["clients"]["service"]["grants"] == ["client_credentials"]
    assert f'# token = "{issuer}/token"' in text
    assert document["load"]["allowed"] is True
    again = grantproof("init", issuer, "-o", "mine.toml")
    assert (again.code, again.err.splitlines()[0]) == (2, "grantproof: mine.toml exists")


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"])
def test_init_takes_the_metadata_address_too(grantproof: CommandLine, lawful_profile: Path, path: str) -> None:
    issuer = value_of(lawful_profile, "target", "issuer")
    ran = grantproof("init", issuer + path)
    assert ran.code == 0, ran
    assert tomllib.loads(ran.out)["target"]["issuer"] == issuer


def test_init_proposes_the_login_step_that_it_sees(grantproof: CommandLine, lawful_profile: Path) -> None:
    issuer = value_of(lawful_profile, "target", "issuer")
    named = ("--client-id", "spa-single", "--redirect-uri", "https://single.example/cb")
    document = tomllib.loads(grantproof("init", issuer, *named).out)
    assert document["clients"]["spa"]["id"] == "spa-single"
    assert document["clients"]["spa"]["redirect_uris"] == ["https://single.example/cb"]
    (step,) = document["login"]["steps"]
    assert step == {
        "when": "form#login",
        "fill": {"username": "${user.username}", "password": "${user.password}"},
    }
    unknown = grantproof("init", issuer, "--client-id", "nobody", "--redirect-uri", "https://single.example/cb")
    assert "no login form was found: status 400, title 'This request cannot be answered', no form" in unknown.out
    assert "login" not in tomllib.loads(unknown.out)
    assert "give --client-id and --redirect-uri" in grantproof("init", issuer).out
    assert grantproof("init", issuer, "--client-id", "spa-single").code == 2


def test_a_proposed_login_passes_preflight(grantproof: CommandLine, lawful_profile: Path) -> None:
    issuer = value_of(lawful_profile, "target", "issuer")
    named = ("--client-id", "spa-single", "--redirect-uri", "https://single.example/cb")
    text = grantproof("init", issuer, *named).out
    text = text.replace("scopes = []", 'scopes = ["read"]').replace('username = ""', 'username = "alice"')
    text = text.replace("[clients.service]", "[clients.gone]").replace('\nid = ""', '\nid = "gone"')
    text = text.replace(
        "${USER_PASSWORD:?set it to the test user's password}", value_of(lawful_profile, "user", "password")
    )
    text = text.replace("${SERVICE_SECRET:?set it to the client's secret}", "not-checked-here")
    text = text.replace('# when = "form.consent"', 'when = "form#consent"').replace(
        "# [[login.steps]]", "[[login.steps]]"
    )
    text = text.replace('# submit = "button[value=allow]"', 'submit = "button[value=allow]"')
    (grantproof.folder / "mine.toml").write_text(text, "utf-8")
    ran = grantproof("preflight", "--idp", "mine.toml")
    assert "ok    clients.spa: login and consent reach the redirect URI with token" in ran.out, ran


def test_init_writes_the_authority_that_it_was_told(grantproof: CommandLine) -> None:
    with embedded.start(tls=True) as profile:
        issuer, ca = value_of(profile, "target", "issuer"), profile.parent / value_of(profile, "tls", "ca")
        untrusted = grantproof("init", issuer)
        ran = grantproof("init", issuer, "--ca", ca)
        beside = profile.parent / "drafted.toml"
        ran_beside = grantproof("init", issuer, "--ca", ca, "-o", beside)
        drafted = tomllib.loads(beside.read_text("utf-8"))
    assert (untrusted.code, "its CA trusted (--ca)?" in untrusted.err) == (2, True)
    assert ran.code == ran_beside.code == 0, ran
    assert tomllib.loads(ran.out)["tls"] == {"ca": str(ca)}
    assert drafted["tls"] == {"ca": ca.name}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a b", "'https://a b' is no URL: it contains ' '"),
        ("as.example", "it must begin with https:// or http://"),
        ("https://", "it names no host"),
        ("https://[", "its host or port cannot be read"),
        ("https://me:hush-hush@as.example", "no user and no password may stand in it"),
        ("https://as.example?key=hush-hush", "it has a query"),
        ("file:///etc/passwd", "it must begin with https:// or http://"),
        ("http://127.0.0.1:9", "no connection to http://127.0.0.1:9"),
    ],
)
def test_init_refuses_what_is_no_issuer(grantproof: CommandLine, url: str, words: str) -> None:
    ran = grantproof("init", url, "-o", "mine.toml")
    assert ran.code == 2, ran
    assert words in ran.err
    assert "hush-hush" not in ran.err
    assert len(ran.err.splitlines()) <= 2
    assert list(grantproof.folder.iterdir()) == []


def test_init_into_a_folder_that_is_not_there(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = grantproof("init", value_of(lawful_profile, "target", "issuer"), "-o", "not/there.toml")
    assert ran.code == 2, ran
    assert ran.err == "grantproof: not/there.toml: cannot write the profile: No such file or directory\n"


# preflight


def wrong_lines(out: str) -> list[str]:
    return [line.removeprefix("WRONG ") for line in out.splitlines() if line.startswith("WRONG ")]


def test_preflight_holds_for_a_right_profile(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = grantproof("preflight", "--idp", lawful_profile)
    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1].startswith("all ")
    for said in ("target.issuer: ", "endpoints.token: ", "clients.service: client_secret_basic works",
                 "clients.service_jwt: private_key_jwt works", "clients.spa: login and consent reach the redirect URI",
                 "endpoints.jwks: "):  # fmt: skip
        assert f"ok    {said}" in ran.out


@pytest.mark.parametrize(
    ("old", "new", "place", "key", "message"),
    [
        ('id = "service"\n', 'id = "servise"\n', "[clients.service]", "clients.service", "got invalid_client"),
        ("{secret}", "wrong-secret-of-mine", "[clients.service]", "clients.service", "got invalid_client"),
        ('id = "spa-single"', 'id = "spa-singel"', "[clients.spa_single]", "clients.spa_single", "ended at a page"),
        ("https://single.example/cb", "https://singel.example/cb", "[clients.spa_single]", "clients.spa_single",
         "ended at a page with status 400"),
        ('username = "alice"', 'username = "alicia"', "[user]", "user",
         "are the user's name and password right? (status 200, title 'Log in', form#login with "),
        ('username = "bob"', 'username = "rob"', "[user2]", "user2", "are the user's name and password right?"),
        ('"form#login"', '"form#signin"', "[[login.steps]]", "login.steps",
         "no login step is for the page with status 200, title 'Log in', form#login with request (hidden), csrf"),
        ('"form#login"', '"form#signin"', "[[login.steps]]", "login.steps",
         "'form#signin' matches nothing on it; 'form#consent' matches nothing on it; 'form#consent' is for deny, and"),
        ('"form#login"', '"form#signin"', "[[login.steps]]", "login.steps", "; the page is kept as login-page-"),
        ("button[value=deny]", "button[value=no]", 'submit = "button[value=no]"', "login.steps[2].submit",
         "finds no 'button[value=no]'"),
        ('introspection_client = "resource_server"', 'introspection_client = "service_other"',
         "introspection_client = ", "claims.introspection_client", "is not told of a token of "),
        ("button[value=allow]", "button[value=yes]", "submit = ", "login.steps[1].submit",
         "finds no 'button[value=yes]' on its page (status 200, title "),
        ('scopes = ["read", "write"]', 'scopes = ["reed"]', "[clients.service]", "clients.service",
         "got no token (status 400, invalid_scope)"),
        ('resource = "{issuer}/resource"', 'resource = "{issuer}/elsewhere"', "resource =", "endpoints.resource",
         "status 404"),
        ("[clients.service]\n", '# x\n[clients.service]\nparameters = { grant_type = "password" }\n',
         "[clients.service]", "clients.service", "got no token"),
    ],
)  # fmt: skip
def test_preflight_names_the_line_that_is_wrong(
    grantproof: CommandLine, variant: Variant, old: str, new: str, place: str, key: str, message: str
) -> None:
    lawful = variant()
    filling = {"issuer": value_of(lawful, "target", "issuer"), "secret": value_of(lawful, "clients.service", "secret")}
    for name, value in filling.items():
        old, new = old.replace(f"{{{name}}}", value), new.replace(f"{{{name}}}", value)
    profile = variant((old, new))
    ran = grantproof("preflight", "--idp", profile)
    assert ran.code == 2, ran
    first = next(line for line in wrong_lines(ran.out) if f": {key}: " in line)
    assert first.startswith(f"{profile}:{line_of(profile, place)}: {key}: "), first
    assert message in first
    assert [secret for secret in secrets_of(profile) if secret in ran.out + ran.err] == []


def test_preflight_of_a_broken_key_file(grantproof: CommandLine, variant: Variant) -> None:
    profile = variant()
    (profile.parent / "service-jwt-key.pem").write_text("-----BEGIN PRIVATE KEY-----\nnonsense", "utf-8")
    ran = grantproof("preflight", "--idp", profile)
    assert ran.code == 2, ran
    (line,) = wrong_lines(ran.out)
    where = f"{profile}:{line_of(profile, '[clients.service_jwt]')}: clients.service_jwt: "
    assert line.startswith(f"{where}the key of clients.service_jwt of the profile cannot sign: ")


def test_preflight_of_an_unreachable_target(grantproof: CommandLine, variant: Variant) -> None:
    issuer = value_of(variant(), "target", "issuer")
    profile = variant((issuer, "http://127.0.0.1:9"))
    ran = grantproof("preflight", "--idp", profile)
    assert ran.code == 3, ran
    (line,) = wrong_lines(ran.out)
    assert line.startswith(f"{profile}:{line_of(profile, 'issuer')}: target.issuer: no connection to ")


def test_preflight_of_an_issuer_without_metadata(grantproof: CommandLine, variant: Variant) -> None:
    issuer = value_of(variant(), "target", "issuer")
    profile = variant((f'issuer = "{issuer}"', f'issuer = "{issuer}/tenant"'))
    ran = grantproof("preflight", "--idp", profile)
    assert ran.code == 2, ran
    line = line_of(profile, "issuer")
    assert f"{profile}:{line}: target.issuer: no metadata there (status 404, status 404)" in wrong_lines(ran.out)


def test_preflight_tells_that_the_issuer_is_written_differently(grantproof: CommandLine, variant: Variant) -> None:
    issuer = value_of(variant(), "target", "issuer")
    ran = grantproof("preflight", "--idp", variant((f'issuer = "{issuer}"', f'issuer = "{issuer}/"')))
    assert f'take a look: issuer is "{issuer}", but the profile\'s is "{issuer}/"' in ran.out


def test_preflight_without_clients(grantproof: CommandLine) -> None:
    profile = grantproof.folder / "empty.toml"
    profile.write_text('[endpoints]\ntoken = "http://127.0.0.1:9/token"\n', "utf-8")
    ran = grantproof("preflight", "--idp", profile)
    assert (ran.code, ran.out) == (2, "nothing to prove: the profile has no client\n")
