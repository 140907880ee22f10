"""The model: its defaults, what it works out, and that it keeps secrets to itself."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from grantproof.profile import Client, Profile, Target
from grantproof.profile.loading import read


@pytest.fixture
def everything(everything_text: str) -> Profile:
    return read(everything_text, Path("example.toml"), {"SERVICE_SECRET": "hush-secret", "PASSWORD": "hush-ada"})


def test_everything_the_contract_names_is_read(everything: Profile) -> None:
    service, spa = everything.clients.values()
    assert (service.name, service.id, service.secret) == ("service", "service-1", "hush-secret")
    assert service.auth_methods == ("client_secret_basic", "client_secret_post")
    assert service.parameters["resource"] == ["a", "b"]
    assert (spa.auth_methods, spa.response_types, spa.public) == (("none",), ("token",), True)
    assert everything.login.origins == ("https://Login.example",)
    assert everything.login.steps[0].fill["password"] == "hush-ada"
    assert everything.login.steps[2].calls[0].body == {"password": "hush-ada"}
    assert everything.login.steps[2].goto == "{query.callback_url}"
    assert everything.waivers[0].until == date(2027, 1, 31)
    assert everything.load.mix == {"token_endpoint": 0.9, "introspect_and_use": 0.1}
    assert everything.target.name == "Example"


def test_no_repr_shows_a_secret(everything: Profile) -> None:
    parts: list[Any] = [everything, everything.target, everything.user, everything.login, *everything.login.steps]
    parts += [*everything.clients.values(), everything.login.steps[2].calls[0]]
    for part in parts:
        assert "hush" not in repr(part)
        assert "hush" not in str(part)
    assert "X-Staging-Key" in repr(everything)
    assert "'audience': 'https://api.example'" in repr(everything)


def test_secrets_are_known_to_whoever_redacts(everything: Profile) -> None:
    assert everything.secrets() == {
        "hush-secret",
        "hush-ada",
        "hush-bob",
        "hush-header",
        "hush-proxy",
        "hush-parameter",
    }


def test_no_validation_error_shows_a_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        Client(id="a", public=True, secret="hush")
    assert "a public client has no secret" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_defaults() -> None:
    profile = read('[target]\nissuer = "https://as.example"\n', Path("folder/mine.toml"), {})
    assert (profile.name, profile.target.name, profile.timeout_s) == ("mine", "mine", 10.0)
    assert (profile.login.driver, profile.politeness.max_requests, profile.load.allowed) == ("forms", 20_000, False)
    assert (profile.user, profile.user2, profile.clients, profile.waivers) == (None, None, {}, ())
    assert profile.claims.implicit is None
    assert profile.secrets() == frozenset()


@pytest.mark.parametrize(
    ("keys", "methods"),
    [
        ({"secret": "x"}, ("client_secret_basic",)),
        ({"secret": ""}, ("client_secret_basic",)),
        ({"private_key": "k.pem"}, ("private_key_jwt",)),
        ({"secret": "x", "private_key": "k.pem"}, ("client_secret_basic", "private_key_jwt")),
        ({"public": True}, ("none",)),
    ],
)
def test_authentication_methods_follow_from_the_credentials(keys: dict[str, Any], methods: tuple[str, ...]) -> None:
    assert Client.model_validate({"id": "a", **keys}).auth_methods == methods


@pytest.mark.parametrize(
    ("algorithm", "method", "signs_with"),
    [
        (None, "private_key_jwt", "RS256"),
        (None, "client_secret_jwt", "HS256"),
        ("ES256", "private_key_jwt", "ES256"),
        ("HS512", "client_secret_jwt", "HS512"),
        ("ES256", "client_secret_jwt", "HS256"),
    ],
)
def test_the_algorithm_fits_the_method(algorithm: str | None, method: str, signs_with: str) -> None:
    keys = {"id": "a", "secret": "x", "private_key": "k.pem", "auth_methods": ["private_key_jwt", "client_secret_jwt"]}
    assert Client.model_validate({**keys, "signing_alg": algorithm}).signs_with(method) == signs_with


def test_parts_can_be_put_together_in_code() -> None:
    client = Client(id="a", secret="x", grants=("client_credentials",))
    profile = Profile(name="made", target=Target(issuer="https://as.example"), clients={"service": client})
    assert profile.clients["service"].name == "service"
    assert profile.clients_for("client_credentials") == (profile.clients["service"],)
    assert profile.clients_for("implicit") == ()


def test_parts_are_frozen() -> None:
    client = Client(id="a", secret="x")
    with pytest.raises(ValidationError):
        client.id = "b"


@pytest.mark.parametrize(
    ("issuer", "token", "given", "limit"),
    [
        ("http://127.0.0.1:8000", None, None, None),
        ("http://localhost:8000/a", "http://[::1]:9/token", None, None),
        ("http://as.localhost", None, 5, 5.0),
        ("http://localhost:8000", "https://as.example/token", None, 50.0),
        ("https://127.0.0.1.example", None, None, 50.0),
        ("https://as.example", None, 7, 7.0),
    ],
)
def test_only_loopback_targets_have_no_limit(
    issuer: str, token: str | None, given: float | None, limit: float | None
) -> None:
    politeness = {} if given is None else {"requests_per_second": given}
    endpoints = {"token": token} if token else {}
    profile = Profile.model_validate({"target": {"issuer": issuer}, "endpoints": endpoints, "politeness": politeness})
    assert profile.requests_per_second == limit


def test_origins_are_those_of_everything_the_target_has(everything: Profile) -> None:
    assert everything.origins == {"https://as.example", "https://api.example", "https://login.example"}
    ports = Profile.model_validate(
        {"target": {"issuer": "https://A.example:443/x"}, "endpoints": {"token": "http://[::1]:80/"}}
    )
    assert ports.origins == {"https://a.example", "http://[::1]"}


def test_an_expression_that_python_warns_of_is_still_one() -> None:
    profile = Profile.model_validate({"target": {"issuer": "https://a"}, "login": {"steps": [{"when": "url~[[a]"}]}})
    assert profile.login.steps[0].when == "url~[[a]"
