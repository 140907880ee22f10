"""Hands a check to Allure in its own terms: epic, feature, story, severity, link, one attachment an exchange."""

import json
from typing import TYPE_CHECKING, Any

import allure

from grantproof.plugin.selection import effective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.clauses import Clause

_SEVERITIES = {2: allure.severity_level.CRITICAL, 1: allure.severity_level.MINOR, 0: allure.severity_level.TRIVIAL}
_ATTACHED = 20


def describe(clauses: "Sequence[Clause]", rulebooks: "Sequence[str]", exchanges: list[dict[str, Any]]) -> None:
    """Labels the running test and attaches its exchanges, which are redacted already."""
    if clauses:
        first = clauses[0]
        dynamic: Any = allure.dynamic  # allure ships half of its types
        dynamic.epic(first.spec)
        dynamic.feature(f"section {first.section}")
        dynamic.story(first.id)
        dynamic.severity(_SEVERITIES.get(effective(clauses, rulebooks).rank, allure.severity_level.TRIVIAL))
        dynamic.description(first.statement)
        for clause in clauses:
            dynamic.link(clause.url, name=clause.id)
    for exchange in exchanges[-_ATTACHED:]:
        request, status = exchange["request"], exchange["response"]["status"]
        name = f"{request['method']} {request['url'].partition('?')[0]} {status}"
        allure.attach(json.dumps(exchange, indent=1), name=name, attachment_type=allure.attachment_type.JSON)
