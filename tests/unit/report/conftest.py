"""Made-up runs: a small one that stays as it is for snapshots, a hostile one, and a large one."""

from typing import Any

import pytest

from grantproof.report.record import CheckResult, Run, Waiver
from grantproof.verdict import Level, Verdict

from .runs import HOSTILE, assemble, clause, exchange, many


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
    rows = [
        ("5_2_error.py::test_unknown_grant_type[basic]", "rfc6749:5.2/unsupported-grant-type", Verdict.FAIL,
         "error is 'invalid_request', expected 'unsupported_grant_type'\n  in a 400 answer", (1, 2)),
        ("5_2_error.py::test_unknown_grant_type[post]", "rfc6749:5.2/unsupported-grant-type", Verdict.FAIL,
         "error is 'invalid_request', expected 'unsupported_grant_type'", (3,)),
        ("5_2_error.py::test_unknown_grant_type[jwt]", "rfc6749:5.2/unsupported-grant-type", Verdict.PASS, "", (4,)),
        ("5_1_success.py::test_no_store", "rfc6749:5.1/no-store", Verdict.PASS, "", (1,)),
        ("5_1_success.py::test_lifetime", "rfc6749:5.1/expires-in", Verdict.WARN, "no expires_in in the answer", (1,)),
        ("3_2_token.py::test_get", "rfc6749:3.2/post-only", Verdict.INCONCLUSIVE, "no answer within 10 s", (5,)),
        ("5_1_success.py::test_pragma", "rfc6749:5.1/pragma", Verdict.WAIVED, "no Pragma field", (1,)),
        ("4_2_implicit.py::test_fragment", "rfc6749:4.2.2/fragment", Verdict.NOT_OFFERED,
         "no client of the profile may use implicit", ()),
        ("2_2_answer.py::test_active", "rfc7662:2.2/active", Verdict.PASS, "", (6,)),
        ("3_3_scope.py::test_default", "rfc6749:3.3/default-scope", Verdict.PASS, "", ()),
        ("2_3_client.py::test_body", "rfc6749:2.3.1/body", Verdict.WARN, "refused with invalid_client", ()),
    ]  # fmt: skip
    checks = [
        CheckResult(
            f"{clause_id.partition(':')[0]}/test_{name}",
            (clause_id,),
            "implicit" if "implicit" in name else "client_credentials",
            verdict,
            message,
            0.012,
            numbers,
        )
        for name, clause_id, verdict, message, numbers in rows
    ]
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
    grant, where = "client_credentials", f"rfc6749/test_x.py::test_x[{HOSTILE}]"
    checks = [
        CheckResult(where, ("rfc6749:5.2/hostile",), grant, Verdict.FAIL, HOSTILE, 0.01, (1,)),
        CheckResult("rfc6749/test_x.py::y", ("rfc6749:5.2/passes",), grant, Verdict.INCONCLUSIVE, HOSTILE, 0.01, (2,)),
    ]
    waivers = [Waiver("rfc6749:5.2/hostile", HOSTILE, "2027-01-31", "unused")]
    return assemble(
        clauses,
        checks,
        exchanges=[spoiled, exchange(2, HOSTILE, status=0)],
        target_name=HOSTILE,
        issuer=HOSTILE,
        waivers=waivers,
    )


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
        "target": {"name": "Example SSO 4.2", "issuer": "https://sso.example.test"},
        "saturation_per_s": 399.2,
        "capacity_per_s": 304.0,
        "interval_95": [297.0, 311.0],
        "thresholds": [{"rule": "p99 < 25ms", "kept": True}],
        "limited_by": "target",
        "probes": [{"offered_per_s": rate, "kept": kept, "p99": p99} for rate, kept, p99 in rates],
        "seconds": 42.0,
    }
