"""Requests as data: what a check changes before it is sent. Nothing here sends anything."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """One HTTP request as it goes over the wire. Its repr shows neither headers nor body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class FormRequest:
    """A request whose parameters are a form: in the body of a POST, in the query of a GET."""

    url: str
    form: Form = field(default_factory=Form)
    method: str = "POST"
    query: Form = field(default_factory=Form)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content_type: str = FORM_TYPE
    body: bytes | None = field(default=None, repr=False)

    def set(self, name: str, value: str) -> Self:
        """The same request in which this parameter stands once, with this value."""
        return replace(self, form=self.form.set(name, value))

    def add(self, name: str, value: str) -> Self:
        """The same request with one more parameter at the end, which may repeat one."""
        return replace(self, form=self.form.add(name, value))

    def drop(self, *names: str) -> Self:
        """The same request without these parameters."""
        return replace(self, form=self.form.drop(*names))

    def update(self, changes: "Mapping[str, str | None]") -> Self:
        """The same request with each parameter set, or dropped where the value is None."""
        return replace(self, form=self.form.update(changes))

    def header(self, name: str, value: str) -> Self:
        """The same request with this header field set once."""
        return replace(self, headers=(*self.drop_header(name).headers, (name, value)))

    def add_header(self, name: str, value: str) -> Self:
        """The same request with one more line of this header field."""
        return replace(self, headers=(*self.headers, (name, value)))

    def drop_header(self, name: str) -> Self:
        """The same request without this header field."""
        return replace(self, headers=tuple(line for line in self.headers if line[0].lower() != name.lower()))

    def in_query(self) -> Self:
        """The same parameters in the URL's query instead of the body."""
        return replace(self, query=Form((*self.query.pairs, *self.form.pairs)), form=Form())

    def by(self, method: str) -> Self:
        """The same request by another HTTP method; its form goes to the query for GET."""
        return replace(self, method=method)

    def sent(self, body: bytes, content_type: str) -> Self:
        """The same request with these octets as its body."""
        return replace(self, body=body, content_type=content_type)

    def to_request(self) -> Request:
        """The HTTP request that this becomes."""
        query, body = self.query, self.body
        if self.method == "GET" and body is None:
            query = Form((*query.pairs, *self.form.pairs))
        elif body is None:
            body = self.form.encode().encode("ascii")
        url = self.url
        if query:
            url += ("&" if "?" in url else "?") + query.encode()
        headers = self.headers
        if body is not None and self.content_type and "content-type" not in (name.lower() for name, _ in headers):
            headers = (*headers, ("Content-Type", self.content_type))
        return Request(self.method, url, headers, body or b"")
