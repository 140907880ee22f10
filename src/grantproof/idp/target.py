"""The target of a run as it is known before anything is asked of it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive, NotOffered
from grantproof.profile.discovery import Metadata, read_metadata
from grantproof.profile.offer import Offer
from grantproof.transport.client import origin_of

if TYPE_CHECKING:
    from grantproof.profile.client import Client
    from grantproof.profile.model import Profile
    from grantproof.wire.answer import Answer


@dataclass(kw_only=True)
class Target:
    """What the profile and the metadata say. Its repr, and that of every link after it, shows no secret."""

    profile: "Profile" = field(repr=False)
    documents: "tuple[Answer, ...]" = field(default=(), repr=False)
    metadata: Metadata = field(default_factory=lambda: read_metadata({}), repr=False)
    unread: str = field(default="", repr=False)
    """Why no metadata document was answered at all; empty where one was, or where none was asked for."""

    @cached_property
    def offer(self) -> Offer:
        """What the target offers, as far as the profile and the metadata say."""
        return Offer(self.profile, self.metadata)

    @cached_property
    def issuer(self) -> str:
        """The issuer identifier of the profile or, failing that, of the metadata."""
        return self.profile.target.issuer or self.metadata.issuer or ""

    def require(self, *features: str) -> None:
        """Ends the check as not offered unless the target offers every feature.

        Raises:
            NotOffered: with the reason.
        """
        for feature in features:
            offered, reason = self.offer.offers(feature)
            if not offered:
                raise NotOffered(reason)

    def endpoint(self, name: str) -> str:
        """The URL of an endpoint: authorization, token, introspection, revocation, jwks, resource.

        Raises:
            NotOffered: neither the profile nor the metadata names it.
            Inconclusive: the metadata, which may name it, was not answered.
        """
        url: str | None = getattr(self.profile.endpoints, name)
        if not url and self.unread:
            raise Inconclusive(f"the metadata cannot be read: {self.unread}")
        if not url:
            raise NotOffered(f"neither the profile nor the metadata names the {name} endpoint")
        return url

    def stated_addresses(self, name: str) -> list[str]:
        """Every address that the metadata documents and the profile give an endpoint, as it stands there.

        Raises:
            NotOffered: nobody names it.
        """
        published = [document.get(f"{name}_endpoint") for document in self.documents if document.status == 200]
        found = [each for each in (*published, getattr(self.profile.endpoints, name)) if isinstance(each, str)]
        if not found:
            raise NotOffered(f"neither the profile nor the metadata names the {name} endpoint")
        return found

    def is_own(self, url: str) -> bool:
        """Whether a URL is on an origin that belongs to the target: nothing secret is sent anywhere else."""
        return origin_of(url) in self.profile.origins

    def other_client(self, client: "Client", *, grant: str) -> "Client":
        """Another client with this grant.

        Raises:
            NotOffered: the profile has none.
        """
        for other in self.profile.clients.values():
            if other.id != client.id and grant in other.grants and not other.disposable:
                return other
        raise NotOffered(f"the profile has no second client for {grant}")
