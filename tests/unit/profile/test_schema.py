"""The JSON Schema: it knows what the loader knows, and explains every key."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grantproof.profile.loading import read
from grantproof.profile.problems import ProfileError
from grantproof.profile.schema import json_schema
from grantproof.profile.values import is_table

SCHEMA = json_schema()


def tables(node: Any) -> Iterator[Mapping[str, Any]]:
    if is_table(node):
        if "properties" in node:
            yield node
        for each in node.values():
            yield from tables(each)


def errors(text: str) -> list[str]:
    """What an editor would underline."""
    document = json.loads(json.dumps(tomllib.loads(text), default=str))
    found: Any = jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
    return [each.json_path for each in found]


def test_it_is_a_schema_that_explains_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = list(tables(SCHEMA))
    assert len(found) == 13
    for table in found:
        assert table["additionalProperties"] is False
        for name, key in table["properties"].items():
            assert key.get("description") or SCHEMA["$defs"][key["$ref"].rpartition("/")[2]]["description"], name
            assert {"type": "null"} not in key.get("anyOf", ()), name


def test_what_only_grantproof_sets_is_not_in_it() -> None:
    assert not {"name", "path"} & set(SCHEMA["properties"])
    assert "name" not in SCHEMA["$defs"]["Client"]["properties"]
    assert "name" in SCHEMA["$defs"]["Target"]["properties"]


def test_a_good_profile_fits(everything_text: str) -> None:
    assert errors(everything_text) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[claims]\nimplict = true\n", "$.claims"),
        ("timeout_s = 0\n", "$.timeout_s"),
        ('timeout_s = "1"\n', "$.timeout_s"),
        ('[clients.a]\nsecret = "x"\n', "$.clients.a"),
        ('[clients.a]\nid = "a"\nsecret = "x"\ngrants = ["implict"]\n', "$.clients.a.grants[0]"),
        ('[login]\ndriver = "form"\n', "$.login.driver"),
        ('[[login.steps]]\ncalls = [{ method = "POST" }]\n', "$.login.steps[0].calls[0]"),
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(text: str, path: str) -> None:
    text = '[target]\nissuer = "https://as.example"\n' + text if text.startswith("[") else text
    assert errors(text) == [path]
    with pytest.raises(ProfileError):
        read(text, Path("p.toml"), {})
