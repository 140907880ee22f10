"""Made-up runs: a small one that stays as it is for snapshots, a hostile one, and a large one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from grantproof.clauses import Clause
from grantproof.report.record import CheckResult, Run, Waiver
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


@pytest.fixture
def small_run() -> Run:
    """One clause for each verdict, two capabilities, and a waiver in each state."""
    clauses = [
        clause(
            "rfc6749:5.2/unsupported-grant-type",
            "A grant type that the server does not know is refused as unsupported_grant_type.",
        ),
        clause(
            "rfc6749:5.1/no-store",
            "An answer with a token forbids caches to keep it.",
            rfc6749=Level.MUST,
            oauth21=Level.SHOULD,
        ),
        clause("rfc6749:5.1/expires-in", "The answer tells how long the token lives.", rfc6749=Level.SHOULD),
        clause("rfc6749:3.2/post-only", "The token endpoint takes requests by POST only."),
        clause("rfc6749:5.1/pragma", "An answer with a token carries Pragma: no-cache."),
        clause("rfc6749:4.2.2/fragment", "The implicit answer travels in the fragment."),
        clause("rfc7662:2.2/active", "A live token is introspected as active."),
        clause("rfc6749:3.3/default-scope", "A request without scope is served with a default one.", rfc6749=Level.MAY),
        clause("rfc6749:2.3.1/body", "A client may send its credentials in the body.", rfc6749=Level.MAY),
    ]
    module = "rfc6749/test_5_2_error.py"
    checks = [
        CheckResult(
            f"{module}::test_unknown_grant_type[basic]",
            ("rfc6749:5.2/unsupported-grant-type",),
            "client_credentials",
            Verdict.FAIL,
            "error is 'invalid_request', expected 'unsupported_grant_type'\n  in a 400 answer",
            0.012,
            (1, 2),
        ),
        CheckResult(
            f"{module}::test_unknown_grant_type[post]",
            ("rfc6749:5.2/unsupported-grant-type",),
            "client_credentials",
            Verdict.FAIL,
            "error is 'invalid_request', expected 'unsupported_grant_type'",
            0.011,
            (3,),
        ),
        CheckResult(
            f"{module}::test_unknown_grant_type[jwt]",
            ("rfc6749:5.2/unsupported-grant-type",),
            "client_credentials",
            Verdict.PASS,
            "",
            0.01,
            (4,),
        ),
        CheckResult("rfc6749/test_5_1_success.py::test_no_store", ("rfc6749:5.1/no-store",), "client_credentials", Verdict.PASS, "", 0.01, (1,)),
        CheckResult("rfc6749/test_5_1_success.py::test_lifetime", ("rfc6749:5.1/expires-in",), "client_credentials", Verdict.WARN, "no expires_in in the answer", 0.01, (1,)),
        CheckResult("rfc6749/test_3_2_token.py::test_get", ("rfc6749:3.2/post-only",), "client_credentials", Verdict.INCONCLUSIVE, "no answer within 10 s, three times", 30.2, (5,)),
        CheckResult("rfc6749/test_5_1_success.py::test_pragma", ("rfc6749:5.1/pragma",), "client_credentials", Verdict.WAIVED, "no Pragma field", 0.01, (1,)),
        CheckResult("rfc6749/test_4_2_implicit.py::test_fragment", ("rfc6749:4.2.2/fragment",), "implicit", Verdict.NOT_OFFERED, "no client of the profile may use implicit"),
        CheckResult("rfc7662/test_2_2_answer.py::test_active", ("rfc7662:2.2/active",), "client_credentials", Verdict.PASS, "", 0.02, (6,)),
        CheckResult("rfc6749/test_3_3_scope.py::test_default", ("rfc6749:3.3/default-scope",), "client_credentials", Verdict.PASS),
        CheckResult("rfc6749/test_2_3_client.py::test_body", ("rfc6749:2.3.1/body",), "client_credentials", Verdict.WARN, "refused with invalid_client"),
    ]  # fmt: skip
    exchanges = [
        exchange(
            1, '{"access_token":"[redacted]","token_type":"Bearer"}', status=200, sent="grant_type=client_credentials"
        ),
        exchange(2, '{"error":"invalid_request"}'),
        exchange(3, '{"error":"invalid_request"}'),
        exchange(4, '{"error":"unsupported_grant_type"}'),
        exchange(5, "", status=0),
        exchange(6, '{"active":true}', status=200, sent="token=[redacted]"),
    ]
    waivers = [
        Waiver("rfc6749:5.1/pragma", "HTTP/1.0 caches are not in use here", "2027-01-31", "applied", "*test_pragma*"),
        Waiver("rfc6749:5.1/no-store", "was fixed in 4.1", "2027-01-31", "stale"),
        Waiver("rfc6749:3.3/echo", "release 4.3 will do it", "2026-10-31", "expired"),
    ]
    return assemble(clauses, checks, exchanges=exchanges, waivers=waivers)


@pytest.fixture
def hostile_run() -> Run:
    """A target that writes markup, script, control and bidirectional characters wherever it can."""
    clauses = [clause("rfc6749:5.2/hostile", "An error answer is JSON."), clause("rfc6749:5.2/passes", "It is.")]
    spoiled = exchange(1, HOSTILE)
    spoiled["request"]["url"] = f"https://sso.example.test/{HOSTILE}"
    spoiled["response"]["statusText"] = HOSTILE
    spoiled["response"]["headers"] = [{"name": HOSTILE, "value": HOSTILE}]
    spoiled["curl"] = f"curl {HOSTILE}"
    checks = [
        CheckResult(f"rfc6749/test_x.py::test_x[{HOSTILE}]", ("rfc6749:5.2/hostile",), "client_credentials", Verdict.FAIL, HOSTILE, 0.01, (1,)),
        CheckResult("rfc6749/test_x.py::test_y", ("rfc6749:5.2/passes",), "client_credentials", Verdict.INCONCLUSIVE, HOSTILE, 0.01, (2,)),
    ]  # fmt: skip
    waivers = [Waiver("rfc6749:5.2/hostile", HOSTILE, "2027-01-31", "unused")]
    return assemble(
        clauses,
        checks,
        exchanges=[spoiled, exchange(2, HOSTILE, status=0)],
        target_name=HOSTILE,
        issuer=HOSTILE,
        waivers=waivers,
    )


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


@pytest.fixture(scope="session")
def large_run() -> Run:
    """3,000 checks."""
    return many(3000)


@pytest.fixture
def load() -> dict[str, Any]:
    """A load.json: a minute at 200/s against a server that stalls for a second every ten."""
    series = [
        {
            "t": t,
            "offered": 200,
            "ok": 80 if t % 10 == 0 else 212 if t % 10 == 1 else 200,
            "p99": 0.98 if t % 10 in {0, 1} else 0.011,
        }
        for t in range(1, 61)
    ]
    return {
        "schema": "grantproof/load/1",
        "target": {"name": "Example SSO 4.2", "issuer": "https://sso.example.test"},
        "scenario": "token_endpoint",
        "arrival": "poisson",
        "offered_per_s": 200.0,
        "achieved_per_s": 199.8,
        "ok": 11988,
        "errors": {"invalid_client": 0, "timeout": 7, "reset": 2, "malformed": 3},
        "protected": {"429": 21, "503": 0},
        "latency_s": {"p50": 0.0049, "p90": 0.0102, "p99": 0.912, "p99_9": 1.001, "max": 1.004},
        "service_time_s": {"p50": 0.0047, "p90": 0.0079, "p99": 0.016, "p99_9": 1.0, "max": 1.003},
        "send_lag_s": {"p50": 0.00004, "p99": 0.0003, "max": 0.002},
        "connections": {"opened": 32, "reused_share": 0.9973},
        "generator": {"cpu_s": 1.2, "cpu_us_per_request": 10.0, "limited": False},
        "duplicates": {"found": 0, "checked_share": 1.0},
        "thresholds": [{"rule": "p99 < 250ms", "kept": False}, {"rule": "errors < 0.5%", "kept": True}],
        "series": series,
    }


@pytest.fixture
def capacity() -> dict[str, Any]:
    """A capacity.json."""
    rates = [
        (120.0, True, 0.009),
        (250.0, True, 0.019),
        (296.0, True, 0.0236),
        (312.0, False, 0.0262),
        (340.0, False, 0.041),
    ]
    return {
        "schema": "grantproof/capacity/1",
        "saturation_per_s": 399.2,
        "capacity_per_s": 304.0,
        "interval_95": [297.0, 311.0],
        "thresholds": [{"rule": "p99 < 25ms", "kept": True}],
        "limited_by": "target",
        "probes": [{"offered_per_s": rate, "kept": kept, "p99": p99} for rate, kept, p99 in rates],
        "seconds": 42.0,
    }
