"""Forms: encoding and decoding by RFC 6749 Appendix B, repeats and blanks kept."""

import pytest

from grantproof.wire.form import Form, MalformedFormError, encode_component

CASES = [
    ("", ()),
    ("a=1", (("a", "1"),)),
    ("a=1&a=2", (("a", "1"), ("a", "2"))),
    ("a=&b=", (("a", ""), ("b", ""))),
    ("a=x+y%2Bz", (("a", "x y+z"),)),
    ("a=%C3%A4", (("a", "ä"),)),
    ("a=b=c", (("a", "b=c"),)),
    ("%61=1", (("a", "1"),)),
]


@pytest.mark.parametrize(("text", "pairs"), CASES)
@pytest.mark.parametrize("strict", [True, False])
def test_parses_once_with_repeats_and_blanks(text: str, pairs: tuple[tuple[str, str], ...], *, strict: bool) -> None:
    assert Form.parse(text, strict=strict).pairs == pairs


@pytest.mark.parametrize("text", ["a=%", "a=%zz", "a", "=b", "a=1&&b=2", "a= b", 'a="', "a=ä", "a=%ff"])
def test_strict_refuses_what_is_not_form_encoded(text: str) -> None:
    with pytest.raises(MalformedFormError):
        Form.parse(text, strict=True)


@pytest.mark.parametrize("text", ["a=%", "a", "=b", "a=1&&b=2", "a=%ff", "a= b"])
def test_lenient_reads_it_all_the_same(text: str) -> None:
    assert len(Form.parse(text)) >= 1


@pytest.mark.parametrize("value", ["", "a b", '%+:&=/~"', "ä€𝄞", "\x00\n", "a%20b"])
def test_encoding_is_undone_by_strict_parsing(value: str) -> None:
    form = Form(((value or "n", value), ("b", value)))
    assert Form.parse(form.encode(), strict=True) == form


def test_encodes_the_sample_of_appendix_b() -> None:
    assert encode_component(" %&+£€") == "+%25%26%2B%C2%A3%E2%82%AC"


def test_changes_leave_the_original_and_the_order() -> None:
    form = Form((("a", "1"), ("b", "2"), ("a", "3")))
    assert form.set("a", "9").pairs == (("a", "9"), ("b", "2"))
    assert form.set("c", "4").pairs == (*form.pairs, ("c", "4"))
    assert form.add("b", "5").all("b") == ("2", "5")
    assert form.drop("a").names == ("b",)
    assert form.update({"a": None, "b": "7"}).pairs == (("b", "7"),)
    assert form.repeated == {"a"}
    assert form.get("a") == "1"
    assert form.get("z") is None


def test_repr_shows_names_and_no_value() -> None:
    assert repr(Form((("client_secret", "hush"),))) == "Form(client_secret)"
