"""A sample of the kill matrix in every test run; `make faults` runs the whole of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from grantproof.clauses import load_registry
from grantproof.reference.variants import all_faults, all_oddities
from tests.faults.bundles import bundles, touched
from tests.faults.harness import run_harness
from tests.faults.matrix import SAFE, build, problems, table
from tests.faults.tls import is_about_tls

EVERY = 12


def sample() -> tuple[str, ...]:
    """Every twelfth fault and a few oddities; what needs a TLS server of its own is left to `make faults`."""
    registry = load_registry()
    faults = [fault for fault in all_faults().values() if not is_about_tls(fault, registry)]
    oddities = [oddity for oddity in all_oddities().values() if not is_about_tls(oddity, registry)]
    return (*(fault.id for fault in faults[::EVERY]), *(oddity.id for oddity in oddities[:: EVERY * 3]))


@pytest.fixture(scope="module")
def matrix() -> dict[str, Any]:
    return build(sample(), harness=False)


def test_sampled_faults_are_killed_and_oddities_left_alone(matrix: dict[str, Any]) -> None:
    assert problems(matrix) == []
    assert "SURVIVES" not in table(matrix)
    assert len(matrix["faults"]) > 50


@pytest.mark.parametrize(
    "names", [("refuses_connections", "gateway_502", "captive_portal"), ("wrong_secrets_in_profile",)]
)
def test_sampled_harness_faults_never_pass(names: tuple[str, ...]) -> None:
    rows = run_harness(names)
    assert [row["id"] for row in rows] == sorted(names)
    assert [row["id"] for row in rows if row["verdict"] not in SAFE] == []


def pairs() -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """What any two oddities of one bundle replace."""
    for bundle in bundles(list(all_oddities().values())):
        rules = [touched(oddity) for oddity in bundle]
        yield from ((one, other) for place, one in enumerate(rules) for other in rules[place + 1 :])


def test_no_two_oddities_of_a_bundle_replace_the_same_rule() -> None:
    assert [one & other for one, other in pairs() if one & other] == []


def test_there_are_enough_variants() -> None:
    assert len(all_faults()) >= 400
    assert len(all_oddities()) >= 60
