"""Statements of InfluxQL that ask for no points: what there is, what is to be made, what a server says of
itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from ingest.store.influx.asking import Asking, NotUnderstood, Refused

_FORM = "application/x-www-form-urlencoded"


def series_told(asking: Asking, statement: str) -> list[dict[str, Any]]:
    """The series that one statement gives. Raises Away, Refused with the server's words, NotUnderstood."""
    said = asking.said("/query", urlencode({"q": statement}).encode(), _FORM)
    try:
        answer: dict[str, Any] = msgspec.json.decode(said.body)
        result = answer.get("results", [{}])[0]
        wrong = answer.get("error") or result.get("error")
        series = list(result.get("series", ()))
    except (msgspec.DecodeError, LookupError, AttributeError, TypeError):
        raise NotUnderstood(f"{asking.url}: HTTP {said.status}, and no answer to a query") from None
    if wrong:
        raise Refused(f"{asking.url} refuses {statement.split(' ON ', maxsplit=1)[0]!r}: {wrong}")
    return series


def rows_of(series: list[dict[str, Any]]) -> list[list[Any]]:
    """All rows, of whatever series."""
    return [row for one in series for row in one.get("values", ())]
