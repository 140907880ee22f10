"""The ways in which an authorization request fails."""

from grantproof.matrix.authorization_errors import ERROR_PATHS, FRAGMENT_PATHS, ErrorPath
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest

REQUEST = FormRequest("https://as.example/authorize", Form((("response_type", "token"), ("scope", "a"))), method="GET")


def test_changes_repeats_and_additions_are_applied() -> None:
    path = ErrorPath("all", {"response_type": None, "state": "s"}, added=(("x", "1"),), repeated="scope")
    assert path.apply(REQUEST).form.pairs == (("scope", "a"), ("state", "s"), ("x", "1"), ("scope", "a"))


def test_what_is_not_there_is_not_repeated() -> None:
    assert ErrorPath("nonce", repeated="nonce").apply(REQUEST) == REQUEST


def test_every_path_changes_the_request_the_browser_or_the_choice() -> None:
    same = [path.id for path in ERROR_PATHS if path.apply(REQUEST) == REQUEST and path.choice == "allow"]
    assert not same


def test_paths_are_told_apart_by_their_ids() -> None:
    assert len({path.id for path in ERROR_PATHS}) == len(ERROR_PATHS)
    assert {path.id for path in FRAGMENT_PATHS} < {path.id for path in ERROR_PATHS}
