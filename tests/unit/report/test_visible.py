"""Hostile text made harmless."""

import pytest

from grantproof.report.visible import markdown, markdown_code, one_line, visible, xml_legal


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, grüße, 中文, 🎉 \t\n", "plain, grüße, 中文, 🎉 \t\n"),
        ("a\x00b\x1b[31m\rc", "a⟨U+0000⟩b⟨U+001B⟩[31m⟨U+000D⟩c"),
        ("x\x7f\x9b", "x⟨U+007F⟩⟨U+009B⟩"),
        ("\u202egnp.exe\u2066", "⟨U+202E⟩gnp.exe⟨U+2066⟩"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("lone \ud800", "lone ⟨U+D800⟩"),
        ("\ufffd", "\ufffd"),
    ],
)
def test_unseen_characters_are_drawn(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_one_line_is_one_line_of_the_length() -> None:
    assert one_line("a\n  b\u2028c") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


def test_xml_gets_no_character_that_it_cannot_hold() -> None:
    assert xml_legal("a\x00\x0b\ud800\ufffeb\t\n🎉") == "ab\t\n🎉"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("rfc6749:5.2/x is fine - (so)", "rfc6749:5.2/x is fine - (so)"),
        ("<b>&", "&#60;b&#62;&#38;"),
        ("![x](y) | @me #1", "&#33;&#91;x&#93;(y) &#124; &#64;me &#35;1"),
        ("see http://evil www.evil", "see http&#58;//evil www&#46;evil"),
        ("- item", "&#45; item"),
        ("10. item", "&#49;&#48;. item"),
        ("199.8/s", "199.8/s"),
        ("*a* _b_ c_d `c` ~d~ $e$ \\", "&#42;a&#42; &#95;b&#95; c_d &#96;c&#96; &#126;d&#126; &#36;e&#36; &#92;"),
    ],
)
def test_markdown_renders_text_as_it_is(text: str, written: str) -> None:
    assert markdown(text) == written


def test_code_with_a_backtick_is_escaped_instead() -> None:
    assert markdown_code("a_b[c]") == "`a_b[c]`"
    assert markdown_code("a`<b>") == "a&#96;&#60;b&#62;"
