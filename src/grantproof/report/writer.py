"""A run's folder: the record and everything that is made from it, each file replaced whole."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grantproof import __version__
from grantproof.errors import GrantproofError
from grantproof.report.files import replace_file

if TYPE_CHECKING:
    from grantproof.report.record import Run

Json = Mapping[str, Any]
FORMATS = ("json", "html", "junit", "markdown", "har", "sarif")
FILES = {
    "json": "results.json",
    "html": "report.html",
    "junit": "junit.xml",
    "markdown": "summary.md",
    "har": "exchanges.har",
    "sarif": "findings.sarif",
}


def write(
    run: "Run",
    folder: Path,
    formats: Sequence[str] = FORMATS,
    *,
    load: Json | None = None,
    capacity: Json | None = None,
    profile_path: Path | str = "profile.toml",
) -> dict[str, Path]:
    """Writes the run in these formats, and tells the path of each.

    Args:
        run: the record.
        folder: the run's folder; it is made if it is missing.
        formats: among FORMATS; `json` comes first whatever the order, so that a failing writer costs no results.
        load: the members of load.json, for the page and the Markdown.
        capacity: the members of capacity.json, for the same.
        profile_path: the target's profile, to which SARIF's findings point.

    Raises:
        GrantproofError: a format is unknown, or the folder cannot be written.
    """
    check_formats(formats)
    paths: dict[str, Path] = {}
    try:
        for name in sorted(set(formats), key=FORMATS.index):
            paths[name] = replace_file(folder / FILES[name], _render(name, run, load, capacity, profile_path))
    except OSError as problem:
        raise GrantproofError(f"cannot write the report: {problem.strerror}", where=str(folder)) from None
    return paths


def write_load_page(
    folder: Path, *, load: Json | None = None, capacity: Json | None = None, tool_version: str = __version__
) -> dict[str, Path]:
    """Writes the page, junit.xml and summary.md of a load run or a search; with a results.json beside it, of both.

    Raises:
        GrantproofError: the folder cannot be written, or its results.json cannot be read.
    """
    from grantproof.report.html import render_html  # noqa: PLC0415 - see _render
    from grantproof.report.junit import render_junit  # noqa: PLC0415 - see _render
    from grantproof.report.markdown import render_markdown  # noqa: PLC0415 - see _render
    from grantproof.report.record import Run  # noqa: PLC0415 - see _render

    run = Run.read(folder) if (folder / FILES["json"]).exists() else None
    page = render_html(run, load=load, capacity=capacity, tool_version=tool_version)
    try:
        return {
            "html": replace_file(folder / FILES["html"], page),
            "junit": replace_file(folder / FILES["junit"], render_junit(run, load, capacity)),
            "markdown": replace_file(folder / FILES["markdown"], render_markdown(run, load, capacity)),
        }
    except OSError as problem:
        raise GrantproofError(f"cannot write the report: {problem.strerror}", where=str(folder)) from None


def check_formats(formats: Sequence[str]) -> None:
    """Refuses unknown formats before a run starts.

    Raises:
        GrantproofError: one is unknown.
    """
    unknown = [name for name in formats if name not in FILES]
    if unknown:
        raise GrantproofError(f"unknown report format {unknown[0]!r}", hint=f"one of {', '.join(FORMATS)}")


def default_folder(profile_name: str, base: Path = Path("reports"), now: datetime | None = None) -> Path:
    """A folder that does not exist yet: `reports/<profile>-<UTC time>`, safe as a file name everywhere.

    Args:
        profile_name: the profile's name or path.
        base: where runs are kept.
        now: an aware time; the present if left out.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(profile_name).name.removesuffix(".toml")).strip("-.")[:80]
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    folder = base / f"{name or 'run'}-{moment:%Y%m%dT%H%M%SZ}"
    number = 2
    while folder.exists():
        folder = base / f"{name or 'run'}-{moment:%Y%m%dT%H%M%SZ}-{number}"
        number += 1
    return folder


def _render(name: str, run: "Run", load: Json | None, capacity: Json | None, profile_path: Path | str) -> str:
    # Each writer is imported when it is asked for: the page alone costs a template engine.
    if name == "json":
        return run.to_json()
    if name == "html":
        from grantproof.report.html import render_html  # noqa: PLC0415 - see above

        return render_html(run, load=load, capacity=capacity)
    if name == "junit":
        from grantproof.report.junit import render_junit  # noqa: PLC0415 - see above

        return render_junit(run, load, capacity)
    if name == "markdown":
        from grantproof.report.markdown import render_markdown  # noqa: PLC0415 - see above

        return render_markdown(run, load, capacity)
    if name == "har":
        from grantproof.report.har import render_har  # noqa: PLC0415 - see above

        return render_har(run)
    from grantproof.report.sarif import render_sarif  # noqa: PLC0415 - see above

    return render_sarif(run, profile_path)
