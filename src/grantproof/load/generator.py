"""The generator watches itself: what a run cost it, and whether it, not the target, set the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from grantproof.load.histogram import Histogram

if TYPE_CHECKING:
    from grantproof.load.tally import Tally

_LATE_S: Final = 0.010
_LATE_SHARE: Final = 0.2
_FULL_SHARE: Final = 0.9
_WHOLE: Final = 0.999


@dataclass(frozen=True)
class Ending:
    """How one worker's engine ended.

    Attributes:
        seconds: how long it ran.
        cpu_share: what share of a processor its process took.
        unreached: a target took no connection at its start, so that it sent nothing there.
    """

    seconds: float
    cpu_share: float
    unreached: bool = False


def all_lags(total: "Tally") -> Histogram:
    """From the intended to the actual sending, whatever a request waited for."""
    both = Histogram()
    both.merge(total.lag)
    both.merge(total.queue)
    return both


def limitation(total: "Tally", cpu_share: float, *, open_loop: bool) -> str:
    """Why the generator, not the target, set the figures; empty when it did not.

    Open loop: requests that found a free connection left late, at p99 by more than 10 ms and by more than a fifth of
    the p99 latency, so that the latencies hold much of the generator's own lateness. Or requests left late for whatever
    reason, at p99 by more than 10 ms, while a worker's process took more than 90 % of a processor: unread answers look
    like busy connections. Closed loop: a worker's process took more than 90 % of a processor, so the throughput is the
    generator's. Either loop: the system had no more sockets or ports to give.
    """
    if total.starved:
        return "the system had no more sockets or ports to give"
    busy = cpu_share > _FULL_SHARE
    if not open_loop:
        return f"a worker took {cpu_share:.0%} of a processor" if busy else ""
    own = total.lag.percentile(99)
    if own > max(_LATE_S, _LATE_SHARE * total.latency.percentile(99)):
        return f"requests left late by {own * 1000:.0f} ms at p99 though connections were free"
    if busy and all_lags(total).percentile(99) > _LATE_S:
        return f"requests left late while a worker took {cpu_share:.0%} of a processor"
    return ""


def ended_early(seconds: float, planned_s: float | None) -> bool:
    """Whether a run or a worker was stopped before its time was up."""
    return planned_s is not None and seconds < _WHOLE * planned_s


def incompletion(endings: Sequence[Ending], planned_s: float | None) -> str:
    """Why some of several workers, not all, sent less than their part; empty when all of them did the same."""
    unreached = sum(ending.unreached for ending in endings)
    if 0 < unreached < len(endings):
        return f"{unreached} of {len(endings)} workers did not reach a target, to which they sent nothing"
    short = [ending.seconds for ending in endings if ended_early(ending.seconds, planned_s)]
    if 0 < len(short) < len(endings):
        return f"{len(short)} of {len(endings)} workers stopped after {min(short):.1f} of {planned_s:g} s"
    return ""


def describe_generator(
    total: "Tally",
    endings: Sequence[Ending],
    losses: Sequence[str] = (),
    *,
    open_loop: bool,
    planned_s: float | None = None,
) -> dict[str, Any]:
    """The member `generator` of load.json. `losses` says of each worker that never ended what became of its share."""
    cpu_share = max((ending.cpu_share for ending in endings), default=0.0)
    reason = incompletion(endings, planned_s) or limitation(total, cpu_share, open_loop=open_loop)
    if losses:
        reason = f"{len(losses)} of {len(losses) + len(endings)} workers were lost: {'; '.join(losses)}"
    limited = bool(reason)
    seconds = max((ending.seconds for ending in endings if not ending.unreached), default=None)
    if not limited and seconds is not None and ended_early(seconds, planned_s):
        reason = f"the run was stopped after {seconds:.1f} of {planned_s:g} s"
    return {
        "cpu_s": round(total.cpu_s, 6),
        "cpu_us_per_request": round(total.cpu_s * 1e6 / total.resolved, 1) if total.resolved else 0.0,
        "limited": limited,
        "reason": reason,
        "cpu_share": round(cpu_share, 4),
        "workers": len(endings),
        "lost": len(losses),
        "abandoned": total.abandoned,
    }
