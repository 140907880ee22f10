"""Load on a token endpoint, with latencies that are true.

`run(LoadPlan(...))` runs a plan and gives its `LoadResult`, which is also written as load.json.
"""

from grantproof.load.plan import LoadPlan, parse_duration
from grantproof.load.result import LoadResult
from grantproof.load.runner import EngineCrashedError, Progress, run

__all__ = ["EngineCrashedError", "LoadPlan", "LoadResult", "Progress", "parse_duration", "run"]
