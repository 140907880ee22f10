"""What a selection names, without a run."""

from pathlib import Path

import pytest

from grantproof.clauses import content_root, load_registry
from grantproof.cli.check_command import split
from grantproof.coverage import check_sources
from grantproof.plugin.selection import check_selection, may_hold, means


@pytest.mark.parametrize(
    ("words", "clauses", "extra"),
    [
        ([], [], []),
        (["rfc6749", "rfc7009:2.1"], ["rfc6749", "rfc7009:2.1"], []),
        (["rfc6749:5.1", "-k", "rfc6749"], ["rfc6749:5.1"], ["-k", "rfc6749"]),
        (["a/path", "-x"], ["a/path"], ["-x"]),
        (["-m", "control", "rfc6749"], [], ["-m", "control", "rfc6749"]),
    ],
)
def test_pytests_part_begins_with_the_first_dash(words: list[str], clauses: list[str], extra: list[str]) -> None:
    assert split(words) == (clauses, extra)


@pytest.mark.parametrize(
    ("name", "clause", "expected"),
    [
        ("rfc6749", "rfc6749:5.1/status-200", True),
        ("rfc674", "rfc6749:5.1/status-200", False),
        ("rfc6749:5", "rfc6749:5.1/status-200", True),
        ("rfc6749:5.1", "rfc6749:5.1/status-200", True),
        ("rfc6749:3", "rfc6749:3.1.2.2/complete-uri", True),
        ("rfc6749:3.1.2", "rfc6749:3.1.2.2/complete-uri", True),
        ("rfc6749:1", "rfc6749:10.13/framing", False),
        ("rfc6749:10.1", "rfc6749:10.13/framing", False),
        ("rfc7009:5.1", "rfc6749:5.1/status-200", False),
        ("rfc6749:5.1/status-200", "rfc6749:5.1/status-200", True),
        ("rfc6749:5.1/status", "rfc6749:5.1/status-200", False),
    ],
)
def test_a_name_means_a_clause_a_section_or_a_specification(name: str, clause: str, *, expected: bool) -> None:
    assert means(name, load_registry()[clause]) is expected


@pytest.mark.parametrize("wanted", ["rfc6749:5.1", "rfc7009", "rfc6749:10.13/framing"])
def test_no_module_with_a_wanted_check_is_left_out(wanted: str) -> None:
    root = content_root("conformance")
    needed = {
        root / source.id.partition("::")[0]
        for source in check_sources()
        if any(means(wanted, load_registry()[clause]) for clause in source.clauses)
    }
    kept = {path for path in root.glob("*/test_*.py") if may_hold(path, [wanted])}
    assert needed <= kept
    assert kept != set(root.glob("*/test_*.py"))


def test_modules_of_other_people_are_never_left_out(tmp_path: Path) -> None:
    own = tmp_path / "test_own.py"
    own.write_text("", "utf-8")
    assert may_hold(own, ["rfc6749:5.1"])


@pytest.mark.parametrize(
    ("rulebooks", "grants", "wanted", "message"),
    [
        (["rfc6749", "bcp97"], [], [], "unknown rulebook 'bcp97': did you mean bcp9700?"),
        (["rfc6749"], ["imlicit"], [], "unknown grant 'imlicit': did you mean implicit?"),
        (["rfc6749"], [], ["rfc6749:5.1/no-stroe"], "did you mean rfc6749:5.1/no-store?"),
        (["rfc6749"], [], ["zzz"], "no clause, section or specification 'zzz'$"),
    ],
)
def test_a_name_that_nothing_has_is_refused(
    rulebooks: list[str], grants: list[str], wanted: list[str], message: str
) -> None:
    with pytest.raises(pytest.UsageError, match=message.replace("?", r"\?")):
        check_selection(rulebooks, grants, wanted, load_registry())
