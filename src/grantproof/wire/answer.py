"""Answers as checks read them. What cannot be read is the server's doing: a reader raises AssertionError, no other."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from grantproof.wire.form import Form, MalformedFormError
from grantproof.wire.headers import Headers

_ISSUED = re.compile(rb'"access_token"\s*:\s*"[^"]')


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, headers as received, the body up to the recorder's bound. Its repr shows no content."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    n: int = 0
    truncated: bool = False

    @property
    def text(self) -> str:
        """The body as UTF-8, broken octets replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def _pairs(self) -> list[tuple[str, Any]]:
        pairs: list[list[tuple[str, Any]]] = []

        def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
            pairs.append(found)
            return dict(found)

        try:
            document = json.loads(self.body.decode("utf-8"), object_pairs_hook=keep, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as problem:
            raise AssertionError(
                f"the body is no JSON in UTF-8 (status {self.status}): {type(problem).__name__}"
            ) from None
        assert isinstance(document, dict), f"the body is no JSON object (status {self.status})"  # noqa: S101 - a verdict on the server
        return pairs[-1]

    @property
    def members(self) -> dict[str, Any]:
        """The members of the JSON object in the body; of a repeated member the last.

        Raises:
            AssertionError: the body is not one JSON object in UTF-8.
        """
        return dict(self._pairs)

    @property
    def repeated_members(self) -> frozenset[str]:
        """The names that the JSON object has more than once at its top level."""
        names = [name for name, _ in self._pairs]
        return frozenset(name for name in names if names.count(name) > 1)

    def get(self, name: str) -> Any:
        """A member of the JSON object, or None when the body is none or lacks it."""
        try:
            return self.members.get(name)
        except AssertionError:
            return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True)
class TokenAnswer(Answer):
    """What the token endpoint answered."""

    @property
    def error(self) -> str | None:
        """The error code; None where there is none or it is no string."""
        value = self.get("error")
        return value if isinstance(value, str) else None

    @property
    def access_token(self) -> str:
        """The token.

        Raises:
            AssertionError: there is none, or it is no string.
        """
        value = self.members.get("access_token")
        assert isinstance(value, str), f"no access token was issued (status {self.status}, error {self.error})"  # noqa: S101 - a verdict on the server
        assert value, "the access token is empty"  # noqa: S101 - a verdict on the server
        return value

    @property
    def issued(self) -> bool:
        """Whether a token came back in any shape: the oracle of every negative check, so it never raises."""
        return _ISSUED.search(self.body) is not None or bool(self.get("access_token"))


@dataclass(frozen=True)
class Redirect:
    """What would take the browser away from the authorization server.

    `kind` is `3xx`, `meta`, `script` or `form_post`; `form` holds the fields of an auto-submitted form. Two kinds are
    not by itself: `link`, which a login step activated, and `command`, where the user's program says no more.
    """

    kind: str
    url: str = field(repr=False)
    status: int = 0
    form: Form | None = None
    method: str = "GET"


@dataclass(frozen=True)
class AuthorizationAnswer:
    """Where an authorization request ended, after login and consent where they were asked for.

    `redirect` is the hop that left the authorization server, None where the journey ended at `page`.
    """

    redirect: Redirect | None
    page: Answer | None
    steps: tuple[Answer, ...] = field(repr=False)
    acted: tuple[str, ...] = ()
    redirect_uri: str | None = field(default=None, repr=False)
    diagnosis: str = field(default="", repr=False)
    """Why no login step was for the page where it ended."""

    @property
    def location(self) -> str | None:
        """The raw URL that the browser is sent to."""
        return self.redirect.url if self.redirect else None

    @property
    def _split(self) -> tuple[str, str, str]:
        """The URL before its query, the query, the fragment."""
        url = self.location or ""
        head, _, fragment = url.partition("#")
        base, _, query = head.partition("?")
        return base, query, fragment

    @property
    def raw_fragment(self) -> str:
        """The fragment as it stands in the URL."""
        return self._split[2]

    @property
    def fragment(self) -> Form:
        """The parameters of the fragment, decoded once."""
        return _read(self._split[2])

    @property
    def strict_fragment(self) -> Form:
        """The parameters of the fragment, every octet of it as form-urlencoding has it.

        Raises:
            AssertionError: it is not form-urlencoded UTF-8.
        """
        try:
            return Form.parse(self._split[2], strict=True)
        except MalformedFormError as problem:
            raise AssertionError(f"the fragment is not form-urlencoded: {problem}") from None

    @property
    def query(self) -> Form:
        """The parameters of the query, those of the redirection URI among them."""
        return _read(self._split[1])

    @property
    def own_query(self) -> Form:
        """The parameters of the query that the redirection URI did not bring along."""
        query = (self.redirect_uri or "").partition("#")[0].partition("?")[2]
        brought = list(_read(query).pairs)
        kept: list[tuple[str, str]] = []
        for pair in self.query:
            if pair in brought:
                brought.remove(pair)
            else:
                kept.append(pair)
        return Form(tuple(kept))

    @property
    def parameters(self) -> Form:
        """The response parameters wherever the response put them: fragment, posted form or query."""
        if self.redirect is not None and self.redirect.form is not None:
            return self.redirect.form
        fragment = self.fragment
        return fragment if {"access_token", "error", "id_token", "state"} & set(fragment.names) else self.own_query

    @property
    def error(self) -> str | None:
        """The error code that came back to the client."""
        return self.parameters.get("error")

    @property
    def state(self) -> str | None:
        """The state that came back to the client."""
        return self.parameters.get("state")

    @property
    def access_token(self) -> str:
        """The token.

        Raises:
            AssertionError: none came back to the client.
        """
        value = self.parameters.get("access_token")
        assert value, f"no access token was issued: {self.describe()}"  # noqa: S101 - a verdict on the server
        return value

    @property
    def issued(self) -> bool:
        """Whether a token came back anywhere: the oracle of every negative check, so it never raises."""
        return any(
            form.get(name)
            for form in (self.fragment, self.query, self.parameters)
            for name in ("access_token", "id_token")
        )

    def went_to(self, uri: str) -> bool:
        """Whether the browser was sent to this URI, whatever was added to its query or fragment.

        What was added may stand before or behind the URI's own query, whose parts keep their octets and order.

        Source: RFC 6749 section 3.1.2.
        """
        if self.location is None:
            return False
        (target, _, found), (wanted, mark, own) = (
            each.partition("#")[0].partition("?") for each in (self.location, uri)
        )
        parts = iter(found.split("&"))
        return target == wanted and (not mark or all(each in parts for each in own.split("&")))

    def describe(self) -> str:
        """Where it ended, in a few words that hold no secret."""
        if self.redirect is None:
            status = self.page.status if self.page else 0
            return f"a page with status {status} and no redirect"
        names = ", ".join(dict.fromkeys(self.parameters.names)) or "no parameters"
        error = f" (error={self.error!r})" if self.error else ""
        return f"a {self.redirect.kind} redirect with {names}{error}"


def _read(text: str) -> Form:
    try:
        return Form.parse(text)
    except MalformedFormError:
        return Form()
