"""The `command` driver: the user's own program signs in, and prints where the browser was sent.

Rules of this file:
- The password goes into the environment, never into an argument. Output and time are bounded.
- What the program does is not seen. What cannot be told from a URL is not offered, never passed.
"""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from grantproof.errors import NotOffered
from grantproof.login.forms import FormsDriver
from grantproof.login.journey import Journey, LoginRepeatsError, LoginStuckError, Territory, UserAgent
from grantproof.wire.answer import Redirect
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from grantproof.profile.model import User
    from grantproof.transport import Transport
    from grantproof.wire.answer import Answer
    from grantproof.wire.request import Request

_PATIENCE = 6
_KEPT = 65_536
_TAIL = 400
_AUTHENTICATE = 401


class CommandDriver:
    """Sends the authorization request itself; where that ends at a page, the user's program takes over.

    Args:
        transport: sends the authorization request, and follows its redirections inside the server.
        command: the program and its first arguments; the URL comes last.
        folder: where it runs; None for the current one.
        user: whose name and password it gets.
        origins: where the authorization server and its login pages live.
    """

    def __init__(
        self,
        transport: "Transport",
        command: "Sequence[str]",
        folder: "Path | None",
        user: "User | None",
        origins: "Collection[str]",
    ) -> None:
        self._transport = transport
        self._command = tuple(command)
        self._folder = folder
        self._user = user
        self._origins = frozenset(origins)

    def walk(
        self,
        request: "Request",
        agent: UserAgent,
        *,
        choice: str = "allow",
        leave_at: "Collection[str]" = (),
        stop_at_pages: bool = False,
    ) -> Journey:
        """As `Driver` says. A page with an error status ends the journey: there is nothing to sign in to.

        Raises:
            NotOffered: a request by POST, or one for form_post, which a URL cannot show.
            Inconclusive: the program fails, takes too long, or prints no URL but that of a page of the server.
        """
        forms = FormsDriver(self._transport, (), self._origins)
        journey = forms.walk(request, agent, choice=choice, leave_at=leave_at, stop_at_pages=True)
        page = journey.page
        if page is None or stop_at_pages or (page.status >= 400 and page.status != _AUTHENTICATE):
            return journey
        if request.method != "GET":
            raise NotOffered("the login by a command begins at a URL, so a request by POST cannot go through it")
        if Form.parse(urlsplit(request.url).query).get("response_mode") == "form_post":
            raise NotOffered("the login by a command ends at a URL, which does not show a posted form")
        url = self._run(request.url, choice)
        journey.acted.append("command")
        journey.unseen = True
        if Territory(self._origins, frozenset(leave_at)).holds(url):
            where = url.partition("?")[0].partition("#")[0]
            doubt = "nobody sees there whether the login or the request was refused"
            raise LoginRepeatsError(
                f"the login command ended at the server's page {where!r}: {doubt}", key="login.command"
            )
        journey.page, journey.redirect = None, Redirect("command", url)
        return journey

    def submission(self, answer: "Answer", choice: str) -> "Request | None":
        """Nothing: the program alone knows how consent is given."""
        del answer, choice
        return None

    def _run(self, url: str, choice: str) -> str:
        limit_s = _PATIENCE * self._transport.timeout_s
        environment = {**os.environ, "GRANTPROOF_CHOICE": choice}
        if self._user is not None:
            environment["GRANTPROOF_USERNAME"] = self._user.username
            environment["GRANTPROOF_PASSWORD"] = self._user.password
        try:
            program = subprocess.Popen(  # noqa: S603 - the user's own program, without a shell
                [*self._command, url],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "the URL does not fit in an argument"
            raise LoginStuckError(f"the login command cannot be started: {reason}", key="login.command") from None
        output, complaints = _Reader(program.stdout), _Reader(program.stderr)
        try:
            code = program.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._fail(f"takes longer than {limit_s:g} s", complaints)
        finally:
            _end(program)
            output.join()
            complaints.join()
        if code != 0:
            self._fail(f"ended with exit code {code}", complaints)
        return self._last_url(output, complaints)

    def _last_url(self, output: "_Reader", complaints: "_Reader") -> str:
        lines = [line.strip() for line in output.text.splitlines() if line.strip()]
        url = lines[-1] if lines else ""
        try:
            scheme = urlsplit(url).scheme
        except ValueError:
            scheme = ""
        if not scheme or " " in url:
            self._fail("printed no URL as its last line", complaints)
        return url

    def _fail(self, what: str, complaints: "_Reader") -> NoReturn:
        complaints.join()
        tail = self._transport.recorder.redactor.text(complaints.text.strip())[-_TAIL:]
        raise LoginStuckError(f"the login command {what}" + (f": {tail}" if tail else ""), key="login.command")


class _Reader(threading.Thread):
    """Reads a stream to its end and keeps the last part of it, so that the program never waits for us."""

    def __init__(self, stream: "IO[bytes] | None") -> None:
        super().__init__(daemon=True)
        assert stream is not None  # noqa: S101 - both are pipes
        self._stream = stream
        self._kept: bytes = b""
        self.start()

    def run(self) -> None:
        """Reads until the program, and whatever it left behind, has closed the stream."""
        with self._stream, suppress(OSError, ValueError):
            while octets := os.read(self._stream.fileno(), 4_096):
                self._kept = (self._kept + octets)[-_KEPT:]

    def join(self, timeout: float | None = 2.0) -> None:
        """Waits a moment for the end."""
        super().join(timeout)

    @property
    def text(self) -> str:
        """What was kept."""
        return self._kept.decode("utf-8", "replace")


def _end(program: "subprocess.Popen[bytes]") -> None:
    """Ends the program and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
