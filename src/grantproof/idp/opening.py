"""How a target is reached first: the connections that its profile allows, and the metadata that it publishes."""

from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive
from grantproof.idp.connection import tls_settings
from grantproof.profile.discovery import metadata_sources
from grantproof.transport import Politeness, Recorder, Redactor, Transport
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from grantproof.profile.model import Profile
    from grantproof.wire.answer import Answer


def connect(profile: "Profile", redactor: Redactor, counter: "Path | None", workers: int) -> Transport:
    """The way to a target with the profile's headers, TLS settings, proxy and politeness; nothing is sent yet."""
    return Transport(
        Recorder(redactor),
        timeout_s=profile.timeout_s,
        verify=tls_settings(profile),
        proxy=profile.target.proxy,
        headers=tuple(profile.target.headers.items()),
        origins=profile.origins,
        politeness=Politeness(profile.requests_per_second, profile.politeness.max_requests, counter, workers),
    )


def ask_for_metadata(profile: "Profile", transport: Transport) -> "tuple[tuple[Answer, ...], str]":
    """What stands at the places of metadata, pages for people left out, and why nothing does, where nothing does."""
    documents: list[Answer] = []
    failure = ""
    for url in metadata_sources(profile):
        try:
            document = transport.send(Request("GET", url, (("Accept", "application/json"),)))
        except Inconclusive as problem:
            failure = str(problem)
        else:
            if not document.truncated and not _is_some_page(document):
                documents.append(document)
    return tuple(documents), "" if documents else failure


def _is_some_page(document: "Answer") -> bool:
    """Whether what stands at a well-known place is no metadata at all: single-page sites answer every path alike."""
    kind, _, _ = (document.headers.get("content-type") or "").partition(";")
    return document.status == 200 and "json" not in kind.lower() and not document.body.lstrip().startswith(b"{")
