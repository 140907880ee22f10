"""Proves a profile before a run: endpoints, credentials, login; says what is wrong and where in the file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grantproof.errors import GrantproofError, Inconclusive, NotOffered
from grantproof.roles import ROLES, Caller, Flow
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grantproof.idp import Idp


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. `key` names the place in the profile that it proves."""

    ok: bool
    key: str
    message: str
    unreachable: bool = False


def examine(idp: "Idp") -> "Iterator[Finding]":
    """Tries every part of a profile against its target, cheapest first; each finding comes as it is known."""
    yield from _metadata(idp)
    if idp.unread and not (idp.profile.endpoints.token or idp.profile.endpoints.authorization):
        return
    for name in ("token", "authorization"):
        yield from _endpoint(idp, name)
    yield from _callers(idp)
    yield from _flows(idp)
    yield from _optional(idp)


def _metadata(idp: "Idp") -> "Iterator[Finding]":
    if not idp.profile.target.issuer:
        return
    good = [answer for answer in idp.documents if answer.status == 200]
    if good:
        doubts = "".join(f"; take a look: {problem}" for problem in idp.metadata.problems[:3])
        yield Finding(ok=True, key="target.issuer", message=f"{len(good)} metadata document(s) read{doubts}")
    elif idp.unread:
        yield Finding(ok=False, key="target.issuer", message=idp.unread, unreachable=True)
    else:
        statuses = ", ".join(f"status {answer.status}" for answer in idp.documents) or "an ordinary page"
        named = bool(idp.profile.endpoints.token or idp.profile.endpoints.authorization)
        yield Finding(
            ok=named,
            key="target.issuer",
            message=f"no metadata there ({statuses})" + (": [endpoints] is used" if named else ""),
        )


def _endpoint(idp: "Idp", name: str) -> "Iterator[Finding]":
    wanted = "client_credentials" if name == "token" else "implicit"
    if not idp.profile.clients_for(wanted):
        return
    try:
        answer = idp.exchange(Request("GET", idp.endpoint(name)))
    except NotOffered as problem:
        yield Finding(ok=False, key=f"endpoints.{name}", message=str(problem))
    except (Inconclusive, AssertionError) as problem:
        yield Finding(ok=False, key=f"endpoints.{name}", message=str(problem), unreachable=True)
    else:
        ok = answer.status != 404 or name == "token"
        yield Finding(ok=ok, key=f"endpoints.{name}", message=f"answers (status {answer.status} to an empty GET)")


def _callers(idp: "Idp") -> "Iterator[Finding]":
    for role in ("service", "unentitled_service"):
        for holder in ROLES[role].find(idp.profile):
            if isinstance(holder, Caller):
                key = f"clients.{holder.client.name}"
                yield _proof(
                    idp,
                    holder,
                    key,
                    f"{holder.method} works" if holder.entitled else f"{holder.method} is known, no token is due",
                )


def _flows(idp: "Idp") -> "Iterator[Finding]":
    for holder in ROLES["flow"].find(idp.profile):
        if isinstance(holder, Flow):
            yield _proof(
                idp,
                holder,
                f"clients.{holder.client.name}",
                f"login and consent reach the redirect URI with {holder.response_type}",
            )


def _proof(idp: "Idp", holder: Caller | Flow, key: str, works: str) -> Finding:
    try:
        idp.prove(holder)
    except NotOffered as problem:
        return Finding(ok=False, key=key, message=str(problem))
    except (Inconclusive, AssertionError) as problem:
        return Finding(ok=False, key=key, message=str(problem), unreachable="no connection" in str(problem))
    except OSError as problem:
        raise GrantproofError(f"a file of the profile cannot be read: {problem.strerror}", where=key) from None
    return Finding(ok=True, key=key, message=works)


def _optional(idp: "Idp") -> "Iterator[Finding]":
    for name in ("introspection", "revocation", "jwks", "resource"):
        url = getattr(idp.profile.endpoints, name)
        if not url:
            continue
        method = "POST" if name in {"introspection", "revocation"} else "GET"
        body = (("Content-Type", FORM_TYPE),) if method == "POST" else ()
        try:
            answer = idp.exchange(Request(method, url, body))
        except (Inconclusive, AssertionError) as problem:
            yield Finding(ok=False, key=f"endpoints.{name}", message=str(problem), unreachable=True)
        else:
            ok = answer.status != 404 and (name != "jwks" or answer.status == 200)
            yield Finding(ok=ok, key=f"endpoints.{name}", message=f"status {answer.status} to an empty {method}")
