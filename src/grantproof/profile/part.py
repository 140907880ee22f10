"""What all parts of a profile have in common: frozen, closed to unknown keys, silent about secrets."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from grantproof.profile.addresses import redirect_uri_problem, url_problem
from grantproof.profile.values import Location, array_or_empty, is_table, table_or_empty

MASK = "***"
SECRET_NAME = re.compile(
    r"secret|passw|pwd|token(?!_type)|assertion|credential|authorization|cookie|session|private|signature|api.?key|[-_]key$|[-_]auth",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Objection:
    """What is wrong at one key, before its line is known."""

    location: Location
    message: str
    hint: str = ""


def custom_error(message: str, hint: str = "") -> PydanticCustomError:
    """An error whose text reaches the user as it is; braces in it are not placeholders."""
    return PydanticCustomError("profile", "{message}", {"message": message, "hint": hint})


def refuse(title: str, objections: Iterable[Objection], known: ValidationError | None = None) -> None:
    """Raises one validation error with all objections, after those that are known already; returns if there are none.

    Raises:
        ValidationError: something is wrong.
    """
    details: list[InitErrorDetails] = []
    taken: set[Location] = set()
    for error in known.errors(include_url=False) if known else ():
        taken.add(error["loc"])
        context = error.get("ctx", {})
        kind = custom_error(context["message"], context["hint"]) if error["type"] == "profile" else error["type"]
        details.append(InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=context))
    details += [
        InitErrorDetails(type=custom_error(each.message, each.hint), loc=each.location, input=None)
        for each in objections
        if each.location not in taken
    ]
    if details:
        raise ValidationError.from_exception_data(title, details, hide_input=True)


class Part(BaseModel):
    """One table of a profile. Its repr shows no secret."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,  # halves the import; the first profile pays 8 ms
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, self.shown(name or "", value)

    def shown(self, name: str, value: object) -> object:  # noqa: ARG002 - parts with secrets in a field override it
        """What the repr shows of a field."""
        return value


def table_of(value: object) -> Mapping[str, Any]:
    """A table as it is written, or as a part that was made already; empty if it is neither."""
    return dict(value) if isinstance(value, Part) else table_or_empty(value)


def masked(values: Mapping[str, Any], *, every: bool = False) -> dict[str, Any]:
    """A table with the values masked that belong to names which look secret, or every value."""
    return {name: MASK if every or SECRET_NAME.search(name) else value for name, value in values.items()}


def secret_values(values: Mapping[str, Any]) -> list[str]:
    """The texts in a table, however deep, that belong to names which look secret."""
    found: list[str] = []
    for name, value in values.items():
        if is_table(value):
            found += secret_values(value)
        elif SECRET_NAME.search(name):
            found += [value] if isinstance(value, str) else [x for x in array_or_empty(value) if isinstance(x, str)]
    return found


def _url(value: str) -> str:
    if problem := url_problem(value):
        raise custom_error(problem)
    return value


def _redirect_uri(value: str) -> str:
    if problem := redirect_uri_problem(value):
        raise custom_error(problem)
    return value


def folder_of(info: ValidationInfo) -> Path | None:
    """The folder that relative paths start from: the profile's, if it was read from a file."""
    context: dict[str, Any] = info.context or {}
    return context.get("folder")


def beside(value: Path, info: ValidationInfo) -> Path:
    """A file named in the profile, resolved beside it; outside a file (no context) it stays as it is."""
    folder = folder_of(info)
    if folder is None:
        return value
    path = Path(folder, value.expanduser())
    if not path.is_file():
        raise custom_error(f"no file {path}", "the path is taken from the profile's folder")
    return path


Url = Annotated[str, AfterValidator(_url)]
RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]
FileBeside = Annotated[Path, Field(strict=False), AfterValidator(beside)]
Words = Annotated[tuple[str, ...], Field(strict=False)]
