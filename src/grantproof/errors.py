"""What goes wrong on the user's side; what the server does wrong is a verdict, never one of these."""


class GrantproofError(Exception):
    """One clear message for the person at the terminal.

    Args:
        what: what is wrong, in one sentence.
        where: the place to look at: a file and line, a command, an address.
        hint: what to do about it.
    """

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class Inconclusive(Exception):  # noqa: N818 - it names an ending, not an error
    """A check cannot decide: the target was unreachable, limited us, or its control did not hold."""

    key: str = ""
    """The place in the profile that is most likely wrong, as `login.steps[0].submit`; empty where nobody knows."""


class CredentialsRefused(Inconclusive):
    """Every method of a client got invalid_client, or the login is unknown: a wrong profile, most likely."""


class NotOffered(Exception):  # noqa: N818 - it names an ending, not an error
    """The target does not offer what a check is about, or the profile configures nothing to prove it with."""
