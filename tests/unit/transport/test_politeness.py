"""The number of requests that a run may send is kept, over workers too."""

from pathlib import Path

import pytest

from grantproof.errors import Inconclusive
from grantproof.transport import Politeness


def spend(politeness: Politeness) -> int:
    count = 0
    while True:
        try:
            politeness.wait()
        except Inconclusive:
            return count
        count += 1


@pytest.mark.parametrize("limit", [1, 7, 60])
def test_one_process_sends_as_many_as_allowed(limit: int) -> None:
    assert spend(Politeness(max_requests=limit)) == limit


@pytest.mark.parametrize("limit", [1, 7, 60, 5000])
def test_two_workers_share_the_number(limit: int, tmp_path: Path) -> None:
    workers = [Politeness(max_requests=limit, counter=tmp_path / "count") for _ in range(2)]
    assert sum(spend(worker) for worker in workers) == limit


def test_a_rate_spaces_requests() -> None:
    politeness = Politeness(requests_per_second=1000, workers=2)
    politeness.wait()
    politeness.wait()
    assert spend(Politeness(requests_per_second=1e9, max_requests=3)) == 3
