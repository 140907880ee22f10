"""The page of all servers is made of what is recorded, and of nothing else."""

from tests.interop.catalogue import ROOT, SERVERS
from tests.interop.page import PAGE, page


def test_the_page_is_what_the_recorded_verdicts_make() -> None:
    kept = (ROOT / PAGE).read_text("utf-8")
    assert kept == page(), "python -m tests.interop.page writes it anew"
    assert all(f'<a href="{name}.md">{name}</a>' in kept for name in SERVERS)
