"""Faults and oddities: how they are declared, and what the examples change on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from grantproof.errors import GrantproofError
from grantproof.reference import variants
from grantproof.reference.rules import LAWFUL, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call
    from tests.unit.reference.conftest import StartTarget, Target

    Observe = Callable[[Target], object]


def wrong_secret_by_body(target: Target) -> int:
    return target.token(None, client_id="service", client_secret="wrong").status_code


def wrong_secret_by_basic(target: Target) -> int:
    form = {"grant_type": "client_credentials"}
    return target.http.post("/token", data=form, auth=("service", "wrong")).status_code


def encoded_basic(target: Target) -> int:
    form = {"grant_type": "client_credentials"}
    return target.http.post("/token", data=form, auth=("s%65rvice", target.secret("service"))).status_code


def repeated_scope(target: Target) -> int:
    body = b"grant_type=client_credentials&scope=read&scope=read"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    auth = ("service", target.secret("service"))
    return target.http.post("/token", content=body, headers=headers, auth=auth).status_code


def cache_control(target: Target) -> str:
    return ", ".join(target.token().headers.get_list("cache-control"))


def unknown_grant(target: Target) -> int:
    return target.token(grant_type="unheard-of").status_code


def state_of_error(target: Target) -> str | None:
    return target.fragment(target.login(target.authorize(scope="unheard-of"))).get("state")


def token_type(target: Target) -> str:
    return str(target.token().json()["token_type"])


def error_page(target: Target) -> int:
    return target.authorize(redirect_uri="https://evil.example").status_code


def nobody(target: Target) -> int:
    return target.token(None).status_code


def unknown_client_by_body(target: Target) -> int:
    return target.token(None, client_id="nobody", client_secret="wrong").status_code


def pages_before_consent(target: Target) -> int:
    page, seen = target.authorize(), 0
    while page.status_code == 200 and seen < 5:
        page, seen = target.login(page), seen + 1
    return seen if "/consent" in page.headers["location"] else 0


def error_page_in_the_end(target: Target) -> tuple[int, int]:
    page = target.authorize(redirect_uri="https://evil.example")
    return page.status_code, target.login(page).status_code


def own_location(target: Target) -> str:
    return target.login(target.authorize()).headers["location"].partition("?")[0]


def way_back(target: Target) -> tuple[int, bool, bool]:
    answer = target.decide(target.consent_page())
    return answer.status_code, "location" in answer.headers, "refresh" in answer.headers


def raw_description(target: Target) -> bytes:
    return target.token(grant_type="unheard-of").content.partition(b"The ")[2][:9]


def quoted_description(target: Target) -> bool:
    return '"' in target.token(grant_type="unheard-of").json()["error_description"]


@pytest.mark.parametrize(
    ("variant", "observe", "lawful", "changed"),
    [
        ("accepts_wrong_secret_by_body", wrong_secret_by_body, 401, 200),
        ("accepts_wrong_secret_by_body", wrong_secret_by_basic, 401, 401),
        ("basic_credentials_not_decoded", encoded_basic, 200, 401),
        ("ignores_repeated_parameters", repeated_scope, 400, 200),
        ("token_answer_may_be_cached", cache_control, "no-store", ""),
        ("unknown_grant_is_forbidden", unknown_grant, 400, 403),
        ("state_lost_on_errors", state_of_error, "xyz", None),
        ("lower_case_token_type", token_type, "Bearer", "bearer"),
        ("invalid_client_by_body_is_400", wrong_secret_by_body, 401, 400),
        ("invalid_client_by_body_is_400", wrong_secret_by_basic, 401, 401),
        ("error_page_with_200", error_page, 400, 200),
        ("error_page_not_found", error_page, 400, 404),
        ("nobody_gets_400", nobody, 401, 400),
        ("unknown_client_has_another_status", unknown_client_by_body, 401, 400),
        ("unknown_client_has_another_status", wrong_secret_by_body, 401, 401),
        ("login_in_two_steps", pages_before_consent, 1, 2),
        ("error_page_after_login", error_page_in_the_end, (400, 400), (200, 400)),
        ("own_addresses_are_relative", own_location, "http://127.0.0.1:8080/consent", "/consent"),
        ("sent_by_a_link", way_back, (303, True, False), (200, False, False)),
        ("sent_by_refresh_header", way_back, (303, True, False), (200, False, True)),
        ("error_description_with_escaped_quotes", raw_description, b"grant typ", b"\\u0022gra"),
        ("error_description_with_escaped_quotes", quoted_description, False, True),
    ],
)
def test_examples_change_the_wire_where_they_say(
    start_target: StartTarget, variant: str, observe: Observe, lawful: object, changed: object
) -> None:
    assert (observe(start_target()), observe(start_target(variant))) == (lawful, changed)


def test_slow_answers_wait(start_target: StartTarget) -> None:
    delays: list[float] = []
    target = start_target("slow_token_answers")
    finish = target.server.rules.finish

    def watch(call: Call, answer: Answer) -> Answer:
        delays.append(finish(call, answer).delay_s)
        answer.delay_s = 0
        return answer

    target.server.rules |= Rules(finish=watch)
    target.token()
    assert delays == [0.2]


def test_variants_compose(start_target: StartTarget) -> None:
    target = start_target("lower_case_token_type", "token_answer_may_be_cached")
    assert (token_type(target), cache_control(target)) == ("bearer", "")


def test_every_variant_changes_rules_and_is_found_under_its_id() -> None:
    found: dict[str, variants.Fault | variants.Oddity] = {**variants.all_faults(), **variants.all_oddities()}
    assert len(found) >= 10
    for variant_id, variant in found.items():
        assert variant.id == variant_id
        assert variant.apply(LAWFUL) != LAWFUL
        assert variant.describe.endswith(".")


@pytest.mark.parametrize("variant_id", ["accepts_wrong_secret_by_body", "lower_case_token_type", "lawful", "Not-An-Id"])
def test_taken_and_malformed_ids_are_refused(variant_id: str) -> None:
    variants.all_faults()
    with pytest.raises(GrantproofError):
        variants.fault(variant_id, "rfc6749:5.2/x", "plain", "Twice.")(lambda rules: rules)
    with pytest.raises(GrantproofError):
        variants.oddity(variant_id, "Twice.")(lambda rules: rules)


def test_unknown_variants_are_named() -> None:
    with pytest.raises(GrantproofError, match="unheard_of"):
        variants.rules_of(("unheard_of",))


def test_hostile_bytes_never_break_the_server(start_target: StartTarget) -> None:
    target = start_target()
    names = ("grant_type", "scope", "client_id", "token", "csrf", "request", "state", "prompt", "username", "max_age")
    values = ("%00", "%FF%FE", "%", "%ED%A0%80", "%F0%9F%92%A9", "+", "%0d%0a", json.dumps([[1]]), "9" * 5000)
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": 'grantproof_session="\\777; =; x'}
    worst = 0
    for value in values:
        body = "&".join(f"{name}={value}" for name in names) + f"&{value}={value}"
        for path in ("/token", "/introspect", "/revoke", "/authorize", "/login", "/consent", "/resource"):
            worst = max(worst, target.http.post(path, content=body, headers=headers).status_code)
            worst = max(worst, target.http.get(f"{path}?{body}", headers=headers).status_code)
    assert worst < 500
