"""Runs one server in the foreground and prints what its profile needs: `python -m tests.interop.serve NAME`."""

# ruff: noqa: T201 - a command prints

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.catalogue import SERVERS, find_server, profile_path
from tests.interop.server import running


def main(args: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.serve", description=__doc__)
    parser.add_argument("name", help=", ".join(SERVERS))
    name = parser.parse_args(args).name
    try:
        server = find_server(name)
        server.install()
        with tempfile.TemporaryDirectory(prefix="grantproof-interop-") as folder, running(server, Path(folder)) as up:
            for variable, value in up.environ.items():
                print(f"export {variable}={shlex.quote(value)}")
            print(f"# {name} is at {up.base_url} (process {up.pid}); its log: {up.log}")
            print(f"# grantproof check --idp {profile_path(name)}", flush=True)
            up.process.wait()
            print(
                f"# {name} has ended; the end of its log:",
                *up.log.read_text("utf-8", "replace").splitlines()[-15:],
                sep="\n",
            )
            return 1
    except KeyboardInterrupt:
        return 130
    except GrantproofError as problem:
        print(f"interop: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
