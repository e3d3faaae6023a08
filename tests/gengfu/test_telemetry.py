"""`/metrics` and `/healthz` over real HTTP."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from prometheus_client import REGISTRY

from gengfu.telemetry import Figures, Telemetry


@contextmanager
def listening(health: Callable[[], dict[str, object]]) -> Iterator[Telemetry]:
    telemetry = Telemetry("127.0.0.1", 0, health)
    try:
        yield telemetry
    finally:
        telemetry.close()


@contextmanager
def registered(read: Callable[[], dict[str, float | dict[str, float]]]) -> Iterator[None]:
    figures = Figures("test", read)
    REGISTRY.register(figures)
    try:
        yield
    finally:
        REGISTRY.unregister(figures)


def get(telemetry: Telemetry, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{telemetry.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_figures_are_read_when_somebody_looks() -> None:
    count = 0.0

    def read() -> dict[str, float | dict[str, float]]:
        return {"messages_total": count, "rejected_total": {"not_json": 2.0}, "connected": 1.0}

    with registered(read), listening(lambda: {"ok": True}) as telemetry:
        count = 7.0
        status, text = get(telemetry, "/metrics")
    assert status == 200
    lines = text.splitlines()
    assert "# TYPE gengfu_test_messages_total counter" in lines
    assert "# TYPE gengfu_test_connected gauge" in lines
    assert "gengfu_test_messages_total 7.0" in lines
    assert 'gengfu_test_rejected_total{kind="not_json"} 2.0' in lines
    assert "gengfu_test_connected 1.0" in lines


def test_well_is_200_and_unwell_is_503_with_the_reason() -> None:
    state: dict[str, object] = {"ok": True, "connected": True}
    with listening(lambda: state) as telemetry:
        status, text = get(telemetry, "/healthz")
        assert (status, msgspec.json.decode(text)) == (200, state)
        state = {"ok": False, "connected": False}
        status, text = get(telemetry, "/healthz?from=probe")
        assert (status, msgspec.json.decode(text)) == (503, state)


def test_a_health_that_says_nothing_is_unwell() -> None:
    with listening(dict) as telemetry:
        assert get(telemetry, "/healthz")[0] == 503


def test_other_paths_are_404() -> None:
    with listening(lambda: {"ok": True}) as telemetry:
        assert get(telemetry, "/")[0] == 404


def test_a_client_that_says_nothing_holds_up_nobody() -> None:
    with listening(lambda: {"ok": True}) as telemetry, socket.socket() as silent:
        silent.connect(("127.0.0.1", telemetry.port))
        assert get(telemetry, "/healthz")[0] == 200


def test_a_closed_listener_gives_its_port_back() -> None:
    with listening(lambda: {"ok": True}) as telemetry:
        port = telemetry.port
    again = Telemetry("127.0.0.1", port, lambda: {"ok": True})
    assert again.port == port
    again.close()


def test_a_taken_port_costs_the_figures_and_never_the_process() -> None:
    with listening(lambda: {"ok": True}) as holder:
        second = Telemetry("127.0.0.1", holder.port, lambda: {"ok": True})
        second.close()
        assert get(holder, "/healthz")[0] == 200
