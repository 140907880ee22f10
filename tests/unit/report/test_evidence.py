"""Exchanges cut for the page, and which of them a page holds."""

from grantproof.report.evidence import BODY_LIMIT, select, show, weigh
from grantproof.report.record import CheckResult, ExchangeRecord, Run
from grantproof.verdict import Verdict

from .runs import assemble, clause, exchange


def record(n: int, body: str, *, status: int = 400) -> ExchangeRecord:
    """An exchange as a run holds it."""
    return assemble([], [], exchanges=[exchange(n, body, status=status)]).exchanges[0]


def test_a_long_body_is_cut_and_says_so() -> None:
    shown = show(record(1, "x" * 5000))
    assert shown.response.body == "x" * BODY_LIMIT
    assert shown.response.note == "the first 4,096 of 5,000 characters"
    assert show(record(1, "x" * BODY_LIMIT)).response.note == ""


def test_a_binary_body_says_how_it_is_written() -> None:
    raw = record(1, "AAEC")
    raw["response"]["content"]["encoding"] = "base64"
    assert show(raw).response.note == "not text, in base64"


def test_an_exchange_without_an_answer_tells_why() -> None:
    shown = show(record(1, "", status=0))
    assert (shown.status, shown.failure) == (0, "no answer within 10 s")
    assert shown.title == "POST /token"


def test_endless_headers_and_commands_are_cut() -> None:
    raw = record(1, "")
    raw["response"]["headers"] = [{"name": "x", "value": "y" * 9000}] * 100
    raw["curl"] = "c" * 9000
    shown = show(raw)
    assert len(shown.response.headers) == 49
    assert shown.response.headers[-1] == ("…", "52 more header fields")
    assert shown.response.headers[0][1].endswith("(9,000 characters)")
    assert shown.curl == ""


def test_an_exchange_of_the_wrong_shape_is_still_shown() -> None:
    raw: ExchangeRecord = {
        "n": 1,
        "request": {},
        "response": {"status": None, "content": []},
        "seconds": 0.1,
        "curl": "",
    }
    assert show(raw).status == 0
    assert show(raw).failure == "no answer"


def noisy(sizes: tuple[int, int], body: str = "b" * 100) -> tuple[Run, list[list[CheckResult]]]:
    """A run of two broken clauses with so many checks, each with one exchange."""
    groups: list[list[CheckResult]] = []
    n = 0
    for group, size in enumerate(sizes):
        checks: list[CheckResult] = []
        for i in range(size):
            n += 1
            checks.append(CheckResult(f"t::{group}-{i}", (f"rfc6749:5.2/c{group}",), "g", Verdict.FAIL, "", 0.0, (n,)))
        groups.append(checks)
    clauses = [clause(f"rfc6749:5.2/c{group}", "C.") for group in range(len(sizes))]
    exchanges = [exchange(i + 1, body) for i in range(n)]
    return assemble(clauses, [check for group in groups for check in group], exchanges=exchanges), groups


def test_all_evidence_is_shown_where_there_is_room() -> None:
    run, groups = noisy((5, 2))
    selection = select(run, groups, [], 100_000)
    assert (len(selection.shown), selection.left_out, selection.body_limit) == (7, 0, BODY_LIMIT)


def test_a_noisy_clause_does_not_push_out_the_evidence_of_another() -> None:
    run, groups = noisy((50, 1))
    room = 3 * weigh(run.exchanges[0]) + 10
    selection = select(run, groups, [], room)
    assert set(selection.shown) == {1, 51, 2}
    assert selection.left_out == 48


def test_bodies_shrink_before_evidence_is_left_out() -> None:
    run, groups = noisy((10, 10), "b" * 4096)
    selection = select(run, groups, [], 20 * weigh(run.exchanges[0], 1024))
    assert (selection.body_limit, selection.left_out) == (1024, 0)


def test_passing_checks_come_last_with_their_newest_exchange() -> None:
    run, groups = noisy((1, 2))
    passing = CheckResult("t::p", ("rfc6749:5.2/c1",), "g", Verdict.PASS, "", 0.0, (2, 3))
    assert set(select(run, groups[:1], [passing], 100_000).shown) == {1, 3}
    assert set(select(run, groups[:1], [passing], weigh(run.exchanges[0])).shown) == {1}
