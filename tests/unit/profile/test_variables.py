"""Variables: where they come from, and what is said when they do not."""

from typing import Any

import pytest

from grantproof.profile.variables import expand

ENVIRON = {"A": "a-value", "EMPTY": "", "DOLLAR": "${A}"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${A}", "a-value"),
        ("<${A}|${A}>", "<a-value|a-value>"),
        ("${EMPTY}", ""),
        ("${NONE:-x y}", "x y"),
        ("${NONE:-}", ""),
        ("${EMPTY:-x}", "x"),
        ("${A:-x}", "a-value"),
        ("${A:?set it}", "a-value"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$a-value"),
        ("a$b $ 5", "a$b $ 5"),
        ("${DOLLAR}", "${A}"),  # what the environment holds is not looked at again
        ("${user.name}", "ada"),
        ("${user.greeting}!", "hello ada!"),
        ("${user.age}/${user.here}", "36/true"),
        ("{query.callback_url}{json.x}", "{query.callback_url}{json.x}"),
    ],
)
def test_variables_have_values(text: str, value: str) -> None:
    user = {"name": "ada", "greeting": "hello ${user.name}", "age": 36, "here": True}
    result = expand({"user": user, "it": [{"x": text}]}, ENVIRON)
    assert result.document["it"] == [{"x": value}]
    assert result.objections == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${NONE}", "the variable NONE is not set", ""),
        ("${EMPTZ}", "the variable EMPTZ is not set", "did you mean EMPTY?"),
        ("${NONE:?set it}", "the variable NONE is not set: set it", ""),
        ("${EMPTY:?set it}", "the variable EMPTY is not set: set it", ""),
        ("${NONE:?}", "the variable NONE is not set: it is needed", ""),
        ("${user.nam}", "the profile has no user.nam", "did you mean name?"),
        ("${user}", "the variable user is not set", ""),
        ("${user.name.x}", "the profile has no user.name.x", ""),
        ("${it.x.y}", "the profile has no it.x.y", ""),
        ("${a.b}", "a.b is no single value", ""),
        ("${query.x}", "the profile has no query.x", "the login's placeholders are written {query.x}, without a $"),
        ("${A", '"${" is never closed', "$$ is a plain $"),
    ],
)
def test_variables_without_values_are_objections(text: str, message: str, hint: str) -> None:
    result = expand({"user": {"name": "ada"}, "a": {"b": {}}, "it": {"x": text}}, ENVIRON)
    (objection,) = result.objections
    assert (objection.location, objection.message, objection.hint) == (("it", "x"), message, hint)
    assert result.failed == {("it", "x")}
    assert result.document["it"] == {"x": text}


@pytest.mark.parametrize("text", ["${}", "${A-x}", "${A?x}", "${1A}", "${A:+x}", "${user.name:-x}"])
def test_other_shells_forms_are_refused(text: str) -> None:
    (objection,) = expand({"user": {"name": "ada"}, "x": text}, ENVIRON).objections
    assert objection.message.endswith("is no variable")


def test_a_missing_variable_is_reported_once_where_it_stands() -> None:
    document: dict[str, Any] = {"user": {"password": "${NONE}"}, "fill": ["${user.password}"]}
    result = expand(document, {})
    assert [each.location for each in result.objections] == [("user", "password")]
    assert result.failed == {("user", "password"), ("fill", 0)}


def test_circles_are_objections() -> None:
    result = expand({"t": {"a": "${t.b}", "b": "${t.a}"}}, {})
    assert {each.location for each in result.objections} == {("t", "a"), ("t", "b")}
    assert all("refers to itself" in each.message for each in result.objections)


def test_doubling_comes_to_an_end() -> None:
    table = {f"x{n}": f"${{t.x{n - 1}}}" * 2 for n in range(1, 60)} | {"x0": "0123456789"}
    result = expand({"t": table}, {})
    assert any("is longer than" in each.message for each in result.objections)
    assert len(result.document["t"]["x10"]) == 10 * 2**10
