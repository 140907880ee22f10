"""Load on a token endpoint, with latencies that are true.

`run(LoadPlan(...))` runs a plan and gives its `LoadResult`, which is also written as load.json.
"""

from grantproof.load.durations import parse_duration
from grantproof.load.plan import Fleet, LoadPlan
from grantproof.load.result import LoadResult
from grantproof.load.runner import EngineCrashedError, LoadInterrupted, Progress, run, work

__all__ = [
    "EngineCrashedError",
    "Fleet",
    "LoadInterrupted",
    "LoadPlan",
    "LoadResult",
    "Progress",
    "parse_duration",
    "run",
    "work",
]
