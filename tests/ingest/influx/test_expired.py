"""History that is older than a real server keeps is refused in few requests, and all the rest is stored."""

from __future__ import annotations

import time

import pytest

from ingest.store.influx.putting import Outcasts, Putting
from ingest.store.influx.server import Answer, Server
from tests.ingest.influx.house import account_at
from tests.ingest.influx.test_copying import keep_five_days
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, SeriesServer

HOUR_NS = 3600 * 10**9
LINES = 3_000


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2])
def test_after_an_outage_longer_than_the_retention_the_rest_is_stored(series_server: SeriesServer) -> None:
    keep_five_days(series_server)
    now_ns = time.time_ns()
    times = [now_ns - 20 * 24 * HOUR_NS * (LINES - n) // LINES for n in range(LINES)]
    lines = b"".join(b"smoke,device=own:d%d smoke_alarm=1.0 %d\n" % (n % 9, at) for n, at in enumerate(times))
    server, posts = Server(account_at(series_server), 1), 0

    def post(body: bytes) -> Answer:
        nonlocal posts
        posts += 1
        return server.post(body)

    putting = Putting(lines)
    assert putting.go_on(post, Outcasts(time.monotonic)) is None
    server.close()
    stored = {row.time_ns for row in series_server.rows("smoke")}
    young = {at for at in times if at > now_ns - 4 * 24 * HOUR_NS}
    refused = {int(one.line.rsplit(b" ", 1)[1]) for one in putting.refused}
    assert young <= stored
    assert stored | refused == set(times), "each is in the server or named"
    assert posts < 60
