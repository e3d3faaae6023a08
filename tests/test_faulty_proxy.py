"""The way that fails does so as it was told, and what was passed on arrived."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faulty_proxy import NONE, Fault, FaultyProxy
from tests.series_process import Answer, ask
from tests.series_servers import INFLUX16, SeriesServer

LINE = b"m v=1 1\n"
BIG = b"".join(b"m v=1 %d\n" % n for n in range(50_000))


@pytest.fixture
def series_kind() -> str:
    return INFLUX16


@pytest.fixture
def proxy(series_server: SeriesServer) -> Iterator[FaultyProxy]:
    assert series_server.process
    with FaultyProxy(series_server.process.port) as proxy:
        yield proxy


def write(server: SeriesServer, proxy: FaultyProxy, body: bytes = LINE, patience_s: float = 10.0) -> Answer:
    return ask(proxy.url + server.write_path, body, patience_s=patience_s)


def test_without_a_fault_all_is_passed_on(series_server: SeriesServer, proxy: FaultyProxy) -> None:
    replace(series_server, url=proxy.url).write(BIG)
    assert replace(series_server, url=proxy.url).count("m") == 50_000


def test_an_answer_is_cut_and_the_request_was_stored(series_server: SeriesServer, proxy: FaultyProxy) -> None:
    proxy.cut_after = [5]
    with pytest.raises(OSError):
        write(series_server, proxy)
    assert series_server.count("m") == 1
    assert write(series_server, proxy).status == 204


def test_a_request_is_cut_and_nothing_was_stored(series_server: SeriesServer, proxy: FaultyProxy) -> None:
    proxy.cut_sent_after = [100_000]
    with pytest.raises(OSError):
        write(series_server, proxy, BIG)
    assert series_server.count("m") == 0


def test_a_swallowed_answer_leaves_the_client_waiting_and_the_line_stored(
    series_server: SeriesServer, proxy: FaultyProxy
) -> None:
    proxy.fault = Fault(swallow=True)
    with pytest.raises(OSError):
        write(series_server, proxy, patience_s=0.2)
    assert series_server.count("m") == 1
    assert proxy.swallowed > 0


def test_a_deaf_way_is_open_and_passes_nothing_on_until_it_hears_again(
    series_server: SeriesServer, proxy: FaultyProxy
) -> None:
    proxy.fault = Fault(deaf=True)
    with pytest.raises(OSError):
        write(series_server, proxy, patience_s=0.2)
    assert (proxy.connections, series_server.count("m")) == (1, 0)
    threading.Timer(0.1, lambda: setattr(proxy, "fault", NONE)).start()
    assert write(series_server, proxy).status == 204


def test_answers_wait_as_long_as_they_should(series_server: SeriesServer, proxy: FaultyProxy) -> None:
    proxy.fault = Fault(delay_s=0.2)
    started = time.monotonic()
    assert write(series_server, proxy).status == 204
    assert time.monotonic() - started >= 0.2


def test_refused_connections_are_reset(series_server: SeriesServer, proxy: FaultyProxy) -> None:
    proxy.fault = Fault(refuse=True)
    with pytest.raises(OSError):
        write(series_server, proxy)
    assert proxy.connections == 0


def test_all_open_lines_can_be_cut_at_once_and_a_paused_server_holds_nobody_up(
    series_server: SeriesServer, proxy: FaultyProxy
) -> None:
    series_server.pause()
    threading.Timer(0.1, proxy.cut).start()
    started = time.monotonic()
    with pytest.raises(OSError):
        write(series_server, proxy, BIG * 10)
    assert time.monotonic() - started < 5
