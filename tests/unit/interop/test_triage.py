"""Whose the findings of a server's page are, as docs/trust.md counts them."""

import pytest

from tests.faults.trust import triage

PAGE = """# A server

| | pass | fail |
|---|---|---|
| clauses | 3 | 2 |

## Broken requirements

### 1. No challenge

`rfc6749:5.2/challenge` MUST. **Server.**

### 2. Framed

`rfc6749:10.13/framing`, `rfc6819:4.4.1.9/framing` MUST. **Deployment, Express.**

## Recommendations not followed

| clause | what is seen | who |
|---|---|---|
| `rfc6749:5.1/pragma` | no Pragma | server, by default |

## Where the suite was wrong

| clause | what was judged | now |
|---|---|---|
| `rfc6749:A.5/state` | a zero octet | printable characters |

## What cannot be judged here
"""


def test_findings_are_counted_by_whose_they_are() -> None:
    whose = triage(PAGE)
    assert {side: len(found) for side, found in whose.items()} == {"server": 2, "deployment": 1, "ours": 0, "mended": 1}


def test_a_finding_of_ours_is_counted_against_us() -> None:
    assert triage(PAGE.replace("**Server.**", "**Suite.**"))["ours"] == ["Suite."]


def test_a_finding_that_is_nobodys_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nobody's finding: 'Unclear\.'"):
        triage(PAGE.replace("**Server.**", "**Unclear.**"))
