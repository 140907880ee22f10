"""Each known false alarm has a lawful variant, an unlawful one, or a reason why neither can show it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from grantproof.clauses import load_registry
from grantproof.reference.variants import all_faults, all_oddities

TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads(Path(__file__).with_name("traps.toml").read_text("utf-8"))
TRAPS = {trap["number"]: trap for trap in TABLE["trap"]}


def test_numbers_are_those_from_1_to_73() -> None:
    assert [trap["number"] for trap in TABLE["trap"]] == list(range(1, 74))


@pytest.mark.parametrize("number", TRAPS)
def test_trap_is_proved_or_explained(number: int) -> None:
    trap = TRAPS[number]
    assert trap["about"]
    assert trap["source"]
    assert trap["oddities"] or trap["faults"] or trap.get("note")
    assert trap["oddities"] or trap.get("note"), "without a lawful variant there must be a reason"


@pytest.mark.parametrize("number", TRAPS)
def test_faults_of_a_trap_exist(number: int) -> None:
    assert set(TRAPS[number]["faults"]) - set(all_faults()) == set()


@pytest.mark.parametrize("number", TRAPS)
def test_oddities_of_a_trap_are_those_that_declare_it(number: int) -> None:
    declared = [oddity.id for oddity in all_oddities().values() if number in oddity.traps]
    assert TRAPS[number]["oddities"] == sorted(declared)


def test_every_oddity_declares_a_trap_of_the_table() -> None:
    lost = {
        oddity.id: oddity.traps
        for oddity in all_oddities().values()
        if not oddity.traps or set(oddity.traps) - set(TRAPS)
    }
    assert lost == {}


@pytest.mark.parametrize("conflict", TABLE["conflict"], ids=lambda conflict: str(conflict["about"]))
def test_documents_that_disagree_have_clauses_of_their_own_or_levels(conflict: dict[str, Any]) -> None:
    clauses = load_registry().clauses
    assert set(conflict["clauses"]) - set(clauses) == set()
    assert set(conflict["oddities"]) - set(all_oddities()) == set()
    assert set(conflict["faults"]) - set(all_faults()) == set()
    judged = [clauses[clause].levels for clause in conflict["clauses"]]
    several = len({str(levels) for levels in judged}) > 1 or any(len(levels) > 1 for levels in judged)
    assert several or conflict["oddities"] or conflict.get("note"), "nothing tells the documents apart"
