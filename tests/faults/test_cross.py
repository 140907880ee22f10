"""The whole cross: shards, resuming, and what is made of the rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from grantproof.errors import GrantproofError
from tests.faults.cross import read_kept, run, shard_of, summary

NAMES = tuple("abcdefg")


def test_shards_are_the_whole() -> None:
    shards = [shard_of(NAMES, f"{number}/3") for number in (1, 2, 3)]
    assert sorted(name for shard in shards for name in shard) == list(NAMES)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "a/b", "-1/3"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(GrantproofError, match="is no shard"):
        shard_of(NAMES, text)


def test_rows_of_another_commit_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "cross.jsonl"
    row: dict[str, Any] = {"id": "a", "passed": 1, "fail": [], "warn": [], "inconclusive": []}
    path.write_text(f'{json.dumps({"commit": "old"})}\n{json.dumps(row)}\n{{"id": "broken o', "utf-8")
    assert read_kept(path, "old") == {"a": row}
    assert read_kept(path, "new") == {}
    assert read_kept(tmp_path / "missing", "new") == {}


def test_summary_tells_who_kills_alone() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "one", "fail": ["m::x[a]", "m::x[b]"], "warn": []},
        {"id": "two", "fail": ["m::x[a]"], "warn": ["m::y"]},
        {"id": "three", "fail": [], "warn": []},
    ]
    assert summary(rows, ["m::x", "m::y", "m::z"]) == [
        "3 checks: 1 kill a fault that no other check kills",
        "1 kill nothing here: m::z",
        "1 faults survive without the fuzzing: three",
    ]


def test_a_shard_is_run_once(tmp_path: Path) -> None:
    path = tmp_path / "cross.jsonl"
    few = ("-k", "test_5_2")
    first = run("1/5000", path, "this", few)
    written = path.read_text("utf-8")
    assert len(first) == 1
    assert next(iter(first.values()))["fail"] != []
    assert run("1/5000", path, "this", few) == first
    assert path.read_text("utf-8") == written
