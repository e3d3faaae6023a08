"""What is no answer of InfluxDB 2 is not taken for a server without buckets."""

from __future__ import annotations

import pytest

from ingest.store.influx.asking import Asking, Away, NotUnderstood, Refused
from ingest.store.influx.organisation import Organisation
from ingest.store.influx.server import Account
from tests.ingest.influx.answering import answering, saying


def at(url: str) -> None:
    with Asking(Account(url, org="o", bucket="b", token="t")) as asking:
        Organisation(asking, "o").found("b")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", NotUnderstood),
        (200, b'{"buckets": 7}', NotUnderstood),
        (503, b"", Away),
        (404, b'{"message": "organization name \\"o\\" not found"}', Refused),
    ],
)
def test_what_is_no_answer_is_not_taken_for_nothing(status: int, body: bytes, error: type[Exception]) -> None:
    with answering(saying(body, status)) as url, pytest.raises(error):
        at(url)
