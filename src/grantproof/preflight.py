"""Proves a profile before a run: endpoints, credentials, login; says what is wrong and where in the file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grantproof.errors import GrantproofError, Inconclusive, NotOffered
from grantproof.roles import ROLES, Caller, Flow
from grantproof.wire.answer import AuthorizationAnswer
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    yield from _users(idp)
    yield from _optional(idp)
    yield from _introspection(idp)


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
    said: set[Finding] = set()
    for holder in ROLES["flow"].find(idp.profile):
        if isinstance(holder, Flow):
            works = f"login and consent reach the redirect URI with {holder.response_type}"
            finding = _proof(idp, holder, f"clients.{holder.client.name}", works)
            if finding.ok or finding not in said:  # a login that does not work fails for every client alike
                yield finding
            said.add(finding)


def _users(idp: "Idp") -> "Iterator[Finding]":
    """The second user signs in too, and the steps that refuse consent refuse it."""
    flow = next(
        (each for each in ROLES["flow"].find(idp.profile) if isinstance(each, Flow) and _holds(idp, each)), None
    )
    if flow is None:
        return
    if idp.profile.user2 is not None:
        yield _outcome("user2", lambda: _second_user(idp, flow))
    refusing = [number for number, step in enumerate(idp.profile.login.steps) if step.choice == "deny"]
    if refusing:
        yield _outcome(f"login.steps[{refusing[0]}]", lambda: _refusal(idp, flow))


def _holds(idp: "Idp", flow: Flow) -> bool:
    try:
        idp.prove(flow)
    except (Inconclusive, NotOffered, AssertionError):
        return False
    return True


def _second_user(idp: "Idp", flow: Flow) -> tuple[bool, str]:
    answer = idp.authorize(flow, agent=idp.fresh_agent("user2"))
    return answer.issued, "login and consent reach the redirect URI" if answer.issued else _ending(answer)


def _refusal(idp: "Idp", flow: Flow) -> tuple[bool, str]:
    answer = idp.authorize(flow, agent=idp.fresh_agent(), choice="deny")
    if answer.issued:
        asked = set(answer.acted) & {step.when for step in idp.profile.login.steps if step.choice == "deny"}
        return not asked, "the refused consent was given" if asked else "consent is not asked again, so not refused"
    return answer.error is not None, f"refused consent: {answer.describe()}" if answer.error else _ending(answer)


def _ending(answer: AuthorizationAnswer) -> str:
    return f"ended at {answer.describe()}" + (f": {answer.diagnosis}" if answer.diagnosis else "")


def _introspection(idp: "Idp") -> "Iterator[Finding]":
    """The client that is to introspect may."""
    service = next((each for each in ROLES["service"].find(idp.profile) if isinstance(each, Caller)), None)
    name = idp.profile.claims.introspection_client
    if service is None or name is None or not idp.profile.endpoints.introspection:
        return

    def look() -> tuple[bool, str]:
        answer = idp.introspect(idp.issue(service))
        if answer.get("active") is True:
            return True, f"{name} sees a token of {service.client.name}"
        return False, f"{name} is not told of a token of {service.client.name} (status {answer.status})"

    yield _outcome("claims.introspection_client", look)


def _proof(idp: "Idp", holder: Caller | Flow, key: str, works: str) -> Finding:
    def prove() -> tuple[bool, str]:
        idp.prove(holder)
        return True, works

    return _outcome(key, prove)


def _outcome(key: str, attempt: "Callable[[], tuple[bool, str]]") -> Finding:
    """What an attempt says of the profile; what failed may know a better place to mend than `key`."""
    try:
        ok, message = attempt()
    except NotOffered as problem:
        return Finding(ok=False, key=key, message=str(problem))
    except Inconclusive as problem:
        unreachable = "no connection" in str(problem)
        return Finding(ok=False, key=problem.key or key, message=str(problem), unreachable=unreachable)
    except AssertionError as problem:
        return Finding(ok=False, key=key, message=str(problem))
    except OSError as problem:
        raise GrantproofError(f"a file of the profile cannot be read: {problem.strerror}", where=key) from None
    return Finding(ok=ok, key=key, message=message)


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
