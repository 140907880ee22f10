"""What a check talks to: the authorization server under test, through the profile, the transport and the login.

`Idp` is the end of a chain of classes, a module each; a link adds one thing that checks ask for, with the state that
belongs to it, and knows the links before it alone:

    target, connection, token_endpoint, authorization_endpoint, controls, lifetimes, optional_endpoints,
    counter_controls

Rules of this room:
- Nothing is judged here but two things: a plain request that is refused with invalid_client makes all that needs this
  client inconclusive, and a connection broken off again and again between answered controls is the server's doing.
- `prove` is the control of every negative check: the same client got what it is entitled to in this run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from grantproof.idp.counter_controls import DiscerningTarget
from grantproof.idp.logins import Logins
from grantproof.idp.opening import ask_for_metadata, connect
from grantproof.login import LoginPace, StuckPages
from grantproof.profile.discovery import fill_endpoints, read_metadata
from grantproof.transport import Redactor

if TYPE_CHECKING:
    from grantproof.profile.model import Profile

__all__ = ["Idp"]


class Idp(DiscerningTarget):
    """One target of one run. Its repr shows no secret."""

    @classmethod
    def open(
        cls, profile: "Profile", *, counter: Path | None = None, workers: int = 1, pages: Path | None = None
    ) -> Self:
        """Connects a profile to its target: reads the metadata and fills the endpoints that the profile leaves open.

        Args:
            profile: as loaded.
            counter: a file that all workers of the run share, for `politeness.max_requests`.
            workers: how many processes share the rate.
            pages: a folder for the pages on which a login is stuck; None keeps none.
        """
        redactor = Redactor(profile.secrets())
        transport = connect(profile, redactor, counter, workers)
        documents, unread = ask_for_metadata(profile, transport)
        metadata = read_metadata(
            {answer.url: answer.body for answer in documents if answer.status == 200}, profile.target.issuer
        )
        filled = fill_endpoints(profile, metadata)
        pace = LoginPace(profile.politeness.login_interval_s, counter.with_name("logins") if counter else None)
        return cls(
            profile=filled,
            transport=transport,
            documents=documents,
            metadata=metadata,
            unread=unread,
            _logins=Logins(filled, transport, pace, StuckPages(pages, redactor)),
        )
