"""Lines of keys, in TOML as nasty as it gets."""

import tomllib
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest

from grantproof.profile.positions import key_lines, line_of
from grantproof.profile.values import Location, is_array, is_table

NASTY = dedent('''\
    # [not.a.table]
    a = 1   # b = 2
    "quoted key" = "# no comment"
    'literal "key"'.sub."\\u00e9.x" = 'C:\\no\\escape'
    dotted . with . spaces = true
    multi = """
    [fake]
    key = 1 \\""" still
    """
    literal = \'\'\'
    [[fake]]
    it's ""\'\'\'
    quotes = """""two before, two after"""""
    array = [ # comment ]
      "x]", # another
      [1, 2], [
        3 ],
      { k = "}", l = { m = [
        5 ] } },
    ]
    date = 1979-05-27T07:32:00Z
    time = 07:32:00
    numbers = [+1_000, 0xff, -inf, 1e6]
    empty = []
    none = {}

    [ table ]
    x = 1
    [table."sub.table"]
    y = 2
    [[list]]
    a = 1
    [list.sub]
    b = 2
    [[list.deep]]
    c = 3
    [[list.deep]]
    c = 4
      [[ list ]]
      a = 5
      [[list.deep]]
      d.e = 6
    [late.parent.child]
    z = 1
    [late]
    w = 1''')

EXPECTED: dict[Location, int] = {
    ("a",): 2,
    ("quoted key",): 3,
    ('literal "key"',): 4,
    ('literal "key"', "sub", "é.x"): 4,
    ("dotted", "with", "spaces"): 5,
    ("multi",): 6,
    ("literal",): 10,
    ("quotes",): 13,
    ("array",): 14,
    ("array", 0): 15,
    ("array", 1): 16,
    ("array", 1, 1): 16,
    ("array", 2): 16,
    ("array", 2, 0): 17,
    ("array", 3): 18,
    ("array", 3, "l", "m", 0): 19,
    ("date",): 21,
    ("numbers", 3): 23,
    ("none",): 25,
    ("table",): 27,
    ("table", "x"): 28,
    ("table", "sub.table", "y"): 30,
    ("list",): 31,
    ("list", 0): 31,
    ("list", 0, "a"): 32,
    ("list", 0, "sub", "b"): 34,
    ("list", 0, "deep", 0, "c"): 36,
    ("list", 0, "deep", 1): 37,
    ("list", 0, "deep", 1, "c"): 38,
    ("list", 1): 39,
    ("list", 1, "a"): 40,
    ("list", 1, "deep", 0): 41,
    ("list", 1, "deep", 0, "d", "e"): 42,
    ("late", "parent", "child", "z"): 44,
    ("late",): 45,
    ("late", "w"): 46,
}


def paths(value: object, above: Location = ()) -> Iterator[Location]:
    """Every path of a parsed document."""
    if is_table(value):
        for key, each in value.items():
            yield (*above, key)
            yield from paths(each, (*above, key))
    elif is_array(value):
        for place, each in enumerate(value):
            yield (*above, place)
            yield from paths(each, (*above, place))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_lines_are_right_in_nasty_toml(newline: str) -> None:
    lines = key_lines(NASTY.replace("\n", newline))
    assert {path: lines.get(path) for path in EXPECTED} == EXPECTED


def test_every_path_has_a_line_and_no_line_has_no_path() -> None:
    document: dict[str, Any] = tomllib.loads(NASTY)
    assert set(paths(document)) == set(key_lines(NASTY))


@pytest.mark.parametrize(
    "text", ["", "\n\n# only a comment", "a=1", "[a]", "a={b=[{c=1},{c=2}]}#", "[a]\n[[a.b]]\n[[a.b]]"]
)
def test_short_documents(text: str) -> None:
    assert set(paths(tomllib.loads(text))) == set(key_lines(text))


def test_what_is_not_there_has_the_line_of_what_is_around() -> None:
    lines = key_lines("[a]\nb = 1\n[[c]]\n[[c]]\nd = 1\n")
    assert line_of(lines, ("a", "b")) == 2
    assert line_of(lines, ("a", "x", 0, "y")) == 1
    assert line_of(lines, ("c", 1, "x")) == 4
    assert line_of(lines, ("nothing",)) == 1
    assert line_of(lines, ()) == 1
