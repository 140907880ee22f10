"""What the recorded runs must say: the negative control is caught, what is not there is not offered."""

from collections.abc import Sequence

import pytest

from tests.interop.catalogue import ROOT, RULEBOOK, SERVERS, recorded_path
from tests.interop.verdicts import Verdicts, read_recorded

RULEBOOKS = ((RULEBOOK,), (RULEBOOK, "bcp9700"))
MOCK = "oauth2-mock-server"
CAUGHT = (
    "rfc6749:2.2/client-id-alone",
    "rfc6749:3.2.1/client-authentication",
    "rfc6749:4.4.2/client-authenticated",
    "rfc6749:5.2/invalid-client",
    "rfc6749:5.2/invalid-scope",
    "rfc6749:5.2/multiple-credentials",
    "rfc6749:5.2/unauthorized-client",
    "rfc6749:5.2/unsupported-grant-type",
    "rfc6749:7/token-validated",
    "rfc6749:10.3/unforgeable",
    "rfc7009:2.1/revoked-at-once",
    "rfc7662:2.1/caller-authorization",
    "rfc7662:2.2/inactive-answer",
    "rfc7662:2.3/bad-credentials-401",
)
"""What a server breaks that authenticates nobody, grants any scope and takes any token."""
UNPROVEN = (
    "rfc6749:2.3.1/basic",
    "rfc6749:2.3.1/form-urlencoded-credentials",
    "rfc9110:11.1/scheme-case",
    "rfc6750:2.1/authorization-header",
    "rfc6819:5.4.1/authorization-header",
    "rfc7009:2.1/only-own-tokens",
    "rfc7662:2.1/wrong-hint-still-found",
)
"""What it does only because it does everything: neither good nor bad."""
IMPLICIT_ONLY = ("rfc6749:3.1/get", "rfc6749:4.2.2/fragment", "rfc6749:4.2.2.1/invalid-scope", "rfc6749:10.12/csrf")


@pytest.fixture(scope="module")
def mock() -> Verdicts:
    return read_recorded(recorded_path(MOCK))


@pytest.mark.parametrize("clause", CAUGHT)
def test_the_negative_control_is_caught(mock: Verdicts, clause: str) -> None:
    assert mock.clauses[clause] == "fail"


@pytest.mark.parametrize("clause", UNPROVEN)
def test_the_negative_control_gets_no_credit_for_what_anybody_gets(mock: Verdicts, clause: str) -> None:
    assert mock.clauses[clause] == "not_offered"


@pytest.mark.parametrize("clause", IMPLICIT_ONLY)
@pytest.mark.parametrize("name", [MOCK, "node-oauth2-server"])
def test_a_grant_that_a_server_does_not_have_is_not_offered(name: str, clause: str) -> None:
    assert read_recorded(recorded_path(name)).clauses[clause] == "not_offered"


def test_the_deployment_with_tls_is_lawful() -> None:
    recorded = read_recorded(recorded_path("embedded-tls"))
    assert not {"fail", "warn", "inconclusive"} & set(recorded.summary)
    assert recorded.clauses["rfc6749:3.2/tls"] == "pass"


@pytest.mark.parametrize("rulebooks", RULEBOOKS)
@pytest.mark.parametrize("name", SERVERS)
def test_every_recorded_finding_is_decided_and_judged_on_the_servers_page(name: str, rulebooks: Sequence[str]) -> None:
    recorded = read_recorded(recorded_path(name, rulebooks))
    assert recorded.rulebooks == rulebooks
    assert "inconclusive" not in recorded.summary
    page = (ROOT / "docs" / "servers" / f"{name}.md").read_text("utf-8")
    findings = [clause for clause, verdict in recorded.clauses.items() if verdict in {"fail", "warn"}]
    assert [clause for clause in findings if f"`{clause}`" not in page] == []


def test_each_set_of_rulebooks_has_a_record_of_its_own() -> None:
    assert recorded_path("x").name == recorded_path("x", ["rfc6749"]).name == "x.json"
    assert recorded_path("x", ["bcp9700", "rfc6749"]) == recorded_path("x", ["rfc6749", "bcp9700"])
    assert recorded_path("x", ["rfc6749", "bcp9700"]).name == "x+bcp9700.json"
