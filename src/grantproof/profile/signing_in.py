"""How a test user signs in at the target: the driver and its steps."""

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from grantproof.profile.addresses import VALUE, origin_problem, without_query
from grantproof.profile.part import Objection, Part, custom_error, folder_of, masked, refuse, table_of
from grantproof.profile.values import array_or_empty, is_table

Driver = Literal["forms", "browser", "command"]
URL_PATTERN = "url~"


def _condition(value: str) -> str:
    if not value.startswith(URL_PATTERN):
        return _selector(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an expression that a later Python may read otherwise is still one
            re.compile(value.removeprefix(URL_PATTERN))
    except (re.error, RecursionError, OverflowError) as error:
        raise custom_error(f"no regular expression after url~: {error}") from None
    return value


def _selector(value: str) -> str:
    if not value.strip():
        raise custom_error("a CSS selector is not empty", "leave the key out to match any page with a form")
    return value


def _origin(value: str) -> str:
    if problem := origin_problem(value):
        raise custom_error(problem)
    return value.rstrip("/")


def _command(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    folder = folder_of(info)
    if not value or folder is None or "/" not in value[0]:
        return value
    program = Path(folder, Path(value[0]).expanduser())
    if not program.is_file():
        raise custom_error(f"no file {program}", "the path is taken from the profile's folder")
    return (str(program.absolute()), *value[1:])


class Call(Part):
    """One call to the API of a single-page login."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="The HTTP method.")
    url: str = Field(min_length=1, description="Absolute, or relative to the page; {query.NAME} and {json.NAME} work.")
    body: dict[str, Any] | None = Field(default=None, alias="json", description="Sent as JSON.")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent beside the usual ones.")

    def shown(self, name: str, value: object) -> object:
        """What the repr shows of a field."""
        if name == "url":
            return without_query(self.url)
        return masked(value, every=True) if is_table(value) else value


class LoginStep(Part):
    """What to do on one page of the login."""

    when: Annotated[str, AfterValidator(_condition)] | None = Field(
        default=None,
        description='A CSS selector the page must match, or "url~REGEX"; left out: any page with a form.',
    )
    choice: Literal["allow", "deny"] | None = Field(
        default=None, description="This step only when consent is to be given, or refused; left out: both."
    )
    fill: dict[str, str] = Field(default_factory=dict, description="Form fields by name.")
    submit: Annotated[str, AfterValidator(_selector)] | None = Field(
        default=None, description="The button or link to activate; left out: the form's first submit button."
    )
    calls: Annotated[tuple[Call, ...], Field(strict=False)] = Field(
        default=(), description="Single-page logins: calls to the page's API, in this order."
    )
    goto: str | None = Field(
        default=None, min_length=1, description="Where to go after the calls; {query.NAME} and {json.NAME} work."
    )

    def shown(self, name: str, value: object) -> object:
        """What the repr shows of a field."""
        if name == "fill":
            return masked(self.fill, every=True)
        return without_query(self.goto) if name == "goto" and self.goto else value


class Login(Part):
    """How a test user signs in and consents."""

    driver: Driver = Field(default="forms", description="forms, browser (needs the extra), or command.")
    command: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_command)] = Field(
        default=(),
        description="For the command driver: gets the URL as argument, GRANTPROOF_CHOICE, GRANTPROOF_USERNAME and "
        "GRANTPROOF_PASSWORD in the environment; prints the final URL.",
    )
    steps: Annotated[tuple[LoginStep, ...], Field(strict=False)] = Field(
        default=(), description="For each page that comes, the first step whose `when` matches acts."
    )
    origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], Field(strict=False)] = Field(
        default=(), description="Further origins that the target's login pages live on; others are never followed."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        objections = list(_login_objections(data)) if is_table(data) else []
        try:
            login = handler(data)
        except ValidationError as error:
            refuse("login", objections, error)
            raise
        refuse("login", objections)
        return login

    def shown(self, name: str, value: object) -> object:
        """What the repr shows of a field: of the command its program only, for arguments may be secret."""
        return (self.command[0], *("***" for _ in self.command[1:])) if name == "command" and self.command else value


def _login_objections(data: Mapping[str, Any]) -> Iterator[Objection]:
    driver = data.get("driver", "forms")
    if driver == "command" and not data.get("command"):
        where = ("command",) if "command" in data else ("driver",)
        yield Objection(where, "the command driver needs command", 'command = ["./login.sh"]')
    if driver in {"forms", "browser"} and data.get("command"):
        yield Objection(("command",), f"the {driver} driver runs no command", 'driver = "command"')
    for place, step in enumerate(map(table_of, array_or_empty(data.get("steps")))):
        if step.get("goto") and step.get("submit"):
            yield Objection(("steps", place, "goto"), "a step goes to a URL or submits, not both")
        for key in ("when", "submit") if driver == "forms" else ():  # a browser knows more than CSS
            value = step.get(key)
            if isinstance(value, str) and value.strip() and (problem := _selector_problem(key, value)):
                yield Objection(("steps", place, key), f"{VALUE} is no CSS selector: {problem}")


def _selector_problem(key: str, value: str) -> str:
    """Why lxml could not select by this; empty if it can, or if it is a condition on the URL."""
    if key == "when" and value.startswith(URL_PATTERN):
        return ""
    from cssselect import HTMLTranslator, SelectorError  # noqa: PLC0415 - only profiles with login steps pay for it

    try:
        HTMLTranslator().css_to_xpath(value)
    except (SelectorError, RecursionError) as error:
        return str(error)
    return ""
