"""From requirement to clause to check to fault: nothing is lost on the way."""

import re
from collections import Counter
from pathlib import Path

from grantproof.clauses import RULEBOOKS, load_registry
from grantproof.coverage import check_sources, checks_by_clause
from grantproof.profile.features import FEATURES
from grantproof.reference.variants import all_faults, all_oddities

ROOT = Path(__file__).parent.parent
REQUIREMENTS = (ROOT / "tests" / "requirements.txt").read_text("utf-8").split()
SPECS = set(
    """rfc6749 rfc6750 rfc6819 rfc7009 rfc7523 rfc7617 rfc7662 rfc8414 rfc8725 rfc9068 rfc9110 rfc9207 rfc9700
    oauth-responses oauth-form-post oidc-core""".split()  # noqa: SIM905 - the contract's own line
)
ID = re.compile(r"[a-z0-9-]+:[A-Z0-9][0-9A-Za-z.]*/[a-z0-9-]+")


def test_every_requirement_is_covered_by_exactly_one_clause() -> None:
    covered = Counter(row for clause in load_registry() for row in clause.requirements)
    assert len(REQUIREMENTS) == 448
    assert sorted(covered) == sorted(REQUIREMENTS)
    assert [row for row, times in covered.items() if times > 1] == []


def test_clause_ids_and_sections_are_of_the_contract() -> None:
    for clause in load_registry():
        assert ID.fullmatch(clause.id), clause.id
        assert clause.spec in SPECS
        assert set(clause.levels) <= set(RULEBOOKS), clause.id
        assert clause.levels, clause.id
        assert set(clause.grants) <= {"client_credentials", "implicit"}, clause.id
        assert set(clause.needs) <= set(FEATURES), clause.id


def test_every_check_names_clauses_that_exist() -> None:
    known = {clause.id for clause in load_registry()}
    assert [source.id for source in check_sources() if not source.clauses] == []
    assert [(source.id, each) for source in check_sources() for each in source.clauses if each not in known] == []


def test_no_untestable_clause_has_a_check() -> None:
    assert [clause.id for clause in load_registry() if clause.untestable and clause.id in checks_by_clause()] == []


def test_every_fault_breaks_a_clause_that_is_checked() -> None:
    checked = set(checks_by_clause())
    broken = [(fault.id, clause) for fault in all_faults().values() for clause in fault.clauses]
    assert [(name, clause) for name, clause in broken if clause not in checked] == []


JUDGED = ("rfc6749", "bcp9700", "oidc", "rfc9068")
"""The rulebooks of the kill matrix."""
UNBREAKABLE = {
    "rfc6750:2.3/cache-control-private": "the lawful resource takes no token in the query, so the check has no control",
    "rfc7662:4/tls-1-2": "a server without TLS 1.2 cannot be spoken to, so that nothing is concluded",
    "rfc8414:6.1/tls-1-2": "a server without TLS 1.2 cannot be spoken to, so that nothing is concluded",
    "rfc8414:3/well-known-https": "the place follows from the issuer, and plain http is exempt on loopback",
    "rfc9068:3/mixed-resources-invalid-scope": "the embedded server has no scopes that belong to one resource",
    "rfc9700:2.1.2/implicit-avoided": "the lawful server offers implicit: a reviewed warning",
    "rfc9700:2.2.1/sender-constrained": "the lawful server binds no token: a reviewed warning",
}
"""Clauses whose checks no fault of the embedded server can reach, and why."""


def test_every_checked_clause_is_broken_by_enough_faults() -> None:
    kinds: dict[str, Counter[str]] = {}
    for fault in all_faults().values():
        for clause in fault.clauses:
            kinds.setdefault(clause, Counter())[fault.kind] += 1
    lacking: dict[str, str] = {}
    for clause_id in checks_by_clause():
        found, level = kinds.get(clause_id, Counter[str]()), load_registry()[clause_id].level(JUDGED)
        if level.is_requirement and not (found.total() > 1 and found["partial"]):
            lacking[clause_id] = f"{found['plain']} plain, {found['partial']} partial"
        elif level.is_recommendation and not found:
            lacking[clause_id] = "no fault"
    assert {clause: lack for clause, lack in lacking.items() if clause not in UNBREAKABLE} == {}
    assert set(UNBREAKABLE) <= set(lacking)


def test_every_clause_has_a_check_or_says_why_not() -> None:
    checked = checks_by_clause()
    assert [clause.id for clause in load_registry() if clause.id not in checked and not clause.untestable] == []


def test_variants_are_told_in_words() -> None:
    told = {variant.id: variant.describe for variant in all_faults().values()}
    told |= {variant.id: variant.describe for variant in all_oddities().values()}
    assert [name for name, words in told.items() if not words.endswith(".")] == []
