"""Documents that say numbers say the right ones."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_coverage_page_is_what_the_command_prints() -> None:
    command = [sys.executable, "-m", "grantproof", "clauses", "--format", "markdown"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert (ROOT / "docs" / "coverage.md").read_text("utf-8") == f"# Coverage\n\n{printed}"


def test_architecture_stays_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) < 60


def test_no_document_links_to_a_missing_file() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "profiles" / "README.md"]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
