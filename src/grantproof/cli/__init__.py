"""The command line. Each command is a thin module that is imported when it is called."""

import errno
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from grantproof import __version__
from grantproof.errors import GrantproofError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE, INTERNAL, INTERRUPTED, NOBODY_READS = 2, 4, 130, 141
_FULL = (errno.ENOSPC, errno.EDQUOT)
_COMMANDS = {
    "capacity": "The highest rate that keeps the thresholds.",
    "check": "The conformance run: checks a target against the specifications.",
    "clauses": "The catalogue of clauses and its coverage.",
    "compare": "Several runs side by side, clause by clause.",
    "demo": "Checks and loads the embedded server, writes the report.",
    "diff": "What changed between two runs.",
    "explain": "A clause: its levels, its checks, the faults that break it.",
    "init": "Writes a profile from a server's metadata.",
    "load": "A load run at a rate against the token endpoint.",
    "path": "Where the installed conformance, loadtests, profiles are.",
    "preflight": "Proves a profile: endpoints, credentials, login.",
    "replay": "Sends a finding's exchange again and shows both answers.",
    "schema": "The JSON Schema of profiles.",
    "serve": "The embedded authorization server in the foreground.",
}


class _Group(click.Group):
    """Knows its commands by name and imports one when it is called, so that --help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"grantproof.cli.{cmd_name}_command").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would exit with 1, which says that a requirement failed
            import os

            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NOBODY_READS

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as problem:
            from difflib import get_close_matches

            near = get_close_matches(args[0], _COMMANDS, n=1) if args else []
            if near:
                raise click.UsageError(f"{problem.message} Did you mean {near[0]}?", ctx) from None
            raise


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grantproof")
def root() -> None:
    """Proves OAuth 2.0 authorization servers: client credentials and implicit, conformance and load."""


def main(args: "Sequence[str] | None" = None) -> None:
    """The console script: runs a command and exits with the code of the contract.

    SIGTERM, and SIGHUP of a terminal that is closed, interrupt like SIGINT, so that what was gathered is written and
    the processes that were started end too. What `nohup` made deaf to SIGHUP stays so.
    """
    numbers = [signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        code = _run(args)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    sys.exit(code)


def _run(args: "Sequence[str] | None") -> int:
    """Runs a command; the exit code."""
    try:
        code = root.main(args=list(args) if args is not None else None, prog_name="grantproof", standalone_mode=False)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except click.ClickException as problem:
        problem.show()
        code = USAGE
    except GrantproofError as problem:
        click.echo(f"grantproof: {problem}", err=True)
        code = USAGE
    except Exception as problem:  # noqa: BLE001 - the last net: whatever it is, the exit code says that it is ours
        _explain(problem)
        code = INTERNAL
    return code if isinstance(code, int) else 0


def _explain(problem: Exception) -> None:
    """Says what broke: a full disk in a line, a bug with its traceback."""
    if isinstance(problem, OSError) and problem.errno in _FULL:
        click.echo(f"grantproof: what is to be written does not fit: {problem.filename or problem.strerror}", err=True)
        return
    from traceback import format_exc

    click.echo(_scrubbed(format_exc()), err=True)
    click.echo("grantproof: this is a bug of grantproof; the lines above say where.", err=True)


def _scrubbed(text: str) -> str:
    """A traceback without what stands under a secret's name or is known to be one."""
    from grantproof.plugin import state
    from grantproof.transport import Redactor

    return state.current.scrub(text) if state.current is not None else Redactor().text(text)
