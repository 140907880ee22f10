"""Makes the database, fills it and serves the project on a free loopback port."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
# mypy: disable-error-code="import-not-found, import-untyped"
# Django and waitress are installed in the server's own environment, not where types are checked.

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from waitress.server import create_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_wsgi_application()


def main() -> None:
    """Serves until the process is ended."""
    from .seed import seed  # noqa: PLC0415 - models can be imported only after Django is set up

    call_command("migrate", verbosity=0)
    seed()
    server = create_server(application, host="127.0.0.1", port=0)
    print(f"listening http://127.0.0.1:{server.effective_port}", flush=True)  # noqa: T201 - read by who started us
    server.run()


if __name__ == "__main__":
    main()
