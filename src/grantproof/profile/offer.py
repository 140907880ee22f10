"""What a target offers, as far as profile and metadata can tell.

[claims] in the profile decide over what its clients are registered for, and that over what the metadata states
literally. What nobody says is unknown; what is said to be there but cannot be proven with this profile is unprovable.
Neither counts as offered.
"""

from grantproof.errors import GrantproofError
from grantproof.profile.discovery import Metadata
from grantproof.profile.facts import Facts, Offered
from grantproof.profile.features import FEATURES, SHORT_LIFETIME_S
from grantproof.profile.model import Profile
from grantproof.profile.near import near_miss

__all__ = ["FEATURES", "SHORT_LIFETIME_S", "Offer", "Offered"]


class Offer:
    """What a target offers."""

    def __init__(self, profile: Profile, metadata: Metadata | None = None) -> None:
        self._facts = Facts(profile, metadata or Metadata())
        self._answers: dict[str, Offered] = {}

    def offers(self, feature: str) -> Offered:
        """Whether a feature is offered, and why.

        Raises:
            GrantproofError: there is no such feature.
        """
        decide = FEATURES.get(feature)
        if decide is None:
            raise GrantproofError(f"no feature {feature!r}", hint=near_miss(feature, FEATURES))
        if feature not in self._answers:
            self._answers[feature] = decide(self._facts)
        return self._answers[feature]
