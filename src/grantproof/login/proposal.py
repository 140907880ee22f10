"""Guesses the login steps of a profile from the first page that a server shows; what is doubtful is said.

The page is the target's own words: names that a profile could not hold on one line are not used.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grantproof.login.page import Page

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}")
_FIELD = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,80}")
_WHO = re.compile("user|login|mail|name|ident|account|uid", re.IGNORECASE)
_TYPED = frozenset({"text", "email", "tel", "search", "url"})


@dataclass(frozen=True)
class Proposal:
    """One login step as a profile may have it, and what is doubtful about it.

    `fill` maps the names of fields to `username` or `password`; `submit` is None where the first button does.
    """

    when: str
    fill: dict[str, str]
    submit: str | None
    doubts: tuple[str, ...] = ()


def propose(page: "Page") -> Proposal | None:
    """The step for a page that asks who the user is; None where no form on it does."""
    candidates = [(form, found) for form in page.forms if (found := _fields(form)) is not None]
    if not candidates:
        return None
    form, (who, secret) = next(((form, found) for form, found in candidates if found[1]), candidates[0])
    doubts: list[str] = []
    if len([1 for _, found in candidates if found[1]]) > 1:
        doubts.append("several forms on the page ask for a password")
    if len(who) > 1:
        doubts.append(f"the user's name may go into {' or '.join(who)}")
    if not who:
        doubts.append("no field for the user's name is on the page")
    if not secret:
        doubts.append("the password is asked for on a later page")
    fill = {**dict.fromkeys(who[:1], "username"), **dict.fromkeys(secret[:1], "password")}
    submit, unsure = _button(form)
    return Proposal(_condition(form, [*secret, *who]), fill, submit, (*doubts, *unsure))


def _fields(form: Any) -> tuple[list[str], list[str]] | None:
    """The fields of a form for the user's name and for the password; None where it has neither."""
    typed: list[str] = []
    secret: list[str] = []
    for field in form.iter("input"):
        name, kind = str(field.get("name") or ""), str(field.get("type") or "text").lower()
        if _FIELD.fullmatch(name) is None:
            continue
        if kind == "password":
            secret.append(name)
        elif kind in _TYPED:
            typed.append(name)
    likely = [name for name in typed if _WHO.search(name)]
    if not secret and not likely:
        return None
    return likely or typed, secret


def _condition(form: Any, names: list[str]) -> str:
    ident = str(form.get("id") or "")
    if _PLAIN.fullmatch(ident):
        return f"form#{ident}"
    return f'input[name="{names[0]}"]'


def _button(form: Any) -> tuple[str | None, list[str]]:
    """The button to activate where it is not the first, and what is doubtful about it."""
    buttons = list(_buttons(form))
    if len(buttons) < 2:
        return None, []
    return _selector(buttons[0]), ["the form has several buttons: is it the first?"]


def _buttons(form: Any) -> "Iterator[Any]":
    for button in form.iter("button", "input"):
        kind = str(button.get("type") or ("submit" if button.tag == "button" else "text")).lower()
        if kind in {"submit", "image"}:
            yield button


def _selector(button: Any) -> str | None:
    name, value = str(button.get("name") or ""), str(button.get("value") or "")
    if _PLAIN.fullmatch(str(button.get("id") or "")):
        return f"#{button.get('id')}"
    if _PLAIN.fullmatch(name) and _FIELD.fullmatch(value):
        return f'{button.tag}[name="{name}"][value="{value}"]'
    return None
