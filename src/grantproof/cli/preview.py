"""What a conformance run would do, without doing it: `grantproof check --dry-run`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grantproof.roles import Caller, Flow

if TYPE_CHECKING:
    import pytest

    from grantproof.profile.model import Profile


@dataclass
class Preview:
    """A pytest plugin of ours that looks at what was selected."""

    checks: list[str] = field(default_factory=list[str])
    clauses: set[str] = field(default_factory=set[str])
    _needs: set[str] = field(default_factory=set[str])
    _callers: set[str] = field(default_factory=set[str])
    _flows: set[str] = field(default_factory=set[str])
    _profile: "Profile | None" = None

    def pytest_collection_finish(self, session: "pytest.Session") -> None:
        """The checks are known."""
        from grantproof.plugin import STATE
        from grantproof.plugin.selection import clauses_of, holders_of
        from grantproof.plugin.verdicts import check_id

        state = session.config.stash.get(STATE, None)
        if state is None:
            return
        self._profile = state.profile
        for item in session.items:
            clauses = clauses_of(item, state.registry)
            self.checks.append(check_id(item))
            self.clauses.update(clause.id for clause in clauses)
            self._needs.update(need for clause in clauses for need in clause.needs)
            self._needs.update(need for mark in item.iter_markers("needs") for need in mark.args)
            holders = holders_of(item).values()
            self._callers.update(each.client.name for each in holders if isinstance(each, Caller))
            self._flows.update(each.client.name for each in holders if isinstance(each, Flow))

    def lines(self) -> Iterator[str]:
        """The checks, one a line, then what they would do to the target."""
        yield from sorted(self.checks)
        yield ""
        yield f"{len(self.checks):,} checks of {len(self.clauses):,} clauses; nothing was sent. They would:"
        for effect in self._effects():
            yield f"  - {effect}"

    def _effects(self) -> Iterator[str]:
        if self._profile is None:
            return
        if self._callers:
            named = ", ".join(sorted(self._callers))
            yield f"have access tokens issued to {named}, and have wrong requests of theirs refused"
        if self._flows:
            yield f"sign the test user in, allow and refuse access for {', '.join(sorted(self._flows))}"
        if "revocation" in self._needs:
            yield "revoke access tokens that they were issued"
        if "intrusive" in self._needs and self._profile.politeness.intrusive:
            yield "try wrong credentials until the target locks a client or user out (politeness.intrusive)"
        yield f"send at most {self._profile.politeness.max_requests:,} requests (politeness.max_requests)"
