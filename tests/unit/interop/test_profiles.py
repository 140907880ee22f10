"""The shipped profiles of real servers, and the example that shows every key."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import pytest
from pydantic import BaseModel

from grantproof.profile import Profile, load
from tests.interop.catalogue import ROOT, SERVERS, profile_path

EXAMPLE = ROOT / "profiles" / "example.toml"
_COMMENTED_OUT = re.compile(r"^# (\[|[a-z0-9_]+ = )", re.MULTILINE)
INJECTED = {("name",), ("path",), ("clients", "name")}
"""Fields that grantproof sets itself."""


def read(path: Path, key: Path) -> Profile:
    """A profile with made-up values for all variables of the environment that it names."""
    names = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", path.read_text("utf-8")))
    made_up = {name: "http://127.0.0.1:9" if name.endswith(("_URL", "_ISSUER")) else "made-up" for name in names}
    return load(str(path), {**made_up, **{name: str(key) for name in names if name.endswith(("_KEY", "_CA"))}})


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.touch()
    return path


WITHOUT_IMPLICIT = {"node-oauth2-server", "oauth2-mock-server", "spring-authorization-server"}
"""Servers that have no implicit grant, so that nobody is configured for it."""


@pytest.mark.parametrize("name", [*SERVERS, "example"])
def test_a_profile_is_valid_and_lets_the_grants_of_its_server_be_checked(name: str, key: Path) -> None:
    profile = read(profile_path(name), key)
    assert profile.clients_for("client_credentials")
    assert bool(profile.clients_for("implicit")) is (name not in WITHOUT_IMPLICIT)
    if name not in WITHOUT_IMPLICIT:
        assert {step.choice for step in profile.login.steps} == {None, "allow", "deny"}


@pytest.mark.parametrize("name", SERVERS)
def test_only_a_profile_of_a_server_on_loopback_allows_load(name: str, key: Path) -> None:
    profile = read(profile_path(name), key)
    assert profile.load.allowed
    assert profile.is_loopback


@pytest.mark.parametrize("name", SERVERS)
def test_a_profile_without_its_server_says_how_to_start_one(name: str) -> None:
    with pytest.raises(Exception, match=f"python -m tests.interop.serve {name} starts one"):
        load(str(profile_path(name)), {})


def test_the_example_allows_no_load(key: Path) -> None:
    assert not read(EXAMPLE, key).load.allowed


def keys_of(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of a table and of the tables in it, as they are written in a profile."""
    for name, field in model.model_fields.items():
        here = (*place, field.alias or name)
        if here in INJECTED:
            continue
        yield here
        for inner in models_in(field.annotation):
            yield from keys_of(inner, here)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, at whatever depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def shown_in(value: object, place: tuple[str, ...]) -> bool:
    """Whether a document has a value there; the name of a client and the place in an array are no part of the place."""
    if not place:
        return True
    if isinstance(value, list):
        return any(shown_in(each, place) for each in cast("list[object]", value))
    if not isinstance(value, dict):
        return False
    table = cast("dict[str, object]", value)
    if place[0] == "clients" and "clients" in table:
        return not place[1:] or any(
            shown_in(each, place[1:]) for each in cast("dict[str, object]", table["clients"]).values()
        )
    return place[0] in table and shown_in(table[place[0]], place[1:])


@pytest.mark.parametrize("place", list(keys_of(Profile)), ids=".".join)
def test_the_example_shows_every_key(place: tuple[str, ...]) -> None:
    assert shown_in(tomllib.loads(_COMMENTED_OUT.sub(r"\1", EXAMPLE.read_text("utf-8"))), place)
