"""Which checks decide which clauses, read from the sources."""

from pathlib import Path

from grantproof.clauses import content_root
from grantproof.coverage import check_sources, checks_by_clause

FIRST = '''
"""Checks."""
from grantproof.checks import clause, needs
from os import path

@clause("rfc1:1/a", "rfc1:1/b")
@needs("jwks")
def test_two_clauses() -> None: ...

@needs("jwks")
@clause("rfc1:1/a")
@clause("rfc1:2/c")
def test_two_marks() -> None: ...

def test_no_mark() -> None: ...

@clause(path.sep)
def test_no_literal() -> None: ...

@clause("rfc1:1/a")
def is_no_test() -> None: ...

@needs("rfc1:1/a")
def test_another_mark() -> None: ...
'''


def test_reads_checks_without_importing_them(tmp_path: Path) -> None:
    for folder in ("rfc2", "rfc1", "deep/rfc3"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "rfc1" / "test_1.py").write_text(FIRST, "utf-8")
    (tmp_path / "rfc2" / "test_2.py").write_text(
        'raise RuntimeError\n@clause("rfc1:1/a")\ndef test_x(): ...\n', "utf-8"
    )
    (tmp_path / "rfc2" / "helpers.py").write_text('@clause("rfc1:1/a")\ndef test_x(): ...\n', "utf-8")
    (tmp_path / "deep" / "rfc3" / "test_3.py").write_text('@clause("rfc1:1/a")\ndef test_x(): ...\n', "utf-8")
    found = {source.id: source.clauses for source in check_sources(tmp_path)}
    assert found == {
        "rfc1/test_1.py::test_two_clauses": ("rfc1:1/a", "rfc1:1/b"),
        "rfc1/test_1.py::test_two_marks": ("rfc1:1/a", "rfc1:2/c"),
        "rfc1/test_1.py::test_no_mark": (),
        "rfc1/test_1.py::test_no_literal": (),
        "rfc1/test_1.py::test_another_mark": (),
        "rfc2/test_2.py::test_x": ("rfc1:1/a",),
    }
    assert checks_by_clause(tmp_path) == {
        "rfc1:1/a": ("rfc1/test_1.py::test_two_clauses", "rfc1/test_1.py::test_two_marks", "rfc2/test_2.py::test_x"),
        "rfc1:1/b": ("rfc1/test_1.py::test_two_clauses",),
        "rfc1:2/c": ("rfc1/test_1.py::test_two_marks",),
    }


def test_lines_point_at_the_checks() -> None:
    root = content_root("conformance")
    for source in check_sources()[:50]:
        path, _, name = source.id.partition("::")
        assert (root / path).read_text("utf-8").splitlines()[source.line - 1].startswith(f"def {name}(")
