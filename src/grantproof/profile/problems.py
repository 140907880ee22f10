"""What is wrong with a profile, in the user's words: file, line, key, message, near miss."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from grantproof.errors import GrantproofError
from grantproof.profile import model
from grantproof.profile.addresses import VALUE
from grantproof.profile.near import near_miss
from grantproof.profile.part import SECRET_NAME, Objection, Part
from grantproof.profile.values import Location, is_array, is_table, lookup

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Problem:
    """One thing to put right in a profile."""

    file: str
    line: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        parts = [where, *([self.key] if self.key else []), self.message]
        return ": ".join(parts) + (f"; {self.hint}" if self.hint else "")


class ProfileError(GrantproofError):
    """A profile that cannot be used; its text has one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (each.line, each.key, each.message)))
        super().__init__("\n".join(map(str, self.problems)))


TABLES: Mapping[Location, type[Part]] = {
    (): model.Profile,
    ("target",): model.Target,
    ("tls",): model.Tls,
    ("endpoints",): model.Endpoints,
    ("clients", "*"): model.Client,
    ("user",): model.User,
    ("user2",): model.User,
    ("disposable_user",): model.User,
    ("login",): model.Login,
    ("login", "steps", 0): model.LoginStep,
    ("login", "steps", 0, "calls", 0): model.Call,
    ("claims",): model.Claims,
    ("politeness",): model.Politeness,
    ("load",): model.Load,
    ("waivers", 0): model.Waiver,
}
INJECTED: Mapping[Location, tuple[str, ...]] = {(): ("name", "path"), ("clients", "*"): ("name",)}
_USER_IN_URL = re.compile(r"//[^/]*@")
_SECRET_TABLES = frozenset({"headers", "fill", "json"})
_SECRET_KEYS = frozenset({"secret", "password", "proxy", "command"})

_MESSAGES = {
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2027-01-31, without quotes",
    "dict_type": "must be a table",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "missing": "is missing",
    "model_type": "must be a table",
    "path_type": "must be a string",
    "string_type": "must be a string",
    "tuple_type": "must be an array",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def objections_of(error: "ValidationError", raw: Mapping[str, Any]) -> list[Objection]:
    """The schema's errors in our words.

    Args:
        error: what the model said.
        raw: the document as it stands in the file, so that a variable's value is never shown.
    """
    details = [each for each in error.errors(include_url=False) if each["type"] != "default_factory_not_called"]
    places = {each["loc"] for each in details}
    found: dict[Location, Objection] = {}
    for each in details:
        location = each["loc"]
        inner = any(place[: len(location)] == location and place != location for place in places)
        if each["type"] == "too_short" and inner:
            continue
        objection = _objection(each, raw)
        found.setdefault(objection.location, objection)
    return list(found.values())


def key_text(location: Location) -> str:
    """A path as the user would write it: `login.steps[0].when`."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _plain(step) else json.dumps(step[:60]))
    return text


def unknown_key(location: Location) -> Objection:
    """What to say about a key that no table has."""
    *around, key = location
    shape = _shape(tuple(around))
    known = keys_of(shape)
    homes = [table for table in TABLES if str(key) in keys_of(table)]
    if homes:
        hint = f"it belongs to {_table_text(homes[0])}"
    else:
        hint = near_miss(str(key), known) or (f"known keys: {', '.join(known)}" if known else "")
    return Objection(location, "unknown key", hint)


def keys_of(shape: Location) -> list[str]:
    """The keys that a table may have, as they are written."""
    table = TABLES.get(shape)
    if table is None:
        return []
    injected = INJECTED.get(shape, ())
    return [field.alias or name for name, field in table.model_fields.items() if name not in injected]


def _plain(text: str) -> bool:
    return bool(text) and all(each.isascii() and (each.isalnum() or each in "_-") for each in text)


def _shape(location: Location) -> Location:
    shape = tuple(0 if isinstance(step, int) else step for step in location)
    return ("clients", "*") if len(shape) == 2 and shape[0] == "clients" else shape


def _table_text(shape: Location) -> str:
    if not shape:
        return "the top of the file, above the first [table]"
    text = key_text(tuple(step for step in shape if step != 0)).replace('"*"', "NAME")
    return f"[[{text}]]" if shape[-1] == 0 else f"[{text}]"


def _objection(error: "ErrorDetails", raw: Mapping[str, Any]) -> Objection:
    kind, location = error["type"], error["loc"]
    context = error.get("ctx", {})
    if len(location) > 4 and location[0] == "clients" and location[2] == "parameters" and kind != "profile":
        return Objection(location[:4], "must be a string or an array of strings")
    shown = _shown(raw, location)
    if kind == "profile":
        return Objection(location, context["message"].replace(VALUE, shown or "the value"), context["hint"])
    if kind == "extra_forbidden":
        return unknown_key(location)
    if kind == "literal_error":
        return _not_known(location, shown, raw)
    if kind in _BOUNDS:
        bound = context[_BOUNDS[kind]]
        words = kind.replace("_", " ").replace("than equal", "than or equal to")
        message = f"must be {words} {bound:g}" if isinstance(bound, float) else f"must be {words} {bound}"
    else:
        message = _MESSAGES.get(kind, error["msg"][:1].lower() + error["msg"][1:])
    if kind.endswith("_type") or kind in _BOUNDS:
        message += f", not {shown}" if shown else ""
    hint = f"write it as [{shown}]" if kind == "tuple_type" and shown.startswith('"') else ""
    return Objection(location, message, hint)


def _not_known(location: Location, shown: str, raw: Mapping[str, Any]) -> Objection:
    value = lookup(raw, location)
    known = _choices(location)
    hint = near_miss(value, known) if isinstance(value, str) else ""
    return Objection(location, f"{shown or 'the value'} is not known", hint or f"known: {', '.join(known)}")


def _choices(location: Location) -> tuple[str, ...]:
    *around, key = location if isinstance(location[-1], str) else location[:-1]
    table = TABLES[_shape(tuple(around))]
    return _literals(table.model_fields[str(key)].annotation)


def _literals(annotation: object) -> tuple[str, ...]:
    found: list[str] = []
    for each in get_args(annotation):
        found += [each] if isinstance(each, str) else _literals(each)
    return tuple(found)


def is_secret(location: Location) -> bool:
    """Whether the value at a path must never be shown."""
    steps = [step for step in location if isinstance(step, str)]
    if _SECRET_TABLES.intersection(steps) or _SECRET_KEYS.intersection(steps[-1:]):
        return True
    return len(steps) > 3 and steps[2] == "parameters" and bool(SECRET_NAME.search(steps[3]))


def _shown(raw: Mapping[str, Any], location: Location) -> str:
    """The value at a path as it stands in the file, bounded; empty where it is secret or absent."""
    value = lookup(raw, location)
    if value is None or is_secret(location) or (isinstance(value, str) and _USER_IN_URL.search(value)):
        return ""
    if is_table(value) or is_array(value):
        return "a table" if is_table(value) else "an array"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=not value.isprintable())
        return text if len(text) <= 80 else text[:76] + '..."'
    return str(value).lower() if isinstance(value, bool) else str(value)[:80]
