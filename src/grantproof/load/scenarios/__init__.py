"""What the scenarios of `loadtests/` send and how they judge it.

`parts_of(name, target)` gives a scenario's parts: what is measured apart, with their weights. Nothing is sent to find
them out; what takes time or a request is made by a part's `make`, once in each worker, ahead of the run.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from grantproof.errors import GrantproofError
from grantproof.load.exchange import token_exchange
from grantproof.load.scenarios.assertions import assertion_parts
from grantproof.load.scenarios.crowd import crowd_parts
from grantproof.load.scenarios.hostile import hostile_parts
from grantproof.load.scenarios.implicit import implicit_parts
from grantproof.load.scenarios.introspection import introspection_parts
from grantproof.load.scenarios.post import post_parts
from grantproof.load.work import Part
from grantproof.profile.near import near_miss

if TYPE_CHECKING:
    from grantproof.load.target import Target


def token_parts(target: "Target") -> tuple[Part, ...]:
    """Token requests of one client, by its first way to authenticate with a secret."""
    del target
    return (Part("token_endpoint", lambda work: token_exchange(work.target, work.findings)),)


SCENARIOS: Final[Mapping[str, Callable[["Target"], Sequence[Part]]]] = {
    "token_endpoint": token_parts,
    "token_endpoint_post": post_parts,
    "private_key_jwt": assertion_parts,
    "many_clients": crowd_parts,
    "hostile_mix": hostile_parts,
    "introspect_and_use": introspection_parts,
    "implicit": implicit_parts,
}


def parts_of(name: str, target: "Target") -> Sequence[Part]:
    """The parts of a scenario.

    Raises:
        GrantproofError: there is no such scenario, or the profile lacks what it needs.
    """
    if name not in SCENARIOS:
        where = f"{_profile_of(target)}: load.mix"
        raise GrantproofError(
            f"no scenario {name!r}", where, near_miss(name, SCENARIOS) or f"known: {', '.join(SCENARIOS)}"
        )
    return SCENARIOS[name](target)


def mixed_parts(target: "Target") -> list[Part]:
    """The parts of all scenarios that the profile's `[load].mix` names, by their weights.

    Raises:
        GrantproofError: it names none, or one that does not exist.
    """
    mix = target.profile.load.mix if target.profile else {}
    parts: list[Part] = []
    for name, weight in mix.items():
        found = parts_of(name, target) if weight else ()
        total = sum(part.weight for part in found)
        parts += [Part(part.name, part.make, weight * part.weight / total) for part in found]
    if not parts:
        hint = "write for example: mix = { token_endpoint = 0.9, introspect_and_use = 0.1 }"
        raise GrantproofError("the profile mixes no scenarios", f"{_profile_of(target)}: load.mix", hint)
    return parts


def _profile_of(target: "Target") -> str:
    return str(target.profile.path or target.profile.name) if target.profile else target.name
