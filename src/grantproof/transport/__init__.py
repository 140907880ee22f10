"""Everything that goes over the wire: the only importer of httpx, the recorder of exchanges, redaction."""

from grantproof.transport.client import CookieJar, ResetError, Transport
from grantproof.transport.politeness import Politeness
from grantproof.transport.recorder import Recorder
from grantproof.transport.redaction import Redactor

__all__ = ["CookieJar", "Politeness", "Recorder", "Redactor", "ResetError", "Transport"]
