"""What a check imports: its marks, and the types of what it is given.

`clause` names what the check decides, `needs` what must be offered beyond what the clause says, `control` marks the
checks that are themselves the control: they run even where a client's plain request is not answered as it should be.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp import Idp
from grantproof.login import LoginRepeatsError, UserAgent
from grantproof.roles import Caller, Flow
from grantproof.transport import ResetError
from grantproof.wire.answer import Answer, AuthorizationAnswer, TokenAnswer
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest, Request

_Check = TypeVar("_Check", bound=Callable[..., Any])


def clause(*clause_ids: str) -> Callable[[_Check], _Check]:
    """Names the clauses that one observation of this check decides."""

    def mark(check: _Check) -> _Check:
        marked: _Check = pytest.mark.clause(*clause_ids)(check)
        return marked

    return mark


def needs(*features: str) -> Callable[[_Check], _Check]:
    """Names features without which the check is not offered, beyond those of its clauses."""

    def mark(check: _Check) -> _Check:
        marked: _Check = pytest.mark.needs(*features)(check)
        return marked

    return mark


def control(check: _Check) -> _Check:
    """Marks a check that judges the plain request itself, and so must not wait for its success."""
    marked: _Check = pytest.mark.control(check)
    return marked


__all__ = [
    "Answer",
    "AuthorizationAnswer",
    "Caller",
    "Flow",
    "Form",
    "FormRequest",
    "Idp",
    "Inconclusive",
    "LoginRepeatsError",
    "NotOffered",
    "Request",
    "ResetError",
    "TokenAnswer",
    "UserAgent",
    "clause",
    "control",
    "needs",
]
