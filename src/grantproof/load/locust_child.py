"""Runs Locust as our own commands do: by its command line alone.

Its environment variables (`LOCUST_RUN_TIME`) and configuration files would change what a plan says, unseen.
"""

import os
import sys
from typing import Any

from locust import argument_parser
from locust.main import main


def run() -> None:
    """Runs Locust's command line without anything else that Locust reads options from."""
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]
    parsers: Any = argument_parser
    for function in (parsers.get_empty_argument_parser, parsers.get_parser):
        function.__defaults__ = tuple(
            () if default == parsers.DEFAULT_CONFIG_FILES else default for default in function.__defaults__
        )
    sys.argv[0] = "locust"
    start: Any = main
    start()


if __name__ == "__main__":
    run()
