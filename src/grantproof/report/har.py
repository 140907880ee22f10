"""exchanges.har: every exchange of a run as HAR 1.2, for the network panel of a browser or a proxy.

Bodies are whole here. What a recorder left out is filled with the values that HAR gives to the unknown.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grantproof.report.record import ExchangeRecord, Run

_BOTH: "Mapping[str, Any]" = {"httpVersion": "", "cookies": [], "headers": [], "headersSize": -1, "bodySize": -1}
_REQUEST: "Mapping[str, Any]" = {"method": "", "url": "", "queryString": [], **_BOTH}
_RESPONSE: "Mapping[str, Any]" = {
    "status": 0,
    "statusText": "",
    "content": {"size": 0, "mimeType": ""},
    "redirectURL": "",
    **_BOTH,
}


def render_har(run: "Run") -> str:
    """The text of exchanges.har; each entry's comment names the exchange's number and the checks that refer to it."""
    users: dict[int, list[str]] = {}
    for check in run.checks:
        for n in check.exchanges:
            users.setdefault(n, []).append(f"{check.verdict}: {check.id}")
    log = {
        "version": "1.2",
        "creator": {"name": "grantproof", "version": run.tool_version},
        "comment": f"{run.target.name}; secrets are redacted",
        "entries": [_entry(exchange, users.get(exchange["n"], []), run.started) for exchange in run.exchanges],
    }
    head = json.dumps({**log, "entries": []})
    rows = ",\n".join(json.dumps(entry) for entry in log["entries"])
    return f'{{"log": {head[: -len("]}")]}\n{rows}\n]}}}}\n'


def _entry(exchange: "ExchangeRecord", users: list[str], run_started: str) -> dict[str, Any]:
    milliseconds = round(exchange["seconds"] * 1000, 3)
    return {
        "startedDateTime": _moment(exchange.get("startedDateTime"), run_started),
        "time": milliseconds,
        "request": {**_REQUEST, **exchange["request"]},
        "response": {**_RESPONSE, **exchange["response"]},
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": "; ".join([f"exchange {exchange['n']}", *users]),
    }


def _moment(started: float | str | None, run_started: str) -> str:
    if isinstance(started, str):
        return started
    if started is None:
        return run_started
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=started)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
