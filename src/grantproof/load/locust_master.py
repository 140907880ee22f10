"""The books of a master: who the workers are, when they start, and what becomes of a lost one's share."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust.runners import STATE_MISSING

from grantproof.load.generator import Ending
from grantproof.load.locust_books import BROKEN, END, GO, PAGES, READY, RETIRE, TAKE_OVER, SingleBooks
from grantproof.load.locust_options import USAGE_ERROR, Options, on
from grantproof.load.tally import Tally

if TYPE_CHECKING:
    from locust.env import Environment

    from grantproof.load.ledger import Ledger

_PATIENCE_S: Final = 10.0
_LOOK_S: Final = 0.5
_NOTICE_S: Final = 1.0
_SETTLING_S: Final = 3.0
_log = logging.getLogger(__name__)
Shares = tuple[tuple[int, int], ...]


@dataclass
class Member:
    """A worker that takes part: its shares of the schedule, each from some moment on, and how far it is."""

    number: int
    shares: list[tuple[Shares, float]] = field(default_factory=list[tuple[Shares, float]])
    ready: bool = False
    ended: bool = False
    lost: bool = False
    reported_s: int = 0
    under_way: int = 0

    def note(self, tally: Tally) -> None:
        """Enters what it has reported: how far it is, and how much of what was due is under way."""
        self.reported_s = max(self.reported_s, tally.t)
        self.under_way += sum(tally.offered.values()) - tally.resolved - tally.abandoned

    @property
    def over(self) -> bool:
        """Whether nothing more comes from it."""
        return self.ended or self.lost


class MasterBooks(SingleBooks):
    """Binds what the workers send."""

    def __init__(self, environment: "Environment") -> None:
        super().__init__(environment)
        self._members: dict[str, Member] = {}
        self._started_s: float | None = None
        on(environment.events.worker_report, self._on_report)
        runner: Any = environment.runner
        self._runner = runner
        given: Any = environment.parsed_options
        given.forked = bool(given.processes)
        self._runner.register_message(READY, self._on_ready)
        self._runner.register_message(END, self._on_end)
        self._runner.register_message(BROKEN, self._on_broken)

    def _open(self, **_: object) -> None:
        super()._open()
        self._started_s = None
        if self.ledger is not None:
            gevent.spawn(self._watch, self.ledger)

    def count_workers(self) -> int:
        """Those that get users; all are told who they are, so that each takes its share."""
        clients: Any = self._runner.clients
        known = sorted((client.id for client in clients.all if client.state != STATE_MISSING), key=self._place)
        number: int = max(min(len(known), self._runner.target_user_count), 1)
        self._members = {name: Member(place, [(((place, number),), 0.0)]) for place, name in enumerate(known[:number])}
        given: Any = self.environment.parsed_options
        given.shares = {name: member.number for name, member in self._members.items()}
        return number

    def _place(self, name: str) -> int:
        place: int = self._runner.get_worker_index(name)
        return place

    # What workers say

    def _on_ready(self, msg: Any, **_: object) -> None:
        member = self._members.get(msg.node_id)
        if member is None or self.ledger is None:
            return
        member.ready = True
        self.ledger.prepare(msg.data["prepared"])
        self._start_if_ready()

    def _on_report(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        member = self._members.get(client_id)
        if member is not None and member.lost:
            return  # its share is others' by now, and what it has not reported counts as missing
        for page in data.get(PAGES, ()):
            tally = Tally.from_data(page)
            self.add(tally)
            if member is not None:
                member.note(tally)

    def _on_end(self, msg: Any, **_: object) -> None:
        self._on_report(msg.node_id, msg.data)
        member = self._members.get(msg.node_id)
        if member is None or member.over:
            return
        member.ended = True
        self.end(Ending(**msg.data["ending"]))
        if self.ledger is not None:
            gevent.spawn_later(self.target.timeout_s + _PATIENCE_S, self.close, self.ledger)

    def _on_broken(self, **_: object) -> None:
        self.fail()

    # What becomes of them

    def _start_if_ready(self) -> None:
        """Lets all start at once, as soon as none is missing."""
        waited_for = [member for member in self._members.values() if not member.over]
        if self._started_s is not None or not waited_for or not all(member.ready for member in waited_for):
            return
        self._started_s = monotonic()
        for name, member in self._members.items():
            if not member.over:
                self._runner.send_message(GO, None, client_id=name)
        duration_s = Options.of(self.environment).duration_s
        if duration_s is not None and self.ledger is not None:
            gevent.spawn_later(duration_s + self.target.timeout_s + _PATIENCE_S, self.close, self.ledger)

    def _watch(self, ledger: "Ledger") -> None:
        """Notices workers that are gone, as long as the run lasts.

        One that is silent while it prepares may just be busy: until the start, and a
        moment longer, it is lost only when it has left.
        """
        clients: Any = self._runner.clients
        while ledger is self.ledger and not ledger.closed:
            gevent.sleep(_LOOK_S)
            settled = self._started_s is not None and monotonic() - self._started_s > _SETTLING_S
            for name, member in self._members.items():
                silent = settled and name in clients and clients[name].state == STATE_MISSING
                gone = silent or name not in clients
                if gone and not member.over:
                    self._lose(name, member, ledger)
                elif not gone and member.lost:
                    self._runner.send_message(RETIRE, None, client_id=name)

    def close(self, ledger: "Ledger") -> None:
        """Writes the result, in which who has not said how it ended is lost."""
        if ledger is self.ledger and not ledger.closed:
            for name, member in self._members.items():
                if not member.over:
                    self._lose(name, member, ledger, has_heirs=False)
        super().close(ledger)

    def _lose(self, name: str, member: Member, ledger: "Ledger", *, has_heirs: bool = True) -> None:
        """Gives a lost worker's shares to the others while the run lasts, and enters what is missing."""
        member.lost = True
        has_heirs = has_heirs and self.interrupted_s is None
        heirs = {heir: each for heir, each in self._members.items() if has_heirs and not each.over}
        since_s = 0.0 if self._started_s is None else monotonic() - self._started_s + _NOTICE_S
        open_loop = any(lane.schedule is not None for lane in self.lanes)
        missing = self._missing(member, since_s if heirs else self._stop_s())
        under_way = max(member.under_way, 0) if open_loop else 0
        number = sum(sum(seconds.values()) for seconds in missing.values()) + under_way
        ending = f"{number} of its requests are missing" if open_loop else "its users are missing"
        if heirs and open_loop:
            ending += f", and from {since_s:.1f} s on the others sent the rest"
        what = f"worker {member.number + 1} after {member.reported_s} s; {ending}"
        _log.error("lost %s (%s)", what, name)
        for shares, _ in member.shares if open_loop else ():
            for place, (heir, each) in enumerate(heirs.items()):
                taken = (*shares, (place, len(heirs)))
                each.shares.append((taken, since_s))
                self._runner.send_message(TAKE_OVER, {"shares": taken, "since_s": since_s}, client_id=heir)
        complete = ledger.lose(what, missing, under_way)
        if complete and self._started_s is None and self.interrupted_s is None:
            self.environment.process_exit_code = USAGE_ERROR  # none could even begin, and each has said why
            self.ledger = None
            self.leave()
        elif complete:
            self.close(ledger)
        elif self.interrupted_s is None:
            self._start_if_ready()

    def _stop_s(self) -> float | None:
        """When nothing more was due, since the run was interrupted; None where it was not."""
        if self.interrupted_s is None:
            return None
        return 0.0 if self._started_s is None else self.interrupted_s - self._started_s

    def _missing(self, member: Member, until_s: float | None) -> dict[str, Counter[int]]:
        """Of its requests, those that it has not reported and nobody takes over, by part and second."""
        missing: dict[str, Counter[int]] = {}
        for lane in self.lanes:
            seconds = missing.setdefault(lane.part.name, Counter())
            for shares, since_s in member.shares:
                begin = max(since_s, member.reported_s)
                for due in lane.chain(shares) or ():
                    if until_s is not None and due >= until_s:
                        break
                    if due >= begin:
                        seconds[int(due) + 1] += 1
        return missing
