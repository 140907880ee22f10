"""The shipped profiles of real servers, and the example that shows every key."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from grantproof.profile import Profile, load
from tests.interop.catalogue import ROOT, SERVERS, profile_path

EXAMPLE = ROOT / "profiles" / "example.toml"
INJECTED = {("name",), ("path",), ("clients", "name")}
"""Fields that grantproof sets itself."""


def read(path: Path, key: Path) -> Profile:
    """A profile with made-up values for all variables of the environment that it names."""
    names = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", path.read_text("utf-8")))
    made_up = {name: "http://127.0.0.1:9" if name.endswith(("_URL", "_ISSUER")) else "made-up" for name in names}
    return load(str(path), {**made_up, **{name: str(key) for name in names if name.endswith("_KEY")}})


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.touch()
    return path


@pytest.mark.parametrize("name", [*SERVERS, "example"])
def test_a_profile_is_valid_and_lets_both_grants_be_checked(name: str, key: Path) -> None:
    profile = read(profile_path(name), key)
    assert profile.clients_for("client_credentials")
    assert profile.clients_for("implicit")
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


@pytest.mark.parametrize("place", list(keys_of(Profile)), ids=".".join)
def test_the_example_shows_every_key(place: tuple[str, ...]) -> None:
    text = EXAMPLE.read_text("utf-8")
    table = r"^(# )?\[+" + re.escape(".".join(place))
    value = rf"^(# )?{re.escape(place[-1])} = "
    assert re.search(table, text, re.MULTILINE) or re.search(value, text, re.MULTILINE)
