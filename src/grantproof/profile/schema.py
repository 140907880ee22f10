"""The JSON Schema of a profile, for editors that follow `#:schema`."""

from typing import Any

from grantproof.profile.model import Profile
from grantproof.profile.values import is_array, is_table

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a profile as it is written: without the keys that only grantproof sets, and without null."""
    schema = Profile.model_json_schema(by_alias=True)
    for table, injected in ((schema, ("name", "path")), (schema["$defs"]["Client"], ("name",))):
        for key in injected:
            del table["properties"][key]
    return {"$schema": DIALECT, **_written(schema), "title": "grantproof profile"}


def _written(node: object) -> Any:
    """A part of the schema with what TOML cannot say, or nobody needs, taken out."""
    if is_array(node):
        return [_written(each) for each in node]
    if not is_table(node):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {name: _property(each) for name, each in value.items()}
        elif key not in {"title", "default"} or (key == "default" and _worth_saying(value)):
            found[key] = _written(value)
    return found


def _property(node: dict[str, Any]) -> dict[str, Any]:
    choices = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if "anyOf" in node and len(choices) == 1:
        node = {**{key: value for key, value in node.items() if key != "anyOf"}, **choices[0], **_described(node)}
    found: dict[str, Any] = _written(node)
    return found


def _described(node: dict[str, Any]) -> dict[str, Any]:
    return {"description": node["description"]} if "description" in node else {}


def _worth_saying(default: object) -> bool:
    return default is not None and default not in ("", [], {})
