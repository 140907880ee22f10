"""Records a run's verdicts for a server, after somebody looked: `python -m tests.interop.record NAME RESULTS_JSON`."""

# ruff: noqa: T201 - a command prints

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.catalogue import SERVERS, find_server, recorded_path
from tests.interop.verdicts import describe_counts, differences, read_recorded, read_results, shorten, write_recorded


def main(args: Sequence[str] | None = None) -> int:
    """Writes the recorded file and says what changed in it; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.record", description=__doc__)
    parser.add_argument("name", help=", ".join(SERVERS))
    parser.add_argument("results", type=Path, metavar="RESULTS_JSON", help="of the run")
    options = parser.parse_args(args)
    try:
        verdicts = shorten(read_results(options.results))
        path = recorded_path(find_server(options.name).name, verdicts.rulebooks)
        if path.exists():
            print(*differences(read_recorded(path), verdicts), sep="\n")
        write_recorded(path, verdicts)
    except GrantproofError as problem:
        print(f"interop: {problem}", file=sys.stderr)
        return 2
    print(f"recorded in {path}: {describe_counts(verdicts.clause_summary)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
