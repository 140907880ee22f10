"""What `grantproof load` shows on a terminal: a line a second while it runs, the figures at its end."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grantproof.load import LoadResult, Progress

_REPORTS_WITHIN_S = 4


class Display:
    """One line a second on a terminal, each renewing the former, or one for every fifth; on standard error.

    Args:
        workers: how many report. Their reports of a second come within some seconds of each other, so what is shown
            of several is as old.
    """

    def __init__(self, workers: int = 1) -> None:
        self._lag = _REPORTS_WITHIN_S if workers > 1 else 0
        self._rows: dict[int, Progress] = {}
        self._newest = self._shown = 0

    def show(self, progress: "Progress") -> None:
        """Takes a second, or what it is after another worker's report, and shows those that are complete."""
        self._newest = max(self._newest, progress.t)
        self._rows[progress.t] = progress
        self._write(self._newest - self._lag)

    def end(self) -> None:
        """Shows what is left."""
        self._write(self._newest)

    def _write(self, until: int) -> None:
        from sys import stderr

        for t in sorted(t for t in self._rows if t <= until):
            row = self._rows.pop(t)
            if t <= self._shown:
                continue
            self._shown = t
            figures = f"due {row.offered}/s  ok {row.ok}/s  errors {row.errors}  p99 {1000 * row.p99:.1f} ms"
            line = f"{t:4d} s  {figures}"
            if stderr.isatty():
                click.echo(f"\r\x1b[K{line}", err=True, nl=False)
            elif t % 5 == 0:
                click.echo(line, err=True)


def summary(result: "LoadResult") -> str:
    """What an operator wants to know, in a few lines."""
    from sys import stderr

    latency = result.latency_s
    due = "as fast as it goes" if result.offered_per_s is None else f"{result.offered_per_s:g}/s due"
    errors, protected = sum(result.errors.values()), sum(result.protected.values())
    figures = "  ".join(
        f"{name} {1000 * latency[name]:.1f} ms" for name in ("p50", "p90", "p99", "p99_9", "max") if name in latency
    )
    lines = [
        ("\r\x1b[K" if stderr.isatty() else "")
        + f"{result.target.get('name', '')}  {result.scenario}, {due}, {result.seconds:.0f} s",
        f"  achieved {result.achieved_per_s:,.1f}/s   ok {result.ok:,}   errors {errors:,}   protected {protected:,}",
        f"  latency  {figures if any(latency.values()) else 'no answer to measure'}",
    ]
    lines += [f"    {kind}: {number:,}" for kind, number in result.errors.items() if number]
    if 2 * result.connections.get("unserved", 0) > result.errors["timeout"]:
        lines.append("    most timed out on connections that never brought an answer: try fewer --connections")
    lines += [
        f"  {part.scenario:<26} {part.achieved_per_s:>10,.1f}/s   p50 {1000 * part.latency_s['p50']:.1f} ms"
        f"   p99 {1000 * part.latency_s['p99']:.1f} ms   errors {sum(part.errors.values()):,}"
        for part in result.scenarios
    ]
    lines += [f"  ahead    {each['what']}: {each['number']:,} in {each['seconds']:.1f} s" for each in result.prepared]
    if result.duplicates["found"]:
        lines.append(f"  DUPLICATES  {result.duplicates['found']:,} tokens were handed out more than once")
    crossed = "unknown" if result.unreachable else "CROSSED"
    lines += [f"  {'kept   ' if limit.kept else crossed}  {limit.rule}" for limit in result.thresholds]
    if result.unreachable:
        lines.append("  the target was not reached: nothing can be said of it")
    else:
        silent = [part.scenario for part in result.scenarios if part.unreachable]
        lines += [f"  {name} was not reached: nothing can be said of the whole" for name in silent]
    why = result.generator.get("reason")
    if result.limited:
        lines.append(f"  the generator was the limit: {why or 'these figures say nothing of the target'}")
    elif why and not result.unreachable:
        lines.append(f"  {why}: nothing can be said of the rest")
    return "\n".join(lines)
