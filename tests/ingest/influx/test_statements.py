"""Statements that ask for no points: what real servers give, and in whose words they refuse."""

from __future__ import annotations

import pytest

from ingest.store.influx.asking import Asking, NotUnderstood, Refused
from ingest.store.influx.server import Account
from ingest.store.influx.statements import rows_of, series_told
from tests.ingest.influx.answering import answering, saying
from tests.series_servers import INFLUX16, INFLUX18, SeriesServer


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18])
def test_what_there_is_and_what_is_refused(series_server: SeriesServer) -> None:
    url = series_server.url
    with Asking(Account(url, database=series_server.database)) as asking:
        assert [series_server.database] in rows_of(series_told(asking, "SHOW DATABASES"))
        assert series_told(asking, "CREATE DATABASE test_statement") == []
        assert ["test_statement"] in rows_of(series_told(asking, "SHOW DATABASES"))
        series_told(asking, "DROP DATABASE test_statement")
        with pytest.raises(
            Refused, match=f"^{url} refuses 'SHOW RETENTION POLICIES': database not found: none"
        ):
            series_told(asking, "SHOW RETENTION POLICIES ON none")
        with pytest.raises(Refused, match=f"^{url} refuses 'SHOW NOTHING': error parsing query"):
            series_told(asking, "SHOW NOTHING")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"7", b'{"results": []}', b'{"results": [1]}', b""])
def test_what_is_no_answer_is_not_taken_for_nothing(body: bytes) -> None:
    with (
        answering(saying(body)) as url,
        Asking(Account(url, database="d")) as asking,
        pytest.raises(NotUnderstood, match="HTTP 200, and no answer to a query"),
    ):
        series_told(asking, "SHOW DATABASES")
