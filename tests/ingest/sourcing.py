"""What tests of the source share: running one, polling it with patience, and a broker that obeys a script."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest.mqtt_source import MqttSource
from ingest.source import RawBatch
from ingest.source_settings import SourceSettings

TOPIC = "gengfu/v1/d1/readings"
PATIENCE_S = 20.0


def settings_for(port: int) -> SourceSettings:
    return SourceSettings("127.0.0.1", port, "ingest", ("gengfu/#",), keep_alive_s=30)


@contextmanager
def running(
    settings: SourceSettings,
    monotonic: Callable[[], float] = time.monotonic,
    *,
    resumes: bool = False,
    jitter: float = 0.5,
) -> Iterator[MqttSource]:
    source = MqttSource(
        settings,
        now_us=lambda: time.time_ns() // 1000,
        resumes=resumes,
        monotonic=monotonic,
        jitter=lambda: jitter,
    )
    try:
        yield source
    finally:
        source.close()


def poll_until(source: MqttSource, done: Callable[[], bool]) -> list[RawBatch]:
    """Polls without committing until `done`; what came."""
    got, until = [], time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until, source.counters
        raw = source.poll(0.02)
        if raw:
            got.append(raw)
    return got


def connect(source: MqttSource) -> list[RawBatch]:
    return poll_until(source, lambda: source.counters.connected)


def take(source: MqttSource, count: int) -> list[RawBatch]:
    """Polls and commits until `count` messages came."""
    got: list[RawBatch] = []
    until = time.monotonic() + PATIENCE_S
    while sum(map(len, got)) < count:
        assert time.monotonic() < until, source.counters
        raw = source.poll(0.02)
        if raw:
            source.commit(raw)
            got.append(raw)
    return got


def payloads(batches: list[RawBatch]) -> list[bytes]:
    return [payload for raw in batches for payload in raw.payloads]


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % i for i in range(start, start + count)]


class Scripted:
    """A broker of our own for what mosquitto does not do: says what a test tells it to."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.peers: list[socket.socket] = []

    @property
    def peer(self) -> socket.socket:
        return self.peers[-1]

    def accept(self, source: MqttSource, *answers: bytes) -> None:
        """Takes the next connection and sends `answers` at once."""
        self.listener.settimeout(0.02)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            source.poll(0.01)
            try:
                self.peers.append(self.listener.accept()[0])
            except TimeoutError:
                continue
            self.peer.settimeout(PATIENCE_S)
            self.peer.sendall(b"".join(answers))
            return
        raise AssertionError("nobody came")

    def called(self) -> bool:
        """Whether somebody tries to connect now."""
        return bool(select.select([self.listener], [], [], 0)[0])

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.listener.close()
