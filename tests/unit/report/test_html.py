"""The page's text: its policy, its size, and that nothing of a target becomes markup."""

import base64
import hashlib
import re
from typing import Any

import pytest
from lxml import etree

from grantproof.report.html import render_html, share_bar
from grantproof.report.record import CheckResult, Run
from grantproof.verdict import Verdict

from .runs import HOSTILE, assemble, clause, exchange, many

EVERY_KIND = ["small_run", "hostile_run", "large_run"]
ELEMENTS = {"script": 1, "style": 1, "img": 0, "iframe": 0, "object": 0, "link": 0}


def page(text: str) -> Any:
    """The document as a lenient parser sees it."""
    return etree.fromstring(text, etree.HTMLParser())


def digest(text: str) -> str:
    """A source expression of a content security policy."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@pytest.mark.parametrize("name", EVERY_KIND)
def test_the_policy_allows_the_page_itself_and_nothing_else(
    name: str, load: dict[str, Any], capacity: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    text = render_html(request.getfixturevalue(name), load=load, capacity=capacity)
    document = page(text)
    policy = document.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    style, script = (re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[0] for tag in ("style", "script"))
    hashes = f"style-src {digest(style)}; script-src {digest(script)}"
    assert policy == f"default-src 'none'; {hashes}; base-uri 'none'; form-action 'none'"
    assert {tag: len(document.xpath(f"//{tag}")) for tag in ELEMENTS} == ELEMENTS
    assert not document.xpath("//@style | //@src | //@*[starts-with(name(), 'on')]")
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("name", EVERY_KIND)
def test_ids_are_unique_and_every_inner_link_has_its_place(name: str, request: pytest.FixtureRequest) -> None:
    document = page(render_html(request.getfixturevalue(name)))
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = {link[1:] for link in document.xpath("//@href[starts-with(., '#')]")}
    assert links <= set(ids)
    assert {"main", "findings", "clauses"} <= set(ids)


def test_no_number_links_to_a_part_that_is_not_there() -> None:
    run = assemble([clause("rfc6749:5.2/x", "C.")], [CheckResult("t::x", ("rfc6749:5.2/x",), "g", Verdict.PASS)])
    document = page(render_html(run))
    assert set(document.xpath("//@href[starts-with(., '#')]")) <= {f"#{name}" for name in document.xpath("//@id")}


def test_hostile_text_is_text_everywhere(hostile_run: Run, load: dict[str, Any]) -> None:
    load |= {"scenario": HOSTILE, "errors": {HOSTILE: 4}, "thresholds": [{"rule": HOSTILE, "kept": False}]}
    text = render_html(hostile_run, load=load)
    document = page(text)
    assert not document.xpath("//img | //svg[@onload] | //script[contains(., 'pwned')]")
    assert document.xpath("count(//head/title)") == 1
    assert "<img src=x onerror=window.pwned=1>" in document.xpath("string(//article//pre[1])")
    for unseen in ("\u202e", "\u200b", "\x1b", "\x00", "\ud800"):
        assert unseen not in text
    assert "⟨U+202E⟩gnp.exe⟨U+200B⟩⟨U+001B⟩" in text
    assert "{{7*7}}" in text


def test_only_web_addresses_become_links() -> None:
    bad = clause("rfc6749:5.2/x", "C.")
    run = assemble([bad], [CheckResult("t::x", (bad.id,), "g", Verdict.FAIL, "m")])
    text = render_html(Run.from_json(run.to_json().replace(bad.url, "javascript:alert(1)")))
    assert "javascript:" not in text
    assert "RFC 6749 section 5.2" in text


def test_three_thousand_checks_fit_into_a_page(large_run: Run) -> None:
    assert len(render_html(large_run).encode()) < 1_500_000


def test_a_wholly_broken_target_fits_as_well_with_evidence_for_every_clause() -> None:
    run = many(3000, troubled_each=2)
    text = render_html(run)
    assert len(text.encode()) < 2_000_000
    document = page(text)
    assert document.xpath("count(//article[not(.//details[@class='x'])])") == 0
    assert "did not fit into the page" in text


def test_the_page_shows_findings_with_request_answer_and_command(small_run: Run) -> None:
    document = page(render_html(small_run))
    finding = document.xpath("//article")[0]
    assert [heading.text for heading in finding.xpath(".//section/h5")][:2] == ["Request", "Response"]
    assert "unsupported_grant_type" in finding.xpath("string(.//p[@class='msg'])")
    assert finding.xpath(".//header/a/@href") == ["https://www.rfc-editor.org/rfc/rfc6749#section-5.2"]
    assert finding.xpath("string(.//div[@class='curl']/pre)").startswith("curl -i -X POST")
    assert "no answer within 10 s" in document.xpath("string(//section[@id='clauses'])")


def test_a_body_cut_for_the_page_says_so() -> None:
    broken = clause("rfc6749:5.2/x", "C.")
    check = CheckResult("t::x", (broken.id,), "g", Verdict.FAIL, "m", 0.0, (1,))
    text = render_html(assemble([broken], [check], exchanges=[exchange(1, "y" * 9000)]))
    assert "body: the first 4,096 of 9,000 characters" in text
    assert "y" * 4096 in text
    assert "y" * 4097 not in text


def test_a_load_run_alone_makes_a_page(load: dict[str, Any], capacity: dict[str, Any]) -> None:
    document = page(render_html(None, load=load, capacity=capacity, tool_version="0.1.0"))
    assert document.xpath("string(//h1)") == "Example SSO 4.2"
    assert "crosses p99 &lt; 250ms" not in document.xpath("string(//p[@class='verdict fail'])")
    assert "crosses p99 < 250ms" in document.xpath("string(//p[@class='verdict fail'])")
    assert len(document.xpath("//svg[@role='img'][@aria-label]")) == 4
    assert not document.xpath("//section[@id='findings']")


def test_a_capacity_search_alone_is_named_after_its_target(capacity: dict[str, Any]) -> None:
    document = page(render_html(None, capacity=capacity, tool_version="0.1.0"))
    assert document.xpath("string(//h1)") == "Example SSO 4.2"


def test_nothing_makes_no_page() -> None:
    with pytest.raises(ValueError, match="needs a run"):
        render_html(None)


def test_a_share_bar_is_told_in_words() -> None:
    counts = dict.fromkeys(Verdict, 0) | {Verdict.PASS: 3, Verdict.FAIL: 1}
    assert 'aria-label="1 fail, 3 pass"' in share_bar(counts)
    assert "<rect" not in share_bar(dict.fromkeys(Verdict, 0))
