"""The grammar of RFC 6749 Appendix A."""

import pytest

from grantproof.wire import grammar

RULES = [
    (grammar.is_vschars, ["a", " ~", "state"], ["", "ä", "a\n", "\x7f", "\t"]),
    (grammar.is_nqschars, ["a b", "it's", "!#[]~"], ["", 'a"b', "a\\b", "é", "a\n"]),
    (grammar.is_scope, ["a", "a b", "!#"], ["", " a", "a ", "a  b", 'a"', "a\\", "a\tb"]),
    (grammar.is_parameter_name, ["a", "not-before-policy", "x.y_z"], ["", "a b", "a/b"]),
    (grammar.is_response_type, ["token", "id_token token"], ["", "a  b", "to-ken", " a"]),
    (grammar.is_b64token, ["abc", "a-._~+/==", "a"], ["", "=", "a b", 'a"', "a=b"]),
    (
        grammar.is_uri_reference,
        ["", "/a", "https://e.example/x?y#z", "%20"],
        ["a b", "%", '"', "\\", "https://[::1", "ä"],
    ),
    (grammar.is_absolute_uri, ["urn:x:y", "https://e.example"], ["/a", "a b", ""]),
    (grammar.is_token_type, ["Bearer", "N_A", "https://e.example/t"], ["", "a b", "/t"]),
]


@pytest.mark.parametrize(("rule", "good", "bad"), RULES)
def test_rule(rule: "grammar.Rule", good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not rule(text)] == []
    assert [text for text in bad if rule(text)] == []


def test_scopes_compare_as_sets() -> None:
    assert grammar.scope_set("b a") == grammar.scope_set("a  b")
    assert grammar.scope_set(None) == frozenset()
