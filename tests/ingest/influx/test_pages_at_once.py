"""Many pages at once that ask a server which is slow, silent or breaks off leave no connection behind."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from devices.model import Metric
from ingest.store.histories import Excerpt, Histories
from ingest.store.history import Series
from ingest.store.influx.asking import LIMITS, Limits
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.server import Account
from tests.ingest.influx.answering import Answering, answering, saying
from tests.ingest.influx.house import eventually

THREADS = 40
"""As many as the console has for its pages."""
PAGES = 120
SHORT = Limits(connect_s=1.0, answer_s=0.3, whole_s=0.6)
ONE = Series(1, "d", "", Metric.SMOKE_ALARM)
PINGED = saying(b"", 204, {"X-Influxdb-Version": "1.8.10", "X-Influxdb-Build": "OSS"})
EMPTY = saying(b'{"results":[{"statement_id":0}]}\n')


class Counted:
    """Answers `/ping` as InfluxDB, and questions as told; `here` are requests at this moment."""

    def __init__(self, answer: Answering) -> None:
        self._answer, self._lock = answer, threading.Lock()
        self.here = 0

    def __call__(self, asked: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.here += 1
        try:
            (PINGED if asked.path.startswith("/ping") else self._answer)(asked)
        finally:
            with self._lock:
                self.here -= 1


def slow(asked: BaseHTTPRequestHandler) -> None:
    time.sleep(0.05)
    EMPTY(asked)


def silent(asked: BaseHTTPRequestHandler) -> None:
    time.sleep(0.5)


def trickling(asked: BaseHTTPRequestHandler) -> None:
    """More than a whole answer may take, a little at a time."""
    asked.send_response(200)
    asked.send_header("Content-Length", "1000")
    asked.end_headers()
    for _ in range(15):
        asked.wfile.write(b" ")
        time.sleep(0.1)


def breaking_off(asked: BaseHTTPRequestHandler) -> None:
    asked.send_response(200)
    asked.send_header("Content-Length", "1000")
    asked.end_headers()
    asked.wfile.write(b"{")
    asked.close_connection = True


def sockets() -> int:
    """That this process has open."""
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            count += str(one.readlink()).startswith("socket:")
    return count


@contextmanager
def without_collecting() -> Iterator[None]:
    """What is only let go when cycles are collected is a leak here."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are seen on Linux only")
@pytest.mark.parametrize("answer", [slow, silent, trickling, breaking_off], ids=lambda one: one.__name__)
@pytest.mark.parametrize("away_s", [0.0, 10.0], ids=["asked each time", "left alone"])
def test_no_connection_is_left_whatever_the_server_does(answer: Answering, away_s: float) -> None:
    counted = Counted(answer)
    with answering(counted) as url, without_collecting():
        account = Account(url, database="g")
        clock = time.monotonic if away_s else _Forgetting()
        limits = LIMITS if answer is slow else SHORT
        histories = Histories(lambda: ServerReader.open(account, limits), monotonic=clock)
        before = sockets()
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(lambda _: histories.excerpt(ONE, 0, 10**18), range(PAGES)))
        eventually(lambda: counted.here == 0 and sockets() <= before, "no connection is left")
    assert all(isinstance(one, Excerpt) for one in found)
    assert [bool(one.lacks) for one in found] == [answer is not slow] * PAGES


class _Forgetting:
    """A clock by which any time has passed since the last look: a server is never left alone."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        self._now_s += 1_000.0
        return self._now_s
