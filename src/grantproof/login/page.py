"""Reads a page of the target: what would take the browser away by itself, its forms, its title.

The page is hostile: it is parsed, bounded, never rendered and never run.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from grantproof.wire.answer import Answer, Redirect
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_SCRIPT_LOCATION = re.compile(
    r"""(?:\b(?:window|document|self|top|parent)\s*\.\s*)?\blocation(?:\s*\.\s*href)?\s*(?:=(?!=)|\.\s*(?:replace|assign)\s*\()\s*"""
    r"""(["'`])((?:(?!\1)[^\\\n]|\\.)+)\1"""
)
_SUBMIT = re.compile(
    r"""(?:getElementById\s*\(\s*["'](?P<id>[^"']+)["']\s*\)|forms\s*\[\s*(?:(?P<place>\d+)|["'](?P<word>[^"']+)["'])\s*\]"""
    r"""|document\s*\.\s*(?P<name>\w+))?\s*\.\s*(?:submit|requestSubmit|click)\s*\(\s*\)"""
)
_COMMENT = re.compile(r"^\s*//[^\n]*$|^\s*/\*.*?\*/", re.MULTILINE | re.DOTALL)
_SCRIPT_TYPES = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma)script", re.IGNORECASE)
_REFRESH = re.compile(r"""^\s*[\d.]+(?:\s*[;,]|\s)\s*(?:url\s*=\s*)?["']?([^"']+?)["']?\s*$""", re.IGNORECASE)
_JS_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")
_ACTING = re.compile(rb"script|http-equiv|frame|object|embed|svg|math|\bon[a-z]+\s*=|[\x00\x1b]", re.IGNORECASE)
"""What a page needs to act by itself: script in any form, a refresh, pages within; or to hide that it has it."""
_PLAIN_CHARSETS = frozenset({"", "utf-8", "us-ascii", "iso-8859-1", "windows-1252"})
_SHOWN = 80
_LISTED = 5
_LISTED_FIELDS = 12
_UNSENT = frozenset({"button", "file", "image", "reset", "submit"})


@dataclass(frozen=True)
class Page:
    """A parsed HTML answer."""

    answer: Answer
    root: Any

    @property
    def title(self) -> str:
        """The page's title in one short line."""
        text = self.root.findtext(".//title") or ""
        return " ".join(text.split())[:_SHOWN]

    @property
    def forms(self) -> list[Any]:
        """The form elements in order."""
        return list(self.root.iter("form"))

    @property
    def base(self) -> str:
        """What relative references on the page start from."""
        found = next((each.get("href") for each in self.root.iter("base") if each.get("href")), None)
        return resolve(self.answer.url, found) if found else self.answer.url

    def describe(self) -> str:
        """Title, forms, their fields and buttons, never a value: what a person needs to write a login step."""
        return f"status {self.answer.status}, title {self.title!r}, {self.shape}"

    @property
    def shape(self) -> str:
        """The forms with the names and types of their fields; without a form, the fields that stand alone."""
        shown = [_describe_form(form) for form in self.forms[:_LISTED]]
        if not shown and (alone := _field_names(self.root)):
            return f"no form, but the fields {', '.join(alone)}"
        return "; ".join(shown) or "no form"


def read_page(answer: Answer) -> Page | None:
    """The page of an answer, or None when it is no HTML."""
    if answer.headers.media_type not in {"text/html", "application/xhtml+xml", ""} or not answer.body.strip():
        return None
    from lxml import etree  # noqa: PLC0415 - runs without a login do not pay for lxml

    html: Any = import_module("lxml.html")  # its stubs leave the element type open
    parser = html.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(answer.body, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    return Page(answer, root)


def is_inert(answer: Answer) -> bool:
    """Whether nothing on a page can act by itself, so that it need not be waited for; in doubt it can."""
    content = answer.headers.get("content-type") or ""
    charset = re.search(r"charset\s*=\s*[\"']?([^\"';\s]*)", content, re.IGNORECASE)
    plain = answer.headers.media_type == "text/html" and (charset[1].lower() if charset else "") in _PLAIN_CHARSETS
    return plain and _ACTING.search(answer.body) is None


def find_redirect(answer: Answer, page: Page | None = None) -> Redirect | None:
    """What in this answer would take a browser elsewhere without a click; the URL is absolute."""
    location = answer.headers.get("location")
    if answer.status in REDIRECT_STATUSES and location is not None:
        return Redirect(
            "3xx", resolve(answer.url, location), answer.status, method="GET" if answer.status < 307 else ""
        )
    refresh = answer.headers.get("refresh")
    if refresh and (found := _REFRESH.match(refresh)):
        return Redirect("meta", resolve(answer.url, found[1]), answer.status)
    if page is None:
        return None
    return _in_page(page)


def _in_page(page: Page) -> Redirect | None:
    base, status = page.base, page.answer.status
    for meta in page.root.iter("meta"):
        if (meta.get("http-equiv") or "").lower() == "refresh" and (
            refresh := _REFRESH.match(meta.get("content") or "")
        ):
            return Redirect("meta", resolve(base, refresh[1]), status)
    scripts = list(_scripts(page.root))
    for script in scripts:
        for found in _SCRIPT_LOCATION.finditer(script):
            target = resolve(base, _JS_ESCAPE.sub(_unescape, found[2]))
            if target.partition("#")[0] != page.answer.url.partition("#")[0]:
                return Redirect("script", target, status)
    form = next((found for script in scripts if (found := _submitted(script, page)) is not None), None)
    if form is None:
        return None
    fields = Form(tuple(fields_of(form)))
    action = resolve(base, form.get("action")) if form.get("action") else page.answer.url
    return Redirect("form_post", action, status, fields, (form.method or "GET"))


def _submitted(script: str, page: Page) -> Any:
    """The form that a script submits by itself, as far as its text tells; None for one that asks for a password."""
    for found in _SUBMIT.finditer(script):
        named = found["id"] or found["word"] or found["name"]
        forms = [form for form in page.forms if named in {form.get("id"), form.get("name")}] if named else page.forms
        place = int(found["place"] or 0)
        form = (forms or page.forms)[place] if place < len(forms or page.forms) else None
        if form is not None and all((field.get("type") or "").lower() != "password" for field in form.iter("input")):
            return form
    return None


def _scripts(root: Any) -> "Iterator[str]":
    """What runs as the page is loaded: scripts without the comments that stand on lines of their own, and onload."""
    for script in root.iter("script"):
        kind = (script.get("type") or "").partition(";")[0].strip()
        if _SCRIPT_TYPES.fullmatch(kind) and next(script.iterancestors("template"), None) is None:
            yield _COMMENT.sub(" ", script.text or "")
    for element in root.iter():
        if onload := element.get("onload"):
            yield onload


def fields_of(form: Any) -> "Iterator[tuple[str, str]]":
    """What a browser sends of a form before any button adds to it: names and values in the order of the page."""
    ident = form.get("id")
    for field in form.getroottree().getroot().iter("input", "select", "textarea"):
        named, kind = field.get("name"), (field.get("type") or "text").lower()
        outside = field.get("form") != ident if field.get("form") else form not in field.iterancestors("form")
        if outside or not named or _is_disabled(field):
            continue
        if field.tag == "select":
            chosen = [field.value] if field.get("multiple") is None else list(field.value)
            yield from ((named, value) for value in chosen if value is not None)
        elif field.tag == "textarea":
            yield named, field.value or ""
        elif kind not in _UNSENT and (kind not in {"checkbox", "radio"} or field.get("checked") is not None):
            yield named, field.get("value", "on" if kind in {"checkbox", "radio"} else "")


def _unescape(found: "re.Match[str]") -> str:
    return chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[3]


def resolve(base: str, reference: str) -> str:
    """An absolute URL, the reference's own text kept where it is absolute already."""
    reference = reference.strip()
    try:
        if urlsplit(reference).scheme:
            return reference
        target = urljoin(base, reference)
    except ValueError:
        return reference
    if "#" in reference and "#" not in target:
        target += "#"
    return target


def _is_disabled(field: Any) -> bool:
    return field.get("disabled") is not None or any(
        each.get("disabled") is not None for each in field.iterancestors("fieldset")
    )


def _describe_form(form: Any) -> str:
    ident = f"#{str(form.get('id'))[:_SHOWN]}" if form.get("id") else ""
    names = _field_names(form)
    return f"form{ident} with {', '.join(names) or 'no named field'}"


def _field_names(element: Any) -> list[str]:
    """The fields and buttons below an element: name and type."""
    found: list[str] = []
    for field in element.iter("input", "select", "textarea", "button"):
        kind = str(field.get("type") or {"input": "text", "button": "submit"}.get(field.tag, field.tag))[:_SHOWN]
        name = field.get("name") or (f"#{field.get('id')}" if field.get("id") else "")
        if name:
            found.append(f"{str(name)[:_SHOWN]} ({kind.lower()})")
    return found[:_LISTED_FIELDS]
