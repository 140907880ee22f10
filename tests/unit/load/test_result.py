"""load.json: the contract, what it means, and how it is written."""

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grantproof.cli.load_display import Display, summary
from grantproof.errors import GrantproofError
from grantproof.load.generator import Ending, limitation
from grantproof.load.ledger import Ledger, default_folder
from grantproof.load.record import Row, RunRecord
from grantproof.load.result import Ended, LoadResult, Setting, make_result
from grantproof.load.runner import Progress
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from grantproof.load.thresholds import parse_thresholds

_TARGET = Target("the server", "https://as.example/token?tenant=1", (("Authorization", "Basic c2VjcmV0"),), b"secret=1")
_CONTRACT = {
    "schema", "target", "scenario", "arrival", "offered_per_s", "achieved_per_s", "ok", "errors", "protected",
    "latency_s", "service_time_s", "send_lag_s", "connections", "generator", "duplicates", "thresholds", "series",
    "seconds",
}  # fmt: skip


def _tally(t: int = 1, ok: int = 90, latency_s: float = 0.01, lag_s: float = 0.0001, **others: Any) -> Tally:
    tally = Tally(t=t, ok=ok, sent=ok, offered={t: ok}, notes=Counter(compared=ok), **others)
    for _ in range(ok):
        tally.latency.record(latency_s)
        tally.service.record(latency_s / 2)
        tally.lag.record(lag_s)
    return tally


def _result(
    *tallies: Tally, offered: float | None = 100.0, rules: tuple[str, ...] = (), cpu_share: float = 0.1
) -> LoadResult:
    record = RunRecord()
    for tally in tallies:
        record.add(tally)
    setting = Setting("token_endpoint", "constant" if offered else "closed", offered, parse_thresholds(rules))
    return make_result(record, _TARGET, setting, Ended([Ending(float(len(tallies)), cpu_share)]))


def _schema() -> Any:
    return json.loads((files("grantproof.load") / "load.schema.json").read_text("utf-8"))


@pytest.mark.parametrize(("unserved", "hinted"), [(3, True), (2, False), (0, False)])
def test_who_loads_a_target_that_takes_few_connections_is_told(unserved: int, *, hinted: bool) -> None:
    result = _result(_tally(errors=Counter(timeout=4), unserved=unserved))
    assert result.connections["unserved"] == unserved
    assert ("fewer --connections" in summary(result)) is hinted


@pytest.mark.parametrize("offered", [100.0, None])
def test_the_file_keeps_the_contract_and_its_schema(offered: float | None) -> None:
    failed = _tally(2, errors=Counter(invalid_client=3, status_500=1), protected=Counter({"429": 2}))
    result = _result(_tally(), failed, offered=offered, rules=("p99 < 250ms", "rate > 1000/s"))
    written = json.loads(result.to_json())
    jsonschema.validate(written, _schema())
    assert set(written) >= _CONTRACT
    assert written["schema"] == "grantproof/load/1"
    assert written["offered_per_s"] == offered
    assert written["achieved_per_s"] == 90.0
    assert (written["ok"], written["requests"], written["offered"]) == (180, 186, 180)
    assert written["errors"] == {
        "timeout": 0,
        "reset": 0,
        "refused": 0,
        "malformed": 0,
        "invalid_client": 3,
        "status_500": 1,
    }
    assert written["protected"] == {"429": 2, "503": 0}
    assert [row["t"] for row in written["series"]] == [1, 2]
    assert [limit["kept"] for limit in written["thresholds"]] == [True, False]
    assert written["latency_s"]["p99"] == pytest.approx(0.01, rel=0.008)
    assert written["service_time_s"]["p99"] == pytest.approx(0.005, rel=0.008)


def test_an_empty_run_is_a_result_too() -> None:
    result = _result(Tally(t=1), rules=("p99 < 1s", "errors < 1%"))
    jsonschema.validate(json.loads(result.to_json()), _schema())
    assert [limit.kept for limit in result.thresholds] == [False, False]


def test_nothing_secret_is_in_it() -> None:
    text = _result(_tally()).to_json()
    assert "c2VjcmV0" not in text
    assert "secret=1" not in text
    assert "tenant" not in text


@pytest.mark.parametrize(
    ("tally", "rules", "cpu_share", "code"),
    [
        (_tally(), ("p99 < 1s",), 0.1, 0),
        (_tally(), (), 0.1, 0),
        (_tally(), ("p99 < 1ms",), 0.1, 1),
        (_tally(lag_s=0.5), ("p99 < 1ms",), 0.1, 3),
        (_tally(starved=True), (), 0.1, 3),
        (_tally(ok=0, errors=Counter(refused=5)), ("p99 < 1s",), 0.1, 3),
        (_tally(ok=0, errors=Counter(timeout=5, reset=1)), (), 0.1, 3),
        (_tally(ok=0, errors=Counter(invalid_client=5)), ("errors < 1%",), 0.1, 1),
        (_tally(ok=0, protected=Counter({"503": 5})), ("protected < 1%",), 0.1, 1),
    ],
)
def test_exit_codes(tally: Tally, rules: tuple[str, ...], cpu_share: float, code: int) -> None:
    assert _result(tally, rules=rules, cpu_share=cpu_share).exit_code == code


@pytest.mark.parametrize(
    ("endings", "rules", "code", "reason"),
    [
        ([Ending(60.0, 0.1)], (), 0, ""),
        ([Ending(59.99, 0.1), Ending(60.5, 0.1)], (), 0, ""),
        ([Ending(59.0, 0.1)], ("p99 < 1s",), 3, "the run was stopped after 59.0 of 60 s"),
        ([Ending(3.0, 0.1), Ending(3.1, 0.1)], (), 3, "the run was stopped after 3.1 of 60 s"),
        ([Ending(59.0, 0.1)], ("p99 < 1ms",), 1, "the run was stopped after 59.0 of 60 s"),
        ([Ending(60.0, 0.1), Ending(3.0, 0.1)], ("p99 < 1ms",), 3, "1 of 2 workers stopped after 3.0 of 60 s"),
        (
            [Ending(60.0, 0.1), Ending(0.0, 0.1, unreached=True)],
            (),
            3,
            "1 of 2 workers did not reach a target, to which they sent nothing",
        ),
        ([Ending(60.0, 0.1, unreached=True)], (), 0, ""),
    ],
)
def test_a_run_or_a_worker_that_stops_early_is_told(
    endings: list[Ending], rules: tuple[str, ...], code: int, reason: str
) -> None:
    record = RunRecord()
    record.add(_tally())
    setting = Setting("s", "constant", 90.0, parse_thresholds(rules), planned_s=60.0)
    result = make_result(record, _TARGET, setting, Ended(endings))
    jsonschema.validate(json.loads(result.to_json()), _schema())
    assert (result.exit_code, result.generator["reason"]) == (code, reason)
    assert reason in summary(result)
    assert ("stopped" in summary(result)) is ("stopped" in reason)


def test_nobody_stops_early_where_no_end_was_planned() -> None:
    result = _result(_tally())
    assert (result.planned_s, result.cut_short, result.exit_code) == (None, False, 0)


@pytest.mark.parametrize(
    ("latency_s", "lag_s", "cpu_share", "open_loop", "limited"),
    [
        (0.02, 0.0001, 0.1, True, False),
        (0.02, 0.0001, 0.99, True, False),
        (0.02, 0.012, 0.1, True, True),
        (1.0, 0.05, 0.1, True, False),
        (1.0, 0.05, 0.95, True, True),
        (0.02, 0.009, 0.1, True, False),
        (0.02, 0.0, 0.95, False, True),
        (0.02, 0.0, 0.5, False, False),
    ],
)
def test_the_generator_knows_when_it_is_the_limit(
    latency_s: float, lag_s: float, cpu_share: float, *, open_loop: bool, limited: bool
) -> None:
    assert bool(limitation(_tally(latency_s=latency_s, lag_s=lag_s), cpu_share, open_loop=open_loop)) is limited


def test_waiting_for_a_busy_target_is_not_the_generators_fault() -> None:
    tally = _tally(latency_s=1.0)
    for _ in range(90):
        tally.queue.record(0.9)
    assert limitation(tally, 0.1, open_loop=True) == ""
    assert _result(tally).send_lag_s["p99"] == pytest.approx(0.9, rel=0.008)


def test_a_lost_worker_spoils_the_run_and_its_gap_is_shown(tmp_path: Path) -> None:
    ledger = Ledger(_TARGET, Setting("s", "constant", 10.0), tmp_path, workers=2)
    ledger.add(_tally())
    assert not ledger.end(Ending(1.0, 0.1))
    assert ledger.lose("worker 2 after 1 s", {"": {2: 5, 3: 4}})
    result = ledger.close()
    assert result.exit_code == 3
    assert result.generator["reason"] == "1 of 2 workers were lost: worker 2 after 1 s"
    assert (result.generator["lost"], result.generator["missing"]) == (1, 9)
    assert [(row["t"], row["offered"], row["ok"]) for row in result.series] == [(1, 90, 90), (2, 5, 0), (3, 4, 0)]
    assert (result.offered, result.requests) == (99, 90)


def test_a_worker_that_says_nothing_at_all_is_lost_too(tmp_path: Path) -> None:
    ledger = Ledger(_TARGET, Setting("s", "constant", 10.0), tmp_path, workers=2)
    assert not ledger.end(Ending(1.0, 0.1))
    assert ledger.close().generator["reason"] == "1 of 2 workers were lost: one never said how it ended"


def _scenarios(folder: Path) -> LoadResult:
    parts = [("a", 30.0), ("b", 10.0)]
    ledger = Ledger(_TARGET, Setting("a, b", "constant", 40.0, parse_thresholds(["p99 < 1s"]), parts=parts), folder)
    for name, ok, latency_s in (("a", 30, 0.01), ("b", 10, 0.5)):
        tally = _tally(ok=ok, latency_s=latency_s)
        tally.scenario, tally.hashes = name, bytes(8) + ok.to_bytes(8, "little")
        ledger.add(tally)
    ledger.prepare(
        [{"what": "sessions", "number": 2, "seconds": 1.5}, {"what": "sessions", "number": 3, "seconds": 1.0}]
    )
    ledger.end(Ending(1.0, 0.1))
    return ledger.close()


def test_several_scenarios_stand_one_by_one_below_their_total(tmp_path: Path) -> None:
    result = _scenarios(tmp_path)
    written = json.loads(result.to_json())
    jsonschema.validate(written, _schema())
    assert (result.scenario, result.ok, result.offered_per_s) == ("a, b", 40, 40.0)
    assert [(part.scenario, part.ok, part.offered_per_s) for part in result.scenarios] == [
        ("a", 30, 30.0),
        ("b", 10, 10.0),
    ]
    assert [part.latency_s["p50"] for part in result.scenarios] == pytest.approx([0.01, 0.5], rel=0.008)
    assert all(set(part) >= _CONTRACT for part in written["scenarios"])
    assert [part.duplicates["found"] for part in result.scenarios] == [0, 0]
    assert result.duplicates["found"] == 1
    assert result.prepared == [{"what": "sessions", "number": 5, "seconds": 1.5}]
    assert LoadResult.read(tmp_path) == result


def test_a_scenario_that_was_never_answered_is_no_pass(tmp_path: Path) -> None:
    ledger = Ledger(_TARGET, Setting("a, b", "constant", 2.0, parts=[("a", 1.0), ("b", 1.0)]), tmp_path)
    for tally, name in ((_tally(), "a"), (Tally(t=1, errors=Counter(refused=1)), "b")):
        tally.scenario = name
        ledger.add(tally)
    ledger.end(Ending(1.0, 0.1))
    assert ledger.close().exit_code == 3


def test_how_often_the_target_said_when_to_come_again_is_told() -> None:
    result = _result(_tally(protected=Counter({"429": 3, "503": 2}), retry_after=Counter({"429": 2})))
    assert (result.protected, result.retry_after) == ({"429": 3, "503": 2}, {"429": 2, "503": 0})


def test_tokens_that_nobody_compared_lower_the_share() -> None:
    tally = _tally(ok=100)
    tally.notes = Counter(compared=25, not_compared=75)
    assert _result(tally).duplicates == {"found": 0, "checked_share": 0.25}


def test_a_ledger_writes_once_and_leaves_nothing_else(tmp_path: Path) -> None:
    rows: list[Row] = []
    ledger = Ledger(_TARGET, Setting("s", "constant", 10.0), tmp_path / "run", on_row=rows.append)
    ledger.add(_tally())
    assert ledger.end(Ending(1.0, 0.1))
    first = ledger.close()
    assert ledger.close() is first
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "latency.hgrm",
        "load.json",
        "service_time.hgrm",
    ]
    assert LoadResult.read(tmp_path / "run") == first
    assert [row.ok for row in rows] == [90]


def test_a_listener_that_is_gone_does_not_end_the_run(tmp_path: Path) -> None:
    def listen(row: Row) -> None:
        raise BrokenPipeError(row.t)

    ledger = Ledger(_TARGET, Setting("s", "constant", 10.0), tmp_path, on_row=listen)
    ledger.add(_tally())
    ledger.add(_tally(2))
    assert ledger.record.total.ok == 180


def test_reading_tells_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="no result"):
        LoadResult.read(tmp_path)
    (tmp_path / "load.json").write_text("{}")
    with pytest.raises(GrantproofError, match="not a result"):
        LoadResult.read(tmp_path)
    text = _result(_tally()).to_json().replace("grantproof/load/1", "grantproof/load/9")
    (tmp_path / "load.json").write_text(text)
    with pytest.raises(GrantproofError, match="another version"):
        LoadResult.read(tmp_path)


def test_a_folder_is_named_by_profile_and_time() -> None:
    assert default_folder("keycloak").parent == Path("reports")
    assert default_folder("keycloak").name.startswith("keycloak-20")


def test_rows_of_workers_and_late_tallies_add_up() -> None:
    record = RunRecord()
    for t in (1, 2, 40):
        record.add(_tally(t))
    record.add(_tally(2, latency_s=0.5))
    record.add(_tally(40, latency_s=0.5))
    rows = {row.t: row for row in record.series}
    assert (rows[1].ok, rows[2].ok, rows[40].ok) == (90, 180, 180)
    assert rows[40].p99 == pytest.approx(0.5, rel=0.01)
    assert rows[2].p99 == pytest.approx(0.5, rel=0.01)
    assert record.total.ok == 450


def test_a_tally_survives_the_way_to_another_process() -> None:
    tally = _tally(errors=Counter(reset=2), opened=3, starved=True)
    again = Tally.from_data(json.loads(json.dumps(tally.to_data())))
    assert again.to_data() == tally.to_data()
    assert again.resolved == 92


@pytest.mark.parametrize(
    ("workers", "before_the_end"), [(1, ["5 s  due 100/s", "10 s  due 100/s"]), (2, ["5 s  due 200/s"])]
)
def test_a_line_of_the_log_has_what_all_workers_did(
    capsys: pytest.CaptureFixture[str], workers: int, before_the_end: list[str]
) -> None:
    display = Display(workers)
    for t in range(1, 11):
        for part in range(1, workers + 1):
            display.show(Progress(t=t, offered=100 * part, sent=0, ok=0, errors=0, protected=0, p99=0.0))
    assert [line.strip().partition("  ok")[0] for line in capsys.readouterr().err.splitlines()] == before_the_end
    display.end()
    rest = ["10 s  due 200/s"] if workers > 1 else []
    assert [line.strip().partition("  ok")[0] for line in capsys.readouterr().err.splitlines()] == rest


def test_what_was_not_reached_has_no_latencies() -> None:
    said = summary(_result(Tally(t=1, errors=Counter(refused=1), offered={1: 1}), rules=("errors < 1%",)))
    assert "  unknown  errors < 1%" in said
    assert "  the target was not reached: nothing can be said of it" in said
    assert "  latency  no answer to measure" in said
