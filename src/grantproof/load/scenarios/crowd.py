"""Token requests of thousands of clients, of which a few ask often and most seldom (Zipf's law).

The profile names them: `[load] clients = "clients.csv"`, a file beside it with `id,secret` a line, or a JSON array of
objects with `id` and `secret`.
"""

import csv
import json
import random
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grantproof.errors import GrantproofError
from grantproof.load.credentials import client_for_load, form_headers, password_credentials, token_pairs
from grantproof.load.exchange import Ask, EachOwnJudge, Exchange, Prepared
from grantproof.load.judge import TokenJudge
from grantproof.load.scenarios.needs import lacking, profile_of
from grantproof.load.work import Part
from grantproof.profile.values import is_array, is_table
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grantproof.load.target import Target
    from grantproof.load.work import Work

_LARGEST: Final = 64 * 1024 * 1024
_HINT: Final = "write id,secret a line, or a JSON array of objects with id and secret"


def crowd_parts(target: "Target") -> tuple[Part, ...]:
    """The clients of the file that the profile names.

    Raises:
        GrantproofError: it names none, or the file cannot be used.
    """
    read_clients(_path_of(target))
    return (Part("many_clients", _make),)


def _path_of(target: "Target") -> Path:
    path = profile_of(target).load.clients
    if path is None:
        raise lacking(target, "the profile names no clients for many_clients", 'write: [load] clients = "clients.csv"')
    return path


def read_clients(path: Path) -> list[tuple[str, str]]:
    """Identifiers and secrets of a file, in its order.

    Raises:
        GrantproofError: it cannot be read or used; the secrets are not shown.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise GrantproofError(
            "the clients cannot be read", str(path), getattr(error, "strerror", "") or _HINT
        ) from None
    if len(content) > _LARGEST:
        raise GrantproofError("the file of clients is too large", str(path))
    clients = list(_from_json(text, path) if path.suffix.lower() == ".json" else _from_csv(text, path))
    if not clients:
        raise GrantproofError("the file has no client", str(path), _HINT)
    return clients


def _from_csv(text: str, path: Path) -> "Iterator[tuple[str, str]]":
    for number, row in enumerate(_rows(text, path), 1):
        if not row or (number == 1 and [each.strip() for each in row] == ["id", "secret"]):
            continue
        if len(row) != 2 or not row[0] or not row[1]:
            raise GrantproofError("this is no client", f"{path}:{number}", _HINT)
        yield row[0], row[1]


def _rows(text: str, path: Path) -> "Iterator[list[str]]":
    rows = csv.reader(text.splitlines())
    try:
        yield from rows
    except csv.Error as error:
        raise GrantproofError(str(error), f"{path}:{rows.line_num}", _HINT) from None


def _from_json(text: str, path: Path) -> "Iterator[tuple[str, str]]":
    try:
        rows: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise GrantproofError("this is no JSON", str(path), _HINT) from None
    for number, row in enumerate(rows if is_array(rows) else [rows]):
        client = (row.get("id"), row.get("secret")) if is_table(row) else (None, None)
        if not isinstance(client[0], str) or not isinstance(client[1], str) or not all(client):
            raise GrantproofError("this is no client", f"{path}: [{number}]", _HINT)
        yield client[0], client[1]


def _make(work: "Work") -> Exchange:
    clients = read_clients(_path_of(work.target))
    asks = [_ask(work, client_id, secret) for client_id, secret in clients]
    prepared = Prepared("clients", len(clients), 0.0)
    return Exchange("POST", "token of many clients", zipf(asks), EachOwnJudge(work.findings), prepared=prepared)


def _ask(work: "Work", client_id: str, secret: str) -> Ask:
    """A client's request: the parameters of the profile's first client, with its own credentials."""
    profile = profile_of(work.target)
    model, method = client_for_load(profile)
    pairs, proof = password_credentials(client_id, secret, method)
    body = Form((*token_pairs(model), *pairs)).encode().encode("ascii")
    fields = (*form_headers(), *proof, *profile.target.headers.items())
    judge = TokenJudge(
        model.scopes, client_id=client_id, findings=work.findings, looks_inside=work.target.jwt_access_tokens
    )
    return Ask.of(work.target.request("POST", work.target.token_url, fields, body), judge)


def zipf(asks: list[Ask], seed: str = "zipf") -> "Callable[[], Ask]":
    """Draws one after another: the n-th is drawn 1/n as often as the first. Drawn in bulk, since a draw is not free."""
    drawn = random.Random(seed)  # noqa: S311 - repeatable load, no secrets
    weights = list(accumulate(1 / rank for rank in range(1, len(asks) + 1)))
    batch: list[Ask] = []

    def draw() -> Ask:
        if not batch:
            batch.extend(drawn.choices(asks, cum_weights=weights, k=1024))
        return batch.pop()

    return draw
