"""The profiles that ship with grantproof."""

from pathlib import Path

from grantproof.clauses import content_root


def profiles_root() -> Path:
    """The folder of the shipped profiles: inside the installed package, or in the clone.

    Raises:
        GrantproofError: there is no such folder.
    """
    return content_root("profiles")


def shipped_profiles(root: Path | None = None) -> dict[str, Path]:
    """The shipped profiles by name, in alphabetical order."""
    return {path.stem: path for path in sorted((root or profiles_root()).glob("[!.]*.toml"))}
