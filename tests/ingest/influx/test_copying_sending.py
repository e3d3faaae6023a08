"""Bodies reach a server that is away, asks for patience, is somebody else, or keeps points for some time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from devices.model import Metric
from ingest.store.history import Series
from ingest.store.influx.copying_sending import Sending
from ingest.store.influx.copying_waiting import Denied, Stopped, Waiting
from ingest.store.influx.expiry import Expiry, retention_of
from ingest.store.influx.server import PROBE, Answer, Later, Refused, Taken
from ingest.store.points import Points
from tests.ingest.influx.house_reading import START_NS, Names

NAMES = Names({1: Series(1, "own:a", "", Metric.CURRENT)}, "electrical")
BEYOND = 'HTTP 400: {"error":"partial write: points beyond retention policy dropped=1"}'


class Scripted:
    """A server that answers as a test wants it, and what it has."""

    def __init__(self, answer: Callable[[bytes, int], Answer]) -> None:
        self._answer = answer
        self.lines: set[bytes] = set()
        self.posts = 0

    def post(self, lines: bytes) -> Answer:
        self.posts += 1
        answer = self._answer(lines, self.posts)
        if isinstance(answer, Taken) and lines != PROBE:
            self.lines.update(lines.splitlines())
        return answer

    def life(self) -> str | None:
        return ""


def points(n: int) -> Points:
    return Points(
        np.ones(n, np.int32), START_NS + np.arange(n) * 10**9, np.arange(n) / 8, np.zeros(n, np.uint32)
    )


def sent(server: Scripted, n: int) -> tuple[int, list[str], Sending]:
    """How many were refused, and what was told."""
    told: list[str] = []
    sending = Sending(server, Waiting(told.append))
    refused = sending.send(points(n), NAMES)
    sending.close()
    return len(refused), told, sending


def test_an_outage_is_waited_for_and_told_once() -> None:
    server = Scripted(lambda _, n: Later("it is away") if n < 4 else Taken())
    refused, told, _ = sent(server, 20_000)
    assert (refused, len(server.lines)) == (0, 20_000)
    assert told == ["waits for the server: it is away", "goes on"]


def test_a_server_that_says_when_to_come_back_is_asked_then() -> None:
    asked: list[float] = []

    def answer(_: bytes, n: int) -> Answer:
        asked.append(time.monotonic())
        return Later("HTTP 503", 1.5) if n == 1 else Taken()

    server = Scripted(answer)
    assert sent(server, 10)[0] == 0
    assert asked[1] - asked[0] >= 1.5


def test_who_refuses_everything_is_not_believed() -> None:
    """A proxy answers in the server's place, to comments too: points wait."""
    probes: list[bytes] = []

    def answer(lines: bytes, _: int) -> Answer:
        answers_itself = bool(probes)
        if lines == PROBE:
            probes.append(lines)
        return Taken() if answers_itself else Refused("HTTP 400: no")

    server = Scripted(answer)
    refused, told, _ = sent(server, 50)
    assert (refused, len(server.lines)) == (0, 50)
    assert told[0] == "waits for the server: HTTP 400: no"


def test_it_can_be_stopped_while_it_waits() -> None:
    waiting = Waiting(lambda _: None)
    sending = Sending(Scripted(lambda _, __: Later("away", 300.0)), waiting)
    threading.Timer(0.3, waiting.stop).start()
    with pytest.raises(Stopped):
        sending.send(points(10), NAMES)
    sending.close()


def keeps_from(start: int) -> Callable[[bytes, int], Answer]:
    """A server that keeps the points from this second on."""

    def answer(lines: bytes, _: int) -> Answer:
        times = [int(at) for at in re.findall(rb" (\d+)\n", lines)]
        old = any(at < START_NS + start * 10**9 for at in times)
        return Refused(BEYOND) if old else Taken()

    return answer


@pytest.mark.parametrize("start", [0, 1, 7_777, 19_999, 20_000, 50_000])
def test_points_beyond_the_retention_are_left_out_with_few_requests(start: int) -> None:
    server = Scripted(keeps_from(start))
    refused, _, sending = sent(server, 20_000)
    assert refused == 0
    assert len(server.lines) == max(20_000 - start, 0)
    assert server.posts < 120
    last_old = START_NS + (min(start, 20_000) - 1) * 10**9
    assert sending.expiry.before_ns == (last_old if start else -(2**63))


def test_words_about_a_missing_policy_are_no_age() -> None:
    expiry = Expiry()
    assert not expiry.is_why(Refused("HTTP 400: retention policy not found: raw"))
    assert expiry.is_why(Refused(BEYOND))
    assert not expiry.is_why(Later(BEYOND))


def test_where_words_of_age_are_not_about_age_each_value_is_judged_for_itself() -> None:
    """Both lines are taken alone: nothing is given up for what was said of them together."""
    server = Scripted(lambda lines, _: Refused(BEYOND) if lines.count(b"\n") > 1 else Taken())
    refused, _, sending = sent(server, 8)
    assert (refused, len(server.lines), sending.expiry.before_ns) == (0, 8, -(2**63))


def test_a_denial_that_lasts_ends_it_with_the_servers_words() -> None:
    """Somebody withdrew the token while history was copied: nobody would set it right by itself."""
    waiting = Waiting(lambda _: None, denied_s=0.2)
    sending = Sending(Scripted(lambda _, __: Later("HTTP 401: unauthorized", denied=True)), waiting)
    with pytest.raises(Denied, match="HTTP 401: unauthorized"):
        sending.send(points(10), NAMES)
    waiting.stop()
    sending.close()


def test_a_short_denial_and_an_outage_of_any_length_are_waited_out() -> None:
    now_s = 0.0
    waiting = Waiting(lambda _: None, denied_s=60.0, monotonic=lambda: now_s)
    for denied in (True, True, False, False, True, True):
        waiting.pause("no", -10, denied=denied)
        now_s += 50.0
    with pytest.raises(Denied):
        waiting.pause("no", -10, denied=True)


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ('-retentionPeriod="2w"\n', "14 days (-retentionPeriod=2w)"),
        ('-a="b"\n-retentionPeriod="12"\n', "372 days (-retentionPeriod=12)"),
        ('-retentionPeriod="1.5d"\n', "36 hours (-retentionPeriod=1.5d)"),
        ('-storageDataPath="/a"\n', "31 days (-retentionPeriod is not set)"),
        ('-storageNode="a:8400"\n', "None"),
        ('-retentionPeriod="for ever"\n', "None"),
        ("<html>", "None"),
        ("", "None"),
    ],
)
def test_how_long_victoriametrics_keeps_points_is_read_in_its_flags(flags: str, wanted: str) -> None:
    assert str(retention_of(flags)) == wanted


def test_what_expires_soon_is_sent_no_more_and_the_boundary_only_moves_forward() -> None:
    expiry = Expiry()
    expiry.moved(10 * 86_400 * 10**9, 86_400)
    assert expiry.before_ns == (9 * 86_400 + 3_600) * 10**9
    expiry.moved(9 * 86_400 * 10**9, 86_400)
    assert expiry.before_ns == (9 * 86_400 + 3_600) * 10**9
