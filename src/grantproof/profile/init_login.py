"""The part of a first draft that says how a test user signs in: what was seen of the login page, or how to write it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grantproof.profile.written import MAX_LISTED, literal, quoted

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class SeenLogin:
    """What was seen of the login page: a step for it if one was found, and remarks for the person who goes on.

    `fill` maps the names of fields to `username` or `password`; `sure` tells whether the step stands as it is.
    """

    when: str = ""
    fill: Mapping[str, str] = field(default_factory=dict[str, str])
    submit: str | None = None
    sure: bool = False
    remarks: tuple[str, ...] = ()


def signing_in(login: SeenLogin) -> Iterator[str]:
    """The lines of `[user]` and `[login]`; comments unless the step is sure."""
    off = "" if login.sure else "# "
    yield "# A test user, for the implicit grant."
    yield f"{off}[user]"
    yield f'{off}username = ""'
    yield f'{off}password = "${{USER_PASSWORD:?set it to the test user\'s password}}"'
    yield ""
    for remark in login.remarks[:MAX_LISTED]:
        yield f"# Take a look: {quoted(remark, 600)}"
    yield f"{off}[login]"
    yield f'{off}driver = "forms"            # browser, where the pages need script; command, for a program of yours'
    yield f"{off}[[login.steps]]"
    explained = '# a CSS selector the page must match, or "url~REGEX"'
    if login.when:
        yield f"{off}when = {literal(login.when)}   {explained}"
    else:
        yield f'{off}when = "form"               {explained}'
    fill = login.fill or {"username": "username", "password": "password"}
    yield f"{off}fill = {{ {', '.join(f'{_key(name)} = {_user(part)}' for name, part in fill.items())} }}"
    if login.submit:
        yield f"{off}submit = {literal(login.submit)}"
    yield "# [[login.steps]]"
    yield '# when = "form.consent"'
    yield '# choice = "allow"            # and one with "deny"'
    yield '# submit = "button[value=allow]"'
    yield ""


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def _user(part: str) -> str:
    return f'"${{user.{part}}}"'
