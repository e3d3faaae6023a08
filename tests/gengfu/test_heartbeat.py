"""The heartbeat to the outside: it is there while alarms go on, and stops when they do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from structlog.testing import capture_logs

from benchmarks.service import eventually
from gengfu.config import Alerts, Config, Metrics
from gengfu.heartbeat import Heartbeat, alarms_go_on, heartbeat_of
from gengfu.telemetry import Telemetry


class Monitor:
    """Somebody outside who counts the calls; `status` is what they answer."""

    def __init__(self) -> None:
        self.calls, self.status = 0, 200
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.calls += 1
                self.send_response(monitor.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def monitored() -> Iterator[Monitor]:
    monitor = Monitor()
    try:
        yield monitor
    finally:
        monitor.close()


def test_it_calls_while_all_is_well_and_not_while_something_is_not() -> None:
    with monitored() as monitor, capture_logs() as logs:
        well = [True]
        heart = Heartbeat(monitor.url, 0.02, lambda: well[0])
        heart.start()
        eventually(lambda: heart.beats >= 3, "three calls")
        well[0] = False
        eventually(lambda: heart.held_back >= 3, "calls held back")
        calls = monitor.calls
        eventually(lambda: heart.held_back >= 6, "more calls held back")
        assert monitor.calls == calls
        well[0] = True
        eventually(lambda: monitor.calls > calls, "it goes on")
        heart.stop()
    assert "secret" not in msgspec.json.encode(logs).decode()


def test_a_monitor_that_does_not_answer_ends_nothing() -> None:
    with monitored() as monitor, capture_logs():
        monitor.status = 500
        heart = Heartbeat(monitor.url, 0.02, lambda: True)
        heart.start()
        eventually(lambda: heart.missed >= 2, "two calls in vain")
        monitor.status = 200
        eventually(lambda: heart.beats >= 1, "a call that is answered")
        heart.stop()


def health(trouble: str, *, ok: bool) -> Telemetry:
    return Telemetry("127.0.0.1", 0, lambda: {"ok": ok, "trouble": trouble})


def test_history_that_waits_and_a_further_broker_do_not_stop_it_and_everything_else_does() -> None:
    for trouble, ok, expected in (
        ("", True, True),
        ("shedding", True, True),
        ("store_waits", False, True),
        ("stalled", False, False),
        ("shedding; stalled", False, False),
        ("", False, False),
        ("no_broker", False, False),
        ("no_broker: broker, north", False, False),
        ("no_broker: north, south", False, True),
        ("shedding; no_broker: north", False, True),
        ("stalled; no_broker: north", False, False),
    ):
        telemetry = health(trouble, ok=ok)
        assert alarms_go_on(f"http://127.0.0.1:{telemetry.port}/healthz") is expected, trouble
        telemetry.close()
    assert not alarms_go_on(f"http://127.0.0.1:{telemetry.port}/healthz")  # nobody is there any more


def test_it_is_made_as_configured_and_looks_at_every_process() -> None:
    assert heartbeat_of(Config(), {}) is None
    with monitored() as monitor, capture_logs():
        one, other = health("", ok=True), health("no_broker", ok=False)
        config = Config(alerts=Alerts(heartbeat_url=monitor.url), metrics=Metrics(host="127.0.0.1"))
        heart = heartbeat_of(config, {"alerts": one.port, "ingest": other.port})
        assert heart is not None
        heart.start()
        eventually(lambda: heart.held_back >= 1, "a call held back")
        heart.stop()
        assert monitor.calls == 0
        one.close()
        other.close()
