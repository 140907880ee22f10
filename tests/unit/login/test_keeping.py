"""The page on which a login is stuck, kept for the person who mends the profile."""

from pathlib import Path

from grantproof.login import STUCK_PAGES, StuckPages
from grantproof.transport import Redactor
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers


def page_of(body: str) -> Answer:
    return Answer(200, Headers(), body.encode(), "https://as.example/login?state=s3cret-state")


def test_a_page_is_kept_as_text_without_a_secret(tmp_path: Path) -> None:
    body = '<form><input name="password" value="pa55word"><input name="code" value="abcdef"></form>'
    pages = StuckPages(tmp_path / "new", Redactor(["pa55word"]))
    said = pages.keep(page_of(body))
    (file,) = (tmp_path / "new").glob(STUCK_PAGES)
    assert said == f"; the page is kept as {file.name}"
    text = file.read_text("utf-8")
    assert text.startswith("https://as.example/login\nstatus 200\n\n<form><input name=")
    for secret in ("pa55word", "abcdef", "s3cret-state"):
        assert secret not in text
    assert pages.keep(page_of(body)) == said
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_few_pages_are_kept_and_none_that_is_endless(tmp_path: Path) -> None:
    pages = StuckPages(tmp_path, Redactor([]))
    said = [pages.keep(page_of("x" * 1_000_000 + str(number) if number == 0 else str(number))) for number in range(40)]
    kept = list(tmp_path.glob(STUCK_PAGES))
    assert len(kept) == 20
    assert [bool(each) for each in said].count(True) == 20
    assert max(file.stat().st_size for file in kept) < 300_000


def test_nothing_is_kept_where_there_is_no_place_or_no_page(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert StuckPages().keep(page_of("x")) == ""
    pages = StuckPages(tmp_path / "file" / "folder", Redactor([]))
    assert pages.keep(page_of("x")) == ""
    assert pages.keep(None) == ""
