"""What scenarios need of a profile."""

from typing import TYPE_CHECKING

from grantproof.errors import GrantproofError

if TYPE_CHECKING:
    from grantproof.load.target import Target
    from grantproof.profile import Profile


def profile_of(target: "Target") -> "Profile":
    """The profile that a target comes from.

    Raises:
        GrantproofError: it was made by hand.
    """
    if target.profile is None:
        raise GrantproofError("this scenario needs a profile", target.name)
    return target.profile


def lacking(target: "Target", what: str, hint: str) -> GrantproofError:
    """The error that says what a profile lacks."""
    profile = profile_of(target)
    return GrantproofError(what, str(profile.path or profile.name), hint)
