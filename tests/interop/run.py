"""Checks real servers, compares with what is recorded: `python -m tests.interop.run [NAME...] [-- OPTIONS]`.

What stands after -- goes to `grantproof check`. With another login driver the verdicts are to be the same, so they are
compared with the same record. Exit code: 0 as recorded, 1 something differs, 2 a server could not be checked.
"""

# ruff: noqa: T201 - a command prints

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.catalogue import ROOT, RULEBOOK, SERVERS, find_server, profile_path, recorded_path
from tests.interop.server import Server, running
from tests.interop.verdicts import Verdicts, describe_counts, differences, read_recorded, read_results, shorten

AS_RECORDED, DIFFERENT, TROUBLE, INTERRUPTED = 0, 1, 2, 130
_PREFLIGHT, _JUDGED = {0, 1, 2, 3}, {0, 1, 3}
_PREFLIGHT_S, _CHECK_S = 300, 3600
DRIVERS = ("forms", "browser")
_PASSWORD = b"<redacted password>"
_DRIVER = re.compile(r'^driver = "[a-z]+"', re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """What to do with each server. `extra` goes to `grantproof check`; no driver means the profile's own."""

    out: Path
    rulebooks: tuple[str, ...]
    extra: tuple[str, ...]
    driver: str | None = None


def main(args: Sequence[str] | None = None) -> int:
    """Checks the servers in turn; gives the worst exit code."""
    own, extra = _split(list(sys.argv[1:] if args is None else args))
    parser = argparse.ArgumentParser(prog="python -m tests.interop.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of them: {', '.join(SERVERS)}")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "reports" / "interop", help="a folder for each server is made in it"
    )
    parser.add_argument("--rulebook", action="append", help="default: rfc6749")
    parser.add_argument("--driver", choices=DRIVERS, help="sign in by this driver instead of the profile's")
    options = parser.parse_args(own)
    plan = Plan(options.out.absolute(), tuple(options.rulebook or [RULEBOOK]), tuple(extra), options.driver)
    codes = [AS_RECORDED]
    for name in options.names or SERVERS:
        try:
            codes.append(check_server(find_server(name), plan))
        except GrantproofError as problem:
            print(f"interop: {name}: {problem}", file=sys.stderr)
            codes.append(TROUBLE)
        except KeyboardInterrupt:
            return INTERRUPTED
    return max(codes)


def check_server(server: Server, plan: Plan) -> int:
    """Installs, starts and checks one server, prints how it went; gives the exit code.

    Raises:
        GrantproofError: it could not be checked.
    """
    server.install()
    out = plan.out / (f"{server.name}-{plan.driver}" if plan.driver else server.name)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    profile = profile_path(server.name)
    if plan.driver:
        profile = with_driver(profile, plan.driver, out)
    with tempfile.TemporaryDirectory(prefix="grantproof-interop-") as folder, running(server, Path(folder)) as up:
        print(f"{server.name} is at {up.base_url} (process {up.pid})", flush=True)
        try:
            # What preflight finds wrong may be the server's doing, so the checks are run whatever it says.
            _run(["preflight"], profile, up.environ, accepted=_PREFLIGHT, timeout_s=_PREFLIGHT_S)
            rulebooks = [word for rulebook in plan.rulebooks for word in ("--rulebook", rulebook)]
            options = ["check", *rulebooks, "--out", str(out), *plan.extra]
            seconds = _run(options, profile, up.environ, accepted=_JUDGED, timeout_s=_CHECK_S)
        finally:
            shutil.copy(up.log, out / "server.log")
    results = read_results(out / "results.json")
    found = shorten(results)
    print(
        f"{server.name}: checks: {describe_counts(results.summary)}; clauses: {describe_counts(results.clause_summary)}"
    )
    logins = sum(_PASSWORD in bytes(each) for each in results.exchanges)
    print(f"{server.name}: {len(results.exchanges):,} requests, {logins} logins, {seconds:.1f} s; report in {out}")
    return compare(server.name, found, recorded_path(server.name, plan.rulebooks))


def with_driver(profile: Path, driver: str, folder: Path) -> Path:
    """Writes a copy of a profile with another login driver into a folder; gives the copy.

    Raises:
        GrantproofError: the profile names no driver, for nobody signs in.
    """
    text, found = _DRIVER.subn(f'driver = "{driver}"', profile.read_text("utf-8"))
    if found != 1:
        raise GrantproofError("nobody signs in here, so there is no driver to choose", where=str(profile))
    copy = folder / profile.name
    copy.write_text(text, "utf-8")
    return copy


def compare(name: str, found: Verdicts, recorded: Path) -> int:
    """Prints what is not as recorded; gives the exit code.

    Raises:
        GrantproofError: the recorded file cannot be read.
    """
    if not recorded.exists():
        print(
            f"{name}: nothing is recorded yet; python -m tests.interop.record {name} RESULTS_JSON does it", flush=True
        )
        return DIFFERENT
    lines = differences(read_recorded(recorded), found)
    print(*(f"{name}: {line}" for line in lines or ["as recorded"]), sep="\n", flush=True)
    return DIFFERENT if lines else AS_RECORDED


def _run(
    words: Sequence[str], profile: Path, environ: Mapping[str, str], *, accepted: set[int], timeout_s: float
) -> float:
    """Runs a command of grantproof against a server's profile; gives the seconds it took.

    Raises:
        GrantproofError: its exit code is not among the accepted ones, or it does not end.
    """
    command = [sys.executable, "-m", "grantproof", words[0], "--idp", str(profile), *words[1:]]
    begun = time.monotonic()
    try:
        code = subprocess.run(command, env={**os.environ, **environ}, timeout=timeout_s, check=False).returncode
    except subprocess.TimeoutExpired:
        raise GrantproofError(f"grantproof {words[0]} did not end within {timeout_s:g} s") from None
    if code not in accepted:
        raise GrantproofError(f"grantproof {words[0]} ended with exit code {code}")
    return time.monotonic() - begun


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


if __name__ == "__main__":
    sys.exit(main())
