"""findings.sarif: the findings as SARIF 2.1.0, for code scanning.

A finding has no line of code, so its location is the profile of the target in the repository. Rules are clauses; a
finding keeps its fingerprint as long as its clause and check do. Waived findings are there, suppressed.
"""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from grantproof.report.visible import visible
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grantproof.report.record import CheckResult, ClauseResult, Run

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_MESSAGE_LIMIT = 4_096
_LEVELS = {Verdict.FAIL: "error", Verdict.WARN: "warning", Verdict.WAIVED: "note"}


def render_sarif(run: "Run", profile_path: "Path | str") -> str:
    """The text of findings.sarif.

    Args:
        run: the record.
        profile_path: the target's profile; it becomes a path relative to the repository that holds it.
    """
    location = repository_path(Path(profile_path))
    found = [(clause, check) for clause in run.clauses if clause.verdict for check in _broken(run, clause)]
    rules = list({clause.id: clause for clause, _ in found}.values())
    places = {clause.id: place for place, clause in enumerate(rules)}
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "grantproof",
                        "semanticVersion": run.tool_version,
                        "rules": [_rule(clause) for clause in rules],
                    }
                },
                "automationDetails": {"id": f"grantproof/{visible(run.target.name)}/"},
                "columnKind": "unicodeCodePoints",
                "results": [_result(clause, check, location, places[clause.id], run) for clause, check in found],
            }
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def repository_path(profile: Path) -> str:
    """The profile's path from the root of its repository, percent-encoded; its bare name if it is in none."""
    whole = profile.resolve()
    root = next((folder for folder in whole.parents if (folder / ".git").exists()), None)
    relative = PurePosixPath(whole.relative_to(root)) if root else PurePosixPath(whole.name)
    return quote(str(relative))


def _broken(run: "Run", clause: "ClauseResult") -> "Iterator[CheckResult]":
    return (check for check in run.checks if clause.id in check.clauses and check.verdict in _LEVELS)


def _rule(clause: "ClauseResult") -> dict[str, Any]:
    return {
        "id": clause.id,
        "shortDescription": {"text": clause.statement},
        "fullDescription": {"text": f"{clause.level}: {clause.statement}"},
        "helpUri": clause.url,
        "help": {"text": f"{clause.spec} section {clause.section}: {clause.url}"},
        "defaultConfiguration": {"level": "error" if clause.level.is_requirement else "warning"},
        "properties": {"tags": ["oauth2", clause.spec, str(clause.level)]},
    }


def _result(clause: "ClauseResult", check: "CheckResult", location: str, rule: int, run: "Run") -> dict[str, Any]:
    text = visible(check.message)[:_MESSAGE_LIMIT] or clause.statement
    result: dict[str, Any] = {
        "ruleId": clause.id,
        "ruleIndex": rule,
        "level": _LEVELS[check.verdict],
        "message": {"text": f"{text}\n({visible(check.id)})"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": location}, "region": {"startLine": 1}}}
        ],
        "partialFingerprints": {"clauseAndCheck/v1": _fingerprint(clause.id, check.id)},
        "properties": {"grant": check.grant, "exchanges": list(check.exchanges)},
    }  # fmt: skip
    if check.verdict is Verdict.WAIVED:
        reasons = [waiver.reason for waiver in run.waivers if waiver.clause == clause.id and waiver.state == "applied"]
        result["suppressions"] = [{"kind": "external", "justification": "; ".join(map(visible, reasons)) or "waived"}]
    return result


def _fingerprint(clause_id: str, check_id: str) -> str:
    return hashlib.sha256(f"{clause_id}\n{check_id}".encode(errors="replace")).hexdigest()
