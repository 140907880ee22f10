"""Builders of made-up clauses, exchanges and runs."""

from datetime import UTC, datetime
from typing import Any

from grantproof.clauses import Clause
from grantproof.report.record import CheckResult, Run
from grantproof.verdict import Level, Verdict

STARTED = datetime(2026, 11, 23, 22, 41, 5, tzinfo=UTC)
HOSTILE = (
    "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    "\"'><svg onload=window.pwned=1> </style></pre></details> {{7*7}} \u202egnp.exe\u200b\x1b[31m\x00\ud800 ```"
)


def clause(clause_id: str, statement: str, **levels: Level) -> Clause:
    """A clause of the catalogue, under rfc6749 a MUST if nothing else is said."""
    spec, _, rest = clause_id.partition(":")
    section = rest.partition("/")[0]
    return Clause(
        id=clause_id,
        spec=spec,
        section=section,
        statement=statement,
        url=f"https://www.rfc-editor.org/rfc/{spec}#section-{section}",
        levels=levels or {"rfc6749": Level.MUST},
        binds="token endpoint",
        grants=("client_credentials",),
    )


def exchange(n: int, body: str, *, status: int = 400, sent: str = "grant_type=unheard-of") -> dict[str, Any]:
    """One token request as the recorder keeps it; status 0 is no answer."""
    response: dict[str, Any] = {
        "status": status,
        "statusText": {200: "OK", 400: "Bad Request", 401: "Unauthorized"}.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "headers": [
            {"name": "content-type", "value": "application/json"},
            {"name": "cache-control", "value": "no-store"},
        ],
        "cookies": [],
        "content": {"size": len(body), "mimeType": "application/json", "text": body},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(body),
    }
    if not status:
        response |= {"headers": [], "content": {"size": 0, "mimeType": ""}, "_error": "no answer within 10 s"}
    return {
        "n": n,
        "request": {
            "method": "POST",
            "url": "https://sso.example.test/token",
            "httpVersion": "HTTP/1.1",
            "headers": [
                {"name": "Host", "value": "sso.example.test"},
                {"name": "Authorization", "value": "Basic [redacted]"},
                {"name": "Content-Type", "value": "application/x-www-form-urlencoded"},
            ],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": len(sent),
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": sent},
        },
        "response": response,
        "seconds": 0.00312,
        "startedDateTime": 1795473665.25,
        "curl": f"curl -i -X POST -H 'Authorization: Basic [redacted]' --data-raw '{sent}' https://sso.example.test/token",
    }


def assemble(clauses: list[Clause], checks: list[CheckResult], **more: Any) -> Run:
    """A run of fixed name and time."""
    settings: dict[str, Any] = {
        "tool_version": "0.1.0",
        "target_name": "Example SSO 4.2",
        "issuer": "https://sso.example.test",
        "rulebooks": ["rfc6749"],
        "seed": 7,
        "started": STARTED,
        "seconds": 42.125,
        "clauses": clauses,
        "checks": checks,
    }
    return Run.assemble(**(settings | more))


def many(checks: int, *, troubled_each: int = 40) -> Run:
    """A run of many checks over 250 clauses; every `troubled_each`-th clause is broken."""
    clauses = [
        clause(
            f"rfc6749:{i // 25 + 1}.{i % 25 + 1}/rule-{i}",
            f"Rule {i} demands that the server answers in the one way that is lawful.",
        )
        for i in range(250)
    ]
    results: list[CheckResult] = []
    exchanges: list[dict[str, Any]] = []
    for i in range(checks):
        own = clauses[i % 250]
        broken = i % 250 % troubled_each == 1
        exchanges += [
            exchange(2 * i + 1, '{"access_token":"[redacted]"}' * 10, status=200),
            exchange(2 * i + 2, "x" * 1500),
        ]
        results.append(
            CheckResult(
                f"rfc6749/test_{i % 250}.py::test_rule[client_secret_basic-{i}]",
                (own.id,),
                "client_credentials",
                Verdict.FAIL if broken else Verdict.PASS,
                "the answer lacks what was asked for" if broken else "",
                0.01,
                (2 * i + 1, 2 * i + 2),
            )
        )
    return assemble(clauses, results, exchanges=exchanges)
