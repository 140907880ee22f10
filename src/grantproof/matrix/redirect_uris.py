"""Redirect URIs that are near a registered one but not it, and how to see that a browser was sent to one.

Each mutation is a pure function of the registered URI; it gives None where it does not apply, say for lack of a query.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from grantproof.wire.answer import AuthorizationAnswer

Group = Literal["foreign", "component", "extended", "normalised", "relative", "fragment", "malformed"]
_STRANGER = "attacker.example"


@dataclass(frozen=True)
class Mutation:
    """One way to make another URI of a registered one.

    `group` says what differs: `foreign` the host, `component` another part of scheme, authority or path, `extended`
    something added or taken from its end, `normalised` the spelling only, `relative` it is not absolute, `fragment`
    it has one, `malformed` it is no URI.
    """

    id: str
    group: Group
    build: Callable[[str], str | None]

    def __str__(self) -> str:
        return self.id


def _host(change: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def build(uri: str) -> str | None:
        parts = urlsplit(uri)
        name, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        changed = change(name)
        return None if changed is None or changed == name else parts._replace(netloc=changed + port).geturl()

    return build


def _authority(change: Callable[[SplitResult], str | None]) -> Callable[[str], str | None]:
    def build(uri: str) -> str | None:
        parts = urlsplit(uri)
        changed = change(parts)
        return None if changed is None else parts._replace(netloc=changed).geturl()

    return build


def _path(change: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def build(uri: str) -> str | None:
        parts = urlsplit(uri)
        changed = change(parts.path)
        return None if changed is None or changed == parts.path else parts._replace(path=changed).geturl()

    return build


def _query(change: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def build(uri: str) -> str | None:
        base, mark, query = uri.partition("?")
        changed = change(query) if mark else None
        return None if changed is None else base + changed

    return build


def _text(before: str = "", after: str = "") -> Callable[[str], str | None]:
    return lambda uri: f"{before}{uri}{after}"


def _scheme_twin(uri: str) -> str | None:
    scheme, mark, rest = uri.partition(":")
    twin = {"https": "http", "http": "https"}.get(scheme)
    return f"{twin}{mark}{rest}" if twin else None


def _encoded_last(path: str, form: str) -> str | None:
    return f"{path[:-1]}{form.format(ord(path[-1]))}" if path and path[-1].isalnum() else None


def _look_alike(host: str) -> str | None:
    twins = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "c": "\u0441", "p": "\u0440"}
    found = next((letter for letter in host if letter in twins), None)
    return None if found is None else host.replace(found, twins[found], 1)


def _reordered(query: str) -> str | None:
    parts = query.split("&")
    return "?" + "&".join(reversed(parts)) if len(set(parts)) > 1 else None


def _percent_case(uri: str) -> str | None:
    for at, sign in enumerate(uri):
        code = uri[at + 1 : at + 3]
        if sign == "%" and code.swapcase() != code:
            return f"{uri[: at + 1]}{code.swapcase()}{uri[at + 3 :]}"
    return None


def _unescaped(uri: str) -> str | None:
    plain = unquote(uri)
    return plain if plain != uri else None


def _default_port(parts: SplitResult) -> str | None:
    port = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.netloc}:{port}" if port and parts.port is None else None


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("other-host", "foreign", _host(lambda _: _STRANGER)),
    Mutation("subdomain", "foreign", _host(lambda host: f"sub.{host}")),
    Mutation("parent-domain", "foreign", _host(lambda host: host.partition(".")[2] or None)),
    Mutation("suffix-host", "foreign", _host(lambda host: f"{host}.{_STRANGER}")),
    Mutation("prefix-host", "foreign", _host(lambda host: f"x{host}")),
    Mutation("hyphen-host", "foreign", _host(lambda host: f"{host}-{_STRANGER}")),
    Mutation("host-as-user", "foreign", _authority(lambda parts: f"{parts.netloc}@{_STRANGER}")),
    Mutation("host-as-user-encoded-at", "foreign", _authority(lambda parts: f"{parts.netloc}%40{_STRANGER}")),
    Mutation("backslash-before-host", "foreign", _authority(lambda parts: f"{_STRANGER}\\@{parts.netloc}")),
    Mutation("backslash-after-host", "foreign", _authority(lambda parts: f"{parts.netloc}\\.{_STRANGER}")),
    Mutation("dot-as-letter", "foreign", _host(lambda host: host.replace(".", "x", 1))),
    Mutation("unicode-host", "foreign", _host(_look_alike)),
    Mutation("wildcard-host", "foreign", _host(lambda host: f"*.{host.partition('.')[2]}" if "." in host else None)),
    Mutation("registered-in-query", "foreign", _text(f"https://{_STRANGER}/?next=")),
    Mutation("registered-in-path", "foreign", _text(f"https://{_STRANGER}/")),
    Mutation("two-uris-by-space", "foreign", _text(f"https://{_STRANGER}/ ")),
    Mutation("two-uris-by-comma", "foreign", _text(f"https://{_STRANGER}/,")),
    Mutation("javascript-scheme", "foreign", lambda _: "javascript:alert(document.domain)"),
    Mutation("javascript-with-host", "foreign", lambda uri: f"javascript:{uri.partition(':')[2]}"),
    Mutation("data-scheme", "foreign", lambda _: "data:text/html,redirected"),
    Mutation("scheme-twin", "component", _scheme_twin),
    Mutation("private-scheme", "component", lambda uri: f"com.example.app:{uri.partition(':')[2]}"),
    Mutation("user-added", "component", _authority(lambda parts: f"{_STRANGER}@{parts.netloc}")),
    Mutation("user-and-password-added", "component", _authority(lambda parts: f"a:b@{parts.netloc}")),
    Mutation("other-port", "component", _authority(lambda parts: f"{parts.hostname}:8443")),
    Mutation("path-case", "component", _path(str.swapcase)),
    Mutation("other-path", "component", _path(lambda _: "/elsewhere")),
    Mutation("path-parent", "component", _path(lambda path: path.rpartition("/")[0] + "/")),
    Mutation("path-prefixed", "component", _path(lambda path: f"/elsewhere{path}")),
    Mutation("path-escapes", "component", _path(lambda path: f"{path}/../../elsewhere")),
    Mutation("path-escapes-encoded", "component", _path(lambda path: f"{path}/%2e%2e/%2e%2e/elsewhere")),
    Mutation("path-escapes-backslash", "component", _path(lambda path: f"{path}\\..\\elsewhere")),
    Mutation("path-continued", "extended", _path(lambda path: f"{path}x")),
    Mutation("path-segment", "extended", _path(lambda path: f"{path}/more")),
    Mutation("path-parameter", "extended", _path(lambda path: f"{path};v=1")),
    Mutation("trailing-slash", "extended", _path(lambda path: f"{path}/")),
    Mutation("parameter-added", "extended", lambda uri: f"{uri}{'&' if '?' in uri else '?'}extra=1"),
    Mutation("parameter-added-first", "extended", _query(lambda query: f"?extra=1&{query}")),
    Mutation("parameter-changed", "extended", _query(lambda query: f"?{query}0")),
    Mutation("parameters-dropped", "extended", _query(lambda _: "")),
    Mutation("encoded-question-mark", "extended", _text(after="%3Fextra=1")),
    Mutation("null-added", "extended", _text(after="%00")),
    Mutation("space-added", "extended", _text(after=" ")),
    Mutation("scheme-case", "normalised", lambda uri: uri.partition(":")[0].upper() + ":" + uri.partition(":")[2]),
    Mutation("host-case", "normalised", _host(str.upper)),
    Mutation("host-trailing-dot", "normalised", _host(lambda host: f"{host}.")),
    Mutation("ideographic-dot", "normalised", _host(lambda host: host.replace(".", "\u3002", 1))),
    Mutation("default-port", "normalised", _authority(_default_port)),
    Mutation("empty-port", "normalised", _authority(lambda parts: None if parts.port else f"{parts.netloc}:")),
    Mutation("empty-user", "normalised", _authority(lambda parts: f"@{parts.netloc}")),
    Mutation("dot-segment", "normalised", _path(lambda path: f"/.{path}")),
    Mutation("dot-segments", "normalised", _path(lambda path: f"/x/..{path}")),
    Mutation("encoded-dot-segments", "normalised", _path(lambda path: f"/x/%2e%2e{path}")),
    Mutation("double-slash", "normalised", _path(lambda path: f"/{path}")),
    Mutation("needless-escape", "normalised", _path(lambda path: _encoded_last(path, "%{0:02X}"))),
    Mutation("double-escape", "normalised", _path(lambda path: _encoded_last(path, "%25{0:02X}"))),
    Mutation("escape-case", "normalised", _percent_case),
    Mutation("escape-removed", "normalised", _unescaped),
    Mutation("parameters-reordered", "normalised", _query(_reordered)),
    Mutation("empty-query", "normalised", lambda uri: None if "?" in uri else f"{uri}?"),
    Mutation("empty-parameter", "normalised", _query(lambda query: f"?{query}&")),
    Mutation("tab-inside", "normalised", lambda uri: f"{uri[:-2]}\t{uri[-2:]}"),
    Mutation("newline-inside", "normalised", lambda uri: f"{uri[:-2]}\n{uri[-2:]}"),
    Mutation("leading-space", "normalised", _text(" ")),
    Mutation("no-scheme", "relative", lambda uri: uri.partition("://")[2]),
    Mutation("slash-slash-host", "relative", lambda uri: uri.partition(":")[2]),
    Mutation("slash-slash-stranger", "relative", lambda _: f"//{_STRANGER}/"),
    Mutation("path-alone", "relative", lambda uri: urlsplit(uri).path or None),
    Mutation("segment-alone", "relative", lambda uri: urlsplit(uri).path.rpartition("/")[2] or None),
    Mutation("fragment", "fragment", _text(after="#part")),
    Mutation("empty-fragment", "fragment", _text(after="#")),
    Mutation("fragment-before-query", "fragment", _text(after="#?extra=1")),
    Mutation("registered-as-fragment", "fragment", _text(f"https://{_STRANGER}/#")),
    Mutation("no-slashes", "malformed", lambda uri: uri.replace("//", "", 1)),
    Mutation("three-slashes", "malformed", lambda uri: uri.replace("//", "///", 1)),
    Mutation("colons-only", "malformed", lambda _: "::::"),
    Mutation("spaces-only", "malformed", lambda _: "   "),
    Mutation("broken-escape", "malformed", _text(after="%zz")),
    Mutation("broken-host", "malformed", lambda _: "https://[::1"),
    Mutation("control-characters", "malformed", _text(after="\x01\x1b")),
)


def mutations(*groups: Group) -> tuple[Mutation, ...]:
    """The mutations of these groups, in order."""
    return tuple(each for each in MUTATIONS if each.group in groups)


def sent_to(answer: AuthorizationAnswer, uris: Iterable[str]) -> str | None:
    """What took, or would take, the browser to one of these URIs or to a host of theirs; None when nothing does.

    Only what happens by itself counts: a redirection, a refresh, a script, a form that submits itself; no link that
    somebody presses.

    Args:
        answer: where the journey ended.
        uris: the URIs that it must not reach, relative ones as they were sent.
    """
    wanted = tuple(uris)
    hosts = {name for name in map(_hostname, wanted) if name}
    for step in answer.steps:
        location = step.headers.get("location")
        if location is not None and any(_starts(location, uri) for uri in wanted):
            return f"a Location header of status {step.status}"
    if answer.redirect is None or answer.redirect.kind == "link":
        return None
    target = answer.redirect.url
    if _hostname(target) in hosts or any(_starts(target, uri) for uri in wanted):
        return f"a {answer.redirect.kind} redirect"
    return None


def _starts(target: str, uri: str) -> bool:
    plain, found = unquote(uri.partition("#")[0]).strip(), unquote(target).strip()
    if not plain.strip("/") or not found.startswith(plain):
        return False
    return ":" in plain or found[len(plain) :].startswith("#")


def _hostname(uri: str) -> str:
    try:
        return (urlsplit(uri).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, where ports of redirect URIs may differ and nothing crosses a network.

    Source: RFC 8252 section 7.3.
    """
    return host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")
