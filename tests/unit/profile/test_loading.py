"""Every way a profile can be wrong, and the exact line that says so."""

from pathlib import Path
from textwrap import dedent

import pytest

from grantproof.profile.loading import MAX_BYTES, find, load, locate, read
from grantproof.profile.problems import ProfileError, key_text
from grantproof.profile.shipped import profiles_root, shipped_profiles

TARGET = '[target]\nissuer = "https://as.example"\n'
SERVICE = TARGET + '[clients.service]\nid = "s1"\n'
SPA = TARGET + '[clients.spa]\nid = "s2"\npublic = true\n'
STEP = TARGET + "[[login.steps]]\n"
TOP_KEYS = (
    "timeout_s, target, tls, endpoints, clients, user, user2, disposable_user, login, claims, politeness, load, waivers"
)
WAIVER = TARGET + '[[waivers]]\nclause = "rfc6749:5.1/pragma"\nreason = "known"\nuntil = 2027-01-31\n'


def complaints(text: str, environ: dict[str, str] | None = None) -> list[str]:
    """What is said about a profile, without the file's name."""
    with pytest.raises(ProfileError) as caught:
        read(text, Path("p.toml"), environ or {})
    return [line.removeprefix("p.toml:") for line in str(caught.value).split("\n")]


BROKEN = {
    # unknown keys
    "unknown key": (TARGET + "isuer = 1\n", "3: target.isuer: unknown key; did you mean issuer?"),
    "unknown table": ("[targt]\n" + TARGET, "1: targt: unknown key; did you mean target?"),
    "key of another table": (
        TARGET + "timeout_s = 3\n",
        "3: target.timeout_s: unknown key; it belongs to the top of the file, above the first [table]",
    ),
    "key at the top": ('issuer = "x"\n' + TARGET, "1: issuer: unknown key; it belongs to [target]"),
    "injected name": ('name = "x"\n' + TARGET, "1: name: unknown key; it belongs to [target]"),
    "injected path": (
        'path = "x"\n' + TARGET,
        f"1: path: unknown key; known keys: {TOP_KEYS}",
    ),
    "client's name": (
        SERVICE + 'secret = "x"\nname = "y"\n',
        "6: clients.service.name: unknown key; the client's name is its table's: [clients.service]",
    ),
    "unknown claim": (TARGET + "[claims]\nimplict = true\n", "4: claims.implict: unknown key; did you mean implicit?"),
    "step's key": (STEP + 'choise = "deny"\n', "4: login.steps[0].choise: unknown key; did you mean choice?"),
    # types
    "number as text": ('timeout_s = "10"\n' + TARGET, '1: timeout_s: must be a number, not "10"'),
    "truth as text": (
        TARGET + '[load]\nallowed = "yes"\n',
        '4: load.allowed: must be true or false, not "yes"',
    ),
    "truth as number": (TARGET + "[load]\nallowed = 1\n", "4: load.allowed: must be true or false, not 1"),
    "text as number": ("[target]\nissuer = 5\n", "2: target.issuer: must be a string, not 5"),
    "table as text": ('target = "x"\n', '1: target: must be a table, not "x"'),
    "array as text": (
        SERVICE + 'secret = "x"\ngrants = "client_credentials"\n',
        '6: clients.service.grants: must be an array, not "client_credentials"; write it as ["client_credentials"]',
    ),
    "array of numbers": (
        SERVICE + 'secret = "x"\nscopes = ["a",\n 2]\n',
        "7: clients.service.scopes[1]: must be a string, not 2",
    ),
    "array of tables as table": (TARGET + "[waivers]\nx = 1\n", "3: waivers: must be an array, not a table"),
    "date as text": (
        WAIVER.replace("2027-01-31", '"2027-01-31"'),
        '6: waivers[0].until: must be a date such as 2027-01-31, without quotes, not "2027-01-31"',
    ),
    "parameter": (
        SERVICE + 'secret = "x"\nparameters = { audience = 5 }\n',
        "6: clients.service.parameters.audience: must be a string or an array of strings",
    ),
    "whole number": (
        TARGET + "[politeness]\nmax_requests = 1.5\n",
        "4: politeness.max_requests: must be a whole number, not 1.5",
    ),
    # bounds
    "no time at all": ("timeout_s = 0\n" + TARGET, "1: timeout_s: must be greater than 0, not 0"),
    "no number": ("timeout_s = nan\n" + TARGET, "1: timeout_s: must be a finite number"),
    "negative share": (
        TARGET + "[load]\nmix = { a = -1 }\n",
        "4: load.mix.a: must be greater than or equal to 0, not -1",
    ),
    "empty id": (TARGET + '[clients.a]\nid = ""\nsecret = "x"\n', "4: clients.a.id: must not be empty"),
    "missing": (TARGET + '[clients.a]\nsecret = "x"\n', "3: clients.a.id: is missing"),
    "missing in an array": (
        WAIVER.replace('reason = "known"\n', ""),
        "3: waivers[0].reason: is missing",
    ),
    # choices
    "method": (
        SERVICE + 'secret = "x"\nauth_methods = [\n "client_secret_basc",\n]\n',
        '7: clients.service.auth_methods[0]: "client_secret_basc" is not known; did you mean client_secret_basic?',
    ),
    "grant": (
        SERVICE + 'secret = "x"\ngrants = ["client-credentials"]\n',
        '6: clients.service.grants[0]: "client-credentials" is not known; did you mean client_credentials?',
    ),
    "driver": (
        TARGET + '[login]\ndriver = "form"\n',
        '4: login.driver: "form" is not known; did you mean forms?',
    ),
    "far from all": (
        TARGET + '[login]\ndriver = "xyz"\n',
        '4: login.driver: "xyz" is not known; known: forms, browser, command',
    ),
    "algorithm": (
        SERVICE + 'secret = "x"\nsigning_alg = "RS255"\n',
        '6: clients.service.signing_alg: "RS255" is not known; did you mean RS256?',
    ),
    "response type": (
        SPA + 'grants = ["implicit"]\nredirect_uris = ["https://a/cb"]\nresponse_types = ["tokn"]\n',
        '8: clients.spa.response_types[0]: "tokn" is no response type; did you mean token?',
    ),
    # across keys
    "public with a secret": (
        SPA + 'secret = "x"\n',
        "6: clients.spa.secret: a public client has no secret; drop it, or drop public = true",
    ),
    "public with a method": (
        SPA + 'auth_methods = ["client_secret_post"]\n',
        '6: clients.spa.auth_methods[0]: a public client authenticates with "none" only',
    ),
    "public with client credentials": (
        SPA + 'grants = ["client_credentials"]\n',
        "6: clients.spa.grants[0]: a public client cannot have the client_credentials grant",
    ),
    "no credentials": (SERVICE, "3: clients.service: needs a secret, or a private_key, or public = true"),
    "none for a confidential one": (
        SERVICE + 'secret = "x"\nauth_methods = ["none"]\n',
        '6: clients.service.auth_methods[0]: "none" is for public clients; public = true',
    ),
    "key for an assertion": (
        SERVICE + 'secret = "x"\nauth_methods = ["private_key_jwt"]\n',
        "6: clients.service.auth_methods[0]: private_key_jwt needs private_key, a PEM file beside the profile",
    ),
    "algorithm of the other kind": (
        SERVICE + 'secret = "x"\nauth_methods = ["client_secret_jwt"]\nsigning_alg = "RS256"\n',
        "7: clients.service.signing_alg: RS256 does not go with client_secret_jwt",
    ),
    "implicit without redirect URI": (
        SPA + 'grants = ["implicit"]\n',
        "6: clients.spa.grants: a client with the implicit grant needs redirect_uris",
    ),
    "implicit with no redirect URI": (
        SPA + 'grants = ["implicit"]\nredirect_uris = []\n',
        "7: clients.spa.redirect_uris: a client with the implicit grant needs redirect_uris",
    ),
    "introspection client": (
        SERVICE + 'secret = "x"\n[claims]\nintrospection_client = "servic"\n',
        '7: claims.introspection_client: there is no client "servic"; did you mean service?',
    ),
    "command missing": (
        TARGET + '[login]\ndriver = "command"\n',
        '4: login.driver: the command driver needs command; command = ["./login.sh"]',
    ),
    "command unused": (
        TARGET + '[login]\ncommand = ["login"]\n',
        '4: login.command: the forms driver runs no command; driver = "command"',
    ),
    "step goes two ways": (
        STEP + 'goto = "https://a/"\nsubmit = "button"\n',
        "4: login.steps[0].goto: a step goes to a URL or submits, not both",
    ),
    "neither issuer nor endpoints": (
        '[target]\nname = "x"\n',
        "1: target.issuer: is missing; or give the target's [endpoints]",
    ),
    "no target": ("timeout_s = 1\n", "1: target: is missing; give the target's issuer, or its endpoints"),
    "client's table name": (
        TARGET + '[clients."a b"]\nid = "x"\nsecret = "y"\n',
        '3: clients."a b": a client\'s name is made of letters, digits, _ and -',
    ),
    # values
    "issuer's query": (
        '[target]\nissuer = "https://as.example/?a"\n',
        '2: target.issuer: "https://as.example/?a" is no issuer: it has a query',
    ),
    "endpoint's scheme": (
        '[endpoints]\ntoken = "ftp://as.example"\n',
        '2: endpoints.token: "ftp://as.example" is no URL to use here: it must begin with https:// or http://',
    ),
    "password in a URL": (
        '[endpoints]\ntoken = "https://u:hush@as.example"\n',
        "2: endpoints.token: the value is no URL to use here: no user and no password may stand in it",
    ),
    "redirect URI's fragment": (
        SPA + 'redirect_uris = ["https://a/cb#x"]\n',
        '6: clients.spa.redirect_uris[0]: "https://a/cb#x" is no redirect URI: it has a fragment',
    ),
    "origin": (
        TARGET + '[login]\norigins = ["https://a/b"]\n',
        '4: login.origins[0]: "https://a/b" is no origin: an origin ends after host and port',
    ),
    "relative redirect URI": (
        SPA + 'redirect_uris = ["/cb"]\n',
        '6: clients.spa.redirect_uris[0]: "/cb" is no redirect URI: it begins with no scheme',
    ),
    "redirect URI's port": (
        SPA + 'redirect_uris = ["https://a:x/cb"]\n',
        '6: clients.spa.redirect_uris[0]: "https://a:x/cb" is no URI: its host or port cannot be read',
    ),
    "redirect URI's space": (
        SPA + 'redirect_uris = ["https://a/c b"]\n',
        "6: clients.spa.redirect_uris[0]: \"https://a/c b\" is no URI: it contains ' '",
    ),
    "endpoint's host": (
        '[endpoints]\ntoken = "https://"\n',
        '2: endpoints.token: "https://" is no URL to use here: it names no host',
    ),
    "origin's scheme": (
        TARGET + '[login]\norigins = ["a.example"]\n',
        '4: login.origins[0]: "a.example" is no URL to use here: it must begin with https:// or http://',
    ),
    "proxy's port": (
        '[target]\nissuer = "https://a"\nproxy = "http://b:x"\n',
        '3: target.proxy: is no URL of a proxy; write it as "http://host:port"',
    ),
    "empty selector": (
        STEP + 'submit = " "\n',
        "4: login.steps[0].submit: a CSS selector is not empty; leave the key out to match any page with a form",
    ),
    "command's file": (
        TARGET + '[login]\ndriver = "command"\ncommand = ["./nope.sh"]\n',
        f"5: login.command: no file {Path.cwd() / 'nope.sh'}; the path is taken from the profile's folder",
    ),
    "header's name": (
        '[target]\nissuer = "https://a"\nheaders = { "a b" = "x" }\n',
        "3: target.headers: 'a b' is no header name",
    ),
    "header's value": (
        '[target]\nissuer = "https://a"\nheaders = { X-A = "hush\\nY: b" }\n',
        "3: target.headers: the value of X-A does not fit in a header",
    ),
    "proxy": (
        '[target]\nissuer = "https://a"\nproxy = "u:hush@b"\n',
        '3: target.proxy: is no URL of a proxy; write it as "http://host:port"',
    ),
    "condition's expression": (
        STEP + 'when = "url~("\n',
        "4: login.steps[0].when: no regular expression after url~: missing ), unterminated subpattern at position 0",
    ),
    "condition's selector": (
        STEP + 'when = "form["\n',
        "4: login.steps[0].when: \"form[\" is no CSS selector: Expected ident or '*', got <EOF at 5>",
    ),
    "clause id": (
        WAIVER.replace("/pragma", ""),
        '4: waivers[0].clause: "rfc6749:5.1" is no clause id; clause ids look like rfc6749:5.2/unsupported-grant-type',
    ),
    "file beside": (
        TARGET + '[tls]\nca = "nope.pem"\n',
        f"4: tls.ca: no file {Path.cwd() / 'nope.pem'}; the path is taken from the profile's folder",
    ),
    # syntax
    "syntax": (TARGET + "a = \n", "3: no TOML: Invalid value"),
    "syntax at the end": (TARGET + 'a = """x\n', "3: no TOML: Unterminated string"),
    "twice": ("a = 1\na = 2\n", "2: no TOML: Cannot overwrite a value"),
}


@pytest.mark.parametrize(("text", "complaint"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_said_with_its_line(text: str, complaint: str) -> None:
    assert complaints(text) == [complaint]


def test_all_errors_come_at_once_and_in_order() -> None:
    text = dedent("""\
        timeout_s = "10"
        [target]
        issuer = "as.example"
        headers = { X-Key = 5 }
        [clients.service]
        id = "${ID}"
        secret = 5
        auth_methods = ["client_secret_basc", "private_key_jwt"]
        [clients.spa]
        id = "spa"
        public = true
        secret = "hush"
        grants = ["implicit", "implict"]
        [user]
        username = "u"
        password = "${PASSWORD:?ask the administrator}"
        [login]
        driver = "forms"
        [[login.steps]]
        fill = { password = "${user.passwort}" }
        [[login.steps]]
        when = "url~["
        choise = "deny"
        [claims]
        introspection_client = "servic"
        """)
    assert complaints(text) == [
        '1: timeout_s: must be a number, not "10"',
        '3: target.issuer: "as.example" is no URL to use here: it must begin with https:// or http://',
        "4: target.headers.X-Key: must be a string",
        "6: clients.service.id: the variable ID is not set",
        "7: clients.service.secret: must be a string",
        '8: clients.service.auth_methods[0]: "client_secret_basc" is not known; did you mean client_secret_basic?',
        "8: clients.service.auth_methods[1]: private_key_jwt needs private_key, a PEM file beside the profile",
        "12: clients.spa.secret: a public client has no secret; drop it, or drop public = true",
        "13: clients.spa.grants: a client with the implicit grant needs redirect_uris",
        '13: clients.spa.grants[1]: "implict" is not known; did you mean implicit?',
        "16: user.password: the variable PASSWORD is not set: ask the administrator",
        "20: login.steps[0].fill.password: the profile has no user.passwort; did you mean password?",
        "22: login.steps[1].when: no regular expression after url~: unterminated character set at position 0",
        "23: login.steps[1].choise: unknown key; did you mean choice?",
        '25: claims.introspection_client: there is no client "servic"; did you mean service?',
    ]


def test_a_variable_s_value_is_never_shown() -> None:
    text = TARGET.replace("https://as.example", "${ISSUER}") + '[login]\ndriver = "${DRIVER}"\n'
    said = "\n".join(complaints(text, {"ISSUER": "hush-1", "DRIVER": "hush-2"}))
    assert "hush" not in said
    assert '"${ISSUER}" is no URL' in said


@pytest.mark.parametrize(
    "table",
    [
        '[clients.a]\nid = "a"\nsecret = ["hush"]\n',
        '[clients.a]\nid = "a"\nsecret = "x"\nparameters = { api_key = { a = "hush" } }\n',
        '[user]\nusername = "u"\npassword = { a = "hush" }\n',
        '[[login.steps]]\nfill = { x = ["hush"] }\n',
        '[[login.steps]]\ncalls = [{ url = "x", json = "hush" }]\n',
        '[login]\ncommand = "hush"\n',
    ],
)
def test_a_wrong_secret_is_never_shown(table: str) -> None:
    said = complaints(TARGET + table)
    assert said
    assert "hush" not in "\n".join(said)


def test_long_and_strange_values_are_bounded_and_escaped() -> None:
    (said,) = complaints(f'timeout_s = "\\u001b[31m{"x" * 5_000}"\n' + TARGET)
    assert len(said) < 150
    assert "\x1b" not in said


def test_problems_carry_their_parts() -> None:
    with pytest.raises(ProfileError) as caught:
        read(TARGET + "isuer = 1\n", Path("p.toml"), {})
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("p.toml", 3, "target.isuer")
    assert (problem.message, problem.hint) == ("unknown key", "did you mean issuer?")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"# \xff\n", ":1: is not UTF-8, as TOML has to be"),
        (b"\n\n# \xff\n", ":3: is not UTF-8, as TOML has to be"),
        (b"#" * (MAX_BYTES + 1), ": is larger than 1 MiB; that is no profile"),
        (b"a = " + b"[" * 3_000 + b"]" * 3_000, ": is nested too deeply"),
        (b"a = " + b"9" * 5_000, ""),
    ],
    ids=["latin-1", "latin-1 below", "huge", "deep", "long number"],
)
def test_what_is_no_profile_is_one_clear_error(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(content)
    with pytest.raises(ProfileError) as caught:
        load(str(path), {})
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(f"{path}{complaint}")


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "keycloak.toml").write_text(TARGET)
    with pytest.raises(ProfileError, match=r"keyclok\.toml: there is no such file; did you mean keycloak\.toml\?"):
        load(str(tmp_path / "keyclok.toml"), {})
    with pytest.raises(ProfileError, match="is a folder, not a profile"):
        load(str(tmp_path) + "/", {})
    with pytest.raises(ProfileError, match="cannot be read"):
        load("a\0/b.toml", {})


def test_names_are_those_of_shipped_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {"hydra": tmp_path / "hydra.toml", "keycloak": tmp_path / "keycloak.toml"}
    monkeypatch.setattr("grantproof.profile.loading.shipped_profiles", lambda: shipped)
    monkeypatch.chdir(tmp_path)
    assert find("hydra") == tmp_path / "hydra.toml"
    assert find("./hydra") == Path("hydra")
    assert find("other.toml") == Path("other.toml")
    with pytest.raises(ProfileError) as caught:
        find("keyclock")
    assert str(caught.value) == "keyclock: no profile of this name; shipped: hydra, keycloak; did you mean keycloak?"
    (tmp_path / "mine.toml").write_text(TARGET)
    with pytest.raises(ProfileError, match=r"for the file, write \./mine\.toml"):
        find("mine")


def test_a_profile_knows_its_file_and_finds_what_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for name in ("ca.pem", "key.pem", "login.sh"):
        (tmp_path / name).write_text("x")
    path.write_text(
        "\ufeff" + TARGET + '[tls]\nca = "ca.pem"\n[clients.a]\nid = "a"\nprivate_key = "key.pem"\n'
        '[login]\ndriver = "command"\ncommand = ["./login.sh", "-x"]\n'
    )
    profile = load(str(path), {})
    assert (profile.name, profile.path, profile.target.name) == ("mine", path, "mine")
    assert profile.tls.ca == tmp_path / "ca.pem"
    assert profile.clients["a"].private_key == tmp_path / "key.pem"
    assert profile.login.command == (str(tmp_path / "login.sh"), "-x")
    assert locate(profile, "clients.a.private_key") == f"{path}:7"
    assert locate(profile, "clients.a.secret") == f"{path}:5"
    assert locate(profile, "") == f"{path}:1"


def test_a_key_of_no_file_or_a_changed_one_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TARGET)
    profile = load(str(path), {})
    path.write_text("[[[ nonsense")
    assert locate(profile, "target") == str(path)
    path.unlink()
    assert locate(profile, "target") == str(path)
    assert locate(profile.model_copy(update={"path": None}), "target") == "mine"


def test_shipped_profiles_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", ".hidden.toml", "notes.md"):
        (tmp_path / name).write_text(TARGET)
    assert shipped_profiles(tmp_path) == {"a": tmp_path / "a.toml", "b": tmp_path / "b.toml"}
    assert profiles_root().is_dir()


def test_keys_are_written_as_the_user_writes_them() -> None:
    assert key_text(("login", "steps", 0, "when")) == "login.steps[0].when"
    assert key_text(("clients", "a b\n", "id")) == 'clients."a b\\n".id'
