"""What a connection is subscribed to: refused filters are asked for again, and old ones are let go of when
all new are granted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest import wire
from tests.ingest.packets import (
    CONNACK,
    PONG,
    SUBACK,
    SUBACK_BOTH,
    SUBACK_HALF,
    SUBACK_REFUSED,
    UNSUBACK,
    encode_publish,
)
from tests.ingest.sourcing import Scripted, connect, payloads, poll_until, running, settings_for, take


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    found = Scripted()
    yield found
    found.close()


def asked(scripted: Scripted, least: int) -> bytes:
    """What the broker has been sent, so many bytes at least."""
    data = b""
    while len(data) < least:
        data += scripted.peer.recv(65_536)
    return data


def test_a_refused_filter_is_asked_for_again_and_the_others_go_on(scripted: Scripted) -> None:
    ahead_s = [0.0]
    settings = replace(settings_for(scripted.port), filters=("a/#", "b/#"))
    with running(settings, lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK_HALF, encode_publish("a/1", b"x"))
        assert payloads(take(source, 1)) == [b"x"]
        assert not source.counters.connected
        scripted.peer.recv(4096)
        ahead_s[0] += 11.0
        source.poll(0.0)
        again = scripted.peer.recv(4096)
        assert b"b/#" in again
        assert b"a/#" not in again
        scripted.peer.sendall(SUBACK)
        connect(source)


def test_old_filters_go_when_new_ones_are_granted_and_not_before(scripted: Scripted) -> None:
    with running(settings_for(scripted.port)) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        asked(scripted, 20)
        assert source.held == ("gengfu/#",)
        source.want(("a/#", "b/#"))
        new = wire.subscribe(1, ["a/#", "b/#"])
        assert asked(scripted, len(new)) == new
        assert set(source.held) == {"a/#", "b/#", "gengfu/#"}
        assert not source.counters.connected
        scripted.peer.sendall(SUBACK_BOTH)
        poll_until(source, lambda: source.counters.connected)
        gone = wire.unsubscribe(1, ["gengfu/#"])
        assert asked(scripted, len(gone)) == gone
        assert "gengfu/#" in source.held
        scripted.peer.sendall(UNSUBACK)
        poll_until(source, lambda: source.held == ("a/#", "b/#"))


def test_a_refused_filter_keeps_the_old_ones_in_place(scripted: Scripted) -> None:
    with running(settings_for(scripted.port)) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        asked(scripted, 20)
        source.want(("a/#",))
        new = wire.subscribe(1, ["a/#"])
        assert asked(scripted, len(new)) == new
        scripted.peer.sendall(SUBACK_REFUSED + PONG)
        for _ in range(20):
            source.poll(0.01)
        assert not source.counters.connected
        assert set(source.held) == {"a/#", "gengfu/#"}
        source.want(("gengfu/#",))  # taken back
        scripted.peer.sendall(SUBACK)
        poll_until(source, lambda: source.counters.connected)
        gone = wire.unsubscribe(1, ["a/#"])
        sent = asked(scripted, len(gone))
        while gone not in sent:
            sent += asked(scripted, 1)
        assert not any(wire.unsubscribe(n, ["gengfu/#"]) in sent for n in (1, 2, 3))


def test_a_connection_after_the_change_asks_for_the_new_and_frees_the_session_of_the_old(
    scripted: Scripted,
) -> None:
    with running(settings_for(scripted.port)) as source:
        source.want(("a/#",))
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        sent = asked(scripted, 60)
        assert wire.subscribe(1, ["a/#"]) in sent
        assert sent.endswith(wire.unsubscribe(1, ["gengfu/#"]))
