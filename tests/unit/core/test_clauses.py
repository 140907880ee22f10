"""The catalogue: how it is read, what its errors say, and where the content stands."""

from pathlib import Path

import pytest

from grantproof.clauses import Clause, content_root, load_registry
from grantproof.errors import GrantproofError
from grantproof.verdict import Level

SPEC = """
[spec]
id = "rfc1"
title = "Host software"
section_url = "https://rfc.example/1#section-{section}"
appendix_url = "https://rfc.example/1#appendix-{section}"
"""
CLAUSE = """
[[clause]]
id = "rfc1:2.1/answers"
levels = { rfc6749 = "MUST" }
binds = "token endpoint"
grants = ["implicit"]
statement = "It answers."
"""


def catalogue(folder: Path, *rows: str, spec: str = "rfc1") -> Path:
    (folder / spec).mkdir()
    (folder / spec / "clauses.toml").write_text(SPEC + "".join(rows), "utf-8")
    return folder


def test_reads_a_clause(tmp_path: Path) -> None:
    more = 'needs = ["jwks"]\nrequirements = ["RFC1-1"]\nuntestable = "nobody sees it"\n'
    registry = load_registry(catalogue(tmp_path, CLAUSE, more, CLAUSE.replace("2.1/answers", "B/asks")))
    clause = registry["rfc1:2.1/answers"]
    assert (clause.spec, clause.section, clause.url) == ("rfc1", "2.1", "https://rfc.example/1#section-2.1")
    assert (clause.levels, clause.binds, clause.grants) == ({"rfc6749": Level.MUST}, "token endpoint", ("implicit",))
    assert (clause.needs, clause.requirements, clause.untestable) == (("jwks",), ("RFC1-1",), "nobody sees it")
    assert registry["rfc1:B/asks"].url == "https://rfc.example/1#appendix-B"
    assert [each.id for each in registry] == ["rfc1:2.1/answers", "rfc1:B/asks"]
    assert (len(registry), registry.titles) == (2, {"rfc1": "Host software"})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([CLAUSE, CLAUSE], "the clause rfc1:2.1/answers stands twice"),
        ([CLAUSE.replace("rfc1:2.1", "rfc2:2.1")], "rfc2:2.1/answers stands in the catalogue of rfc1"),
        ([CLAUSE.replace('"MUST"', '"SHALL"')], "malformed: rfc1:2.1/answers: 'SHALL' is not a valid Level"),
        ([CLAUSE.replace("statement", "text")], "malformed: rfc1:2.1/answers: 'statement'"),
        ([CLAUSE.replace("id = ", "name = ")], "malformed: ?: 'id'"),
    ],
)
def test_says_what_is_wrong_with_a_row_and_where(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(GrantproofError) as ending:
        load_registry(catalogue(tmp_path, *rows))
    assert str(ending.value).startswith(f"{tmp_path / 'rfc1' / 'clauses.toml'}: ")
    assert message in str(ending.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rfc6749:5.1/status200", "did you mean rfc6749:5.1/status-200?"),
        ("RFC6749:5.1/no-store", "did you mean rfc6749:5.1/no-store?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_names_the_clause_that_was_most_likely_meant(name: str, hint: str) -> None:
    with pytest.raises(GrantproofError) as ending:
        _ = load_registry()[name]
    assert ending.value.what == f"no clause {name!r} in the catalogue"
    assert ending.value.hint == hint


@pytest.mark.parametrize(
    ("rulebooks", "level"),
    [
        ([], Level.NONE),
        (["rfc6749"], Level.SHOULD),
        (["oidc"], Level.NONE),
        (["bcp9700"], Level.MUST),
        (["rfc6749", "oidc"], Level.SHOULD),
        (["rfc6749", "bcp9700"], Level.MUST),
        (["bcp9700", "rfc6749"], Level.SHOULD),
        (["rfc6749", "oauth21"], Level.NONE),
        (["rfc6749", "oauth21", "bcp9700"], Level.MUST),
    ],
)
def test_a_later_rulebook_overrides_what_it_names(rulebooks: list[str], level: Level) -> None:
    levels = {"rfc6749": Level.SHOULD, "bcp9700": Level.MUST, "oauth21": Level.NONE}
    clause = Clause("a:1/b", "a", "1", "It is so.", "https://a.example", levels, "token endpoint", ("implicit",))
    assert clause.level(rulebooks) is level


@pytest.mark.parametrize("name", ["tests", "", "../..", "conformance/rfc6749", "src"])
def test_only_the_three_folders_are_content(name: str) -> None:
    with pytest.raises(GrantproofError, match="one of conformance, loadtests, profiles"):
        content_root(name)


def test_the_text_of_an_error_has_place_message_and_hint() -> None:
    assert str(GrantproofError("it is wrong")) == "it is wrong"
    assert str(GrantproofError("it is wrong", "a.toml:3")) == "a.toml:3: it is wrong"
    assert str(GrantproofError("it is wrong", "a.toml:3", "mend it")) == "a.toml:3: it is wrong\n  hint: mend it"
