"""The `command` driver: the user's own program goes through login and consent, and prints where it ended.

Rules of this file:
- The password goes by the environment, never by an argument; what the program says is redacted before it is shown.
- The program sees the address only, so a request by POST cannot be made with it, and pages on the way are looked at by
  the forms driver without steps.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive, NotOffered
from grantproof.login.forms import FormsDriver, Journey, UserAgent, leaves
from grantproof.wire.answer import Redirect
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from collections.abc import Collection

    from grantproof.transport import Transport

PATIENCE_S = 120.0
_LONGEST = 65_536
_TAIL = 300


@dataclass(frozen=True)
class Program:
    """The user's program and the user it signs in. The repr shows no argument and no password."""

    command: tuple[str, ...] = field(repr=False)
    folder: Path
    username: str = ""
    password: str = field(default="", repr=False)


class CommandDriver(FormsDriver):
    """Walks by the user's own program.

    Args:
        transport: sends what is not left to the program, and keeps the record.
        origins: where the authorization server and its login pages live.
        program: what is run.
        patience_s: how long it may take.
    """

    def __init__(
        self, transport: "Transport", origins: "Collection[str]", program: Program, patience_s: float = PATIENCE_S
    ) -> None:
        super().__init__(transport, (), origins)
        self._program = program
        self._patience_s = patience_s

    def walk(
        self,
        request: Request,
        agent: UserAgent,
        *,
        choice: str = "allow",
        leave_at: "Collection[str]" = (),
        stop_at_pages: bool = False,
    ) -> Journey:
        """Has the program open the request's address, and reads where it says that it ended.

        Raises:
            NotOffered: the request is no GET.
            Inconclusive: the program fails, takes too long, or prints no address.
        """
        if stop_at_pages:
            return super().walk(request, agent, choice=choice, leave_at=leave_at, stop_at_pages=True)
        if request.method != "GET":
            raise NotOffered(f"the login command opens addresses, so nothing can be sent by {request.method}")
        url = self._run(request.url, choice, agent)
        journey = Journey(acted=["command"])
        if leaves(url, self.origins, leave_at):
            journey.redirect = Redirect("command", url)
        else:
            journey.page = self.transport.send(Request("GET", url.partition("#")[0]))
            journey.steps.append(journey.page)
        return journey

    def _run(self, url: str, choice: str, agent: UserAgent) -> str:
        program = self._program
        environ = {
            **os.environ,
            "GRANTPROOF_CHOICE": choice,
            "GRANTPROOF_USERNAME": program.username,
            "GRANTPROOF_PASSWORD": program.password,
            "GRANTPROOF_SESSION": "kept" if agent.signed_in else "fresh",
        }
        name = Path(program.command[0]).name
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own program, as the profile names it
                [*program.command, url],
                cwd=program.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as problem:
            raise Inconclusive(f"the login command {name} does not start: {problem.strerror}") from None
        with process:
            try:
                said, complained = process.communicate(timeout=self._patience_s)
            except subprocess.TimeoutExpired:
                raise Inconclusive(f"the login command {name} does not end within {self._patience_s:g} s") from None
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, SIGKILL)
        return self._read(name, process.returncode, said[:_LONGEST], complained)

    def _read(self, name: str, code: int, said: bytes, complained: bytes) -> str:
        if code:
            told = self.transport.recorder.redactor.text(complained[-_TAIL:].decode("utf-8", "replace")).strip()
            raise Inconclusive(f"the login command {name} ended with exit code {code}: {told or 'it said nothing'}")
        lines = said.decode("utf-8", "replace").split()
        if not lines or "://" not in lines[-1]:
            raise Inconclusive(f"the login command {name} printed no address")
        return lines[-1]
