"""`/metrics` and `/healthz` of one process, served by a thread on loopback."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Final

import msgspec
import structlog
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class By:
    """A figure for each value of a label."""

    label: str
    values: Mapping[str, float]


Value = float | Mapping[str, float] | By
Health = Callable[[], dict[str, object]]
RETRY_S: Final = 5.0
"""How long a taken port is left alone (chosen)."""
REQUEST_S: Final = 10.0
"""How long a client may take over its request (chosen)."""


class Figures(Collector):
    """Counters that the process keeps as plain numbers, read only when somebody looks.

    `read` gives `{name: value}` or `{name: By(label, {label value: value})}`, without `By` for the label
    `kind`; names ending in `_total` are counters.
    """

    def __init__(self, prefix: str, read: Callable[[], Mapping[str, Value]]) -> None:
        self._prefix = prefix
        self._read = read

    def collect(self) -> list[Metric]:
        """One metric family per figure."""
        return [self._family(name, value) for name, value in self._read().items()]

    def _family(self, name: str, value: Value) -> Metric:
        by = By("kind", value) if isinstance(value, Mapping) else value
        make = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        family = make(
            f"gengfu_{self._prefix}_{name}",
            name.replace("_", " "),
            labels=[by.label] if isinstance(by, By) else [],
        )
        if isinstance(by, By):
            for label, number in by.values.items():
                family.add_metric([label], number)
        else:
            family.add_metric([], by)
        return family


class Telemetry:
    """The listener; `port` is the one it really got.

    A port that is taken never keeps a process from its work: it is logged, and tried again every 5 s.
    """

    def __init__(self, host: str, port: int, health: Health) -> None:
        self._place, self._health = (host, port), health
        self._closed = threading.Event()
        self._server: _Server | None = None
        self.port = port
        self._listen()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._closed.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._thread.join()

    def _listen(self) -> None:
        try:
            self._server = _Server(self._place, _handler(self._health))
        except OSError as error:
            log.error("telemetry_cannot_listen", port=self.port, error=error.strerror)
        else:
            self.port = int(self._server.server_address[1])

    def _run(self) -> None:
        while self._server is None and not self._closed.wait(RETRY_S):
            self._listen()
        if self._server:
            self._server.serve_forever()  # returns at once where the end was asked for already


def serve_figures(
    host: str, port: int, prefix: str, read: Callable[[], Mapping[str, Value]], health: Health
) -> Telemetry:
    """Registers the figures and opens the listener."""
    REGISTRY.register(Figures(prefix, read))
    return Telemetry(host, port, health)


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """Without the look-up of our own name, which takes seconds where no name server answers."""
        TCPServer.server_bind(self)

    def handle_error(self, _request: object, _address: object) -> None:
        """A scraper that went away is not worth a traceback on stderr."""
        log.warning("telemetry_request_failed", error=repr(sys.exception()))


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_S

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            elif path == "/healthz":
                state = health()
                self._answer(200 if state.get("ok") else 503, "application/json", msgspec.json.encode(state))
            else:
                self._answer(404, "text/plain", b"only /metrics and /healthz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Scrapes are not worth a line."""

    return Handler
