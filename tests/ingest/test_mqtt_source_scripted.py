"""The source against a broker that does what mosquitto does not, as a script says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ingest.redelivery import Tail
from tests.ingest.packets import (
    CONNACK,
    CONNACK_PRESENT,
    PONG,
    SUBACK,
    TAKEN_OVER,
    encode_publish,
)
from tests.ingest.sourcing import (
    PATIENCE_S,
    TOPIC,
    Scripted,
    connect,
    payloads,
    poll_until,
    running,
    settings_for,
    take,
)

ENOUGH = 1 << 16
"""Bytes of acknowledgements that may wait in these tests."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    broker = Scripted()
    yield broker
    broker.close()


def test_a_broker_that_names_the_takeover_is_left_alone_for_half_a_minute(scripted: Scripted) -> None:
    ahead_s = [0.0]
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        with capture_logs() as lines:
            scripted.accept(source, CONNACK, SUBACK, TAKEN_OVER)
            poll_until(source, lambda: "session_taken_over" in [line["event"] for line in lines])
        ahead_s[0] += 29.0
        for _ in range(20):
            source.poll(0.01)
        assert not scripted.called()
        ahead_s[0] += 2.0
        scripted.accept(source, CONNACK_PRESENT, SUBACK)
        poll_until(source, lambda: source.counters.connects == 2)


def test_acknowledgements_leave_joined_and_in_order(scripted: Scripted) -> None:
    with running(settings_for(scripted.port)) as source:
        publishes = [encode_publish(TOPIC, b"x", packet_id=i) for i in range(1, 4)]
        scripted.accept(source, CONNACK, SUBACK, *publishes, encode_publish(TOPIC, b"y", qos=0))
        raw = poll_until(source, lambda: source.counters.received == 4)
        source.commit(raw[0])
        sent = b""
        while b"\x40" not in sent:
            sent = scripted.peer.recv(4096)
        assert b"\x40\x02\x00\x01\x40\x02\x00\x02\x40\x02\x00\x03" in sent


def test_what_came_before_malformed_bytes_is_given_and_the_connection_made_anew(scripted: Scripted) -> None:
    with running(settings_for(scripted.port)) as source:
        scripted.accept(source, CONNACK, SUBACK, encode_publish(TOPIC, b"x", qos=0), b"\x00\x00")
        assert payloads(poll_until(source, lambda: source.counters.malformed == 1)) == [b"x"]
        scripted.accept(source, CONNACK_PRESENT, SUBACK)
        connect(source)
        assert source.counters.connects == 2


def test_a_batch_in_which_the_backlog_ends_is_still_queued(scripted: Scripted) -> None:
    with running(settings_for(scripted.port)) as source:
        scripted.accept(source, CONNACK_PRESENT, SUBACK)
        connect(source)
        source.poll(0.0)  # asks for the PINGRESP
        scripted.peer.sendall(encode_publish(TOPIC, b"held") + PONG)
        assert [raw.queued for raw in take(source, 1)] == [True]
        scripted.peer.sendall(encode_publish(TOPIC, b"live"))
        assert [raw.queued for raw in take(source, 1)] == [False]


def test_silence_proves_nothing_while_enough_is_uncommitted_and_we_do_not_listen(scripted: Scripted) -> None:
    ahead_s = [0.0]
    settings = replace(settings_for(scripted.port), receive_maximum=1)
    with running(settings, lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK, encode_publish(TOPIC, b"x"))
        poll_until(source, lambda: source.counters.received == 1)
        for _ in range(10):
            ahead_s[0] += 40.0
            assert source.poll(0.0) is None
        assert source.counters.connected


def test_a_caller_who_was_busy_for_long_still_gets_what_waits_in_the_socket(scripted: Scripted) -> None:
    ahead_s = [0.0]
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        scripted.peer.sendall(encode_publish(TOPIC, b"x"))
        ahead_s[0] += 1000.0
        assert payloads(take(source, 1)) == [b"x"]
        assert source.counters.connected


def test_what_waited_while_nobody_looked_is_queued_until_a_round_is_through(scripted: Scripted) -> None:
    ahead_s = [0.0]
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        scripted.peer.sendall(encode_publish(TOPIC, b"fresh"))
        assert [raw.queued for raw in take(source, 1)] == [False]
        scripted.peer.sendall(encode_publish(TOPIC, b"smoke"))
        ahead_s[0] += 2.1
        assert [raw.queued for raw in take(source, 1)] == [True]
        source.poll(0.0)
        scripted.peer.sendall(encode_publish(TOPIC, b"held by the broker") + PONG)
        assert [raw.queued for raw in take(source, 1)] == [True]
        scripted.peer.sendall(encode_publish(TOPIC, b"live"))
        assert [raw.queued for raw in take(source, 1)] == [False]


def test_a_process_stopped_while_it_waits_for_messages_notices_when_it_goes_on(scripted: Scripted) -> None:
    ahead_s = [0.0]

    def stop_and_go_on() -> None:
        ahead_s[0] += 62.0
        scripted.peer.sendall(encode_publish(TOPIC, b"smoke"))

    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        timer = threading.Timer(0.05, stop_and_go_on)
        timer.start()
        raw = source.poll(PATIENCE_S)
        timer.join()
        assert raw is not None
        assert (raw.payloads, raw.queued) == ([b"smoke"], True)


def test_a_session_lost_while_no_process_ran_is_counted_and_said(scripted: Scripted) -> None:
    for resumes, answer, lost in ((False, CONNACK, 0), (True, CONNACK_PRESENT, 0), (True, CONNACK, 1)):
        with running(settings_for(scripted.port), resumes=resumes) as source, capture_logs() as lines:
            scripted.accept(source, answer, SUBACK)
            connect(source)
            assert source.counters.sessions_lost == lost
        assert [line["event"] for line in lines].count("broker_forgot_session") == lost


def receive_pings(scripted: Scripted, count: int) -> int:
    """Reads until so many PINGREQs came; how many came."""
    data = b""
    while data.count(b"\xc0\x00") < count:
        data += scripted.peer.recv(4096)
    return data.count(b"\xc0\x00")


def test_while_a_batch_waits_the_connection_is_tended_and_nothing_is_read(scripted: Scripted) -> None:
    ahead_s = [0.0]
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK, encode_publish(TOPIC, b"x"))
        (raw,) = poll_until(source, lambda: source.counters.received == 1)
        scripted.peer.sendall(encode_publish(TOPIC, b"y", packet_id=2))
        for _ in range(4):  # two minutes, each quarter asked twice
            ahead_s[0] += 16.0
            source.tend()
            source.tend()
        assert receive_pings(scripted, 4) == 4
        assert source.counters.received == 1
        source.commit(raw)
        scripted.peer.sendall(4 * PONG)  # answers from before the acknowledgement prove nothing
        assert [more.queued for more in take(source, 1)] == [True]
        ahead_s[0] += 1.1
        source.poll(0.0)
        receive_pings(scripted, 1)
        assert source.progress.confirmed == 0
        scripted.peer.sendall(PONG)
        poll_until(source, lambda: source.progress.confirmed == 2)


def test_a_connection_lost_while_a_batch_waits_loses_and_doubles_nothing(scripted: Scripted) -> None:
    ahead_s, tail = [0.0], Tail()
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK, encode_publish(TOPIC, b"x"))
        (raw,) = poll_until(source, lambda: source.counters.received == 1)
        split = tail.split(raw, source.progress)
        scripted.peer.close()
        for _ in range(3):
            ahead_s[0] += 16.0
            source.tend()
        source.commit(raw)  # of a connection that is over
        tail.settle(split, source.progress)
        again = [encode_publish(TOPIC, b"x", dup=True), encode_publish(TOPIC, b"y", packet_id=2)]
        scripted.accept(source, CONNACK_PRESENT, SUBACK, *again)
        (raw,) = poll_until(source, lambda: source.counters.received == 3)
        assert tail.split(raw, source.progress).keep.tolist() == [False, True]
        assert raw.queued


def test_a_broker_that_only_sends_does_not_fill_our_memory_with_acknowledgements(scripted: Scripted) -> None:
    settings = replace(settings_for(scripted.port), receive_maximum=10, unsent_max=ENOUGH)
    publish = b"".join(encode_publish("t", b"", packet_id=i) for i in range(1, 20_001))
    ahead_s = [0.0]
    with (
        running(settings, lambda: time.monotonic() + ahead_s[0]) as source,
        capture_logs() as lines,
    ):
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        with flooding(scripted.peer, publish):
            stands = [0, 0.0]
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until:
                raw = source.poll(0.01)
                if raw:
                    source.commit(raw)
                    stands = [source.counters.acked, time.monotonic()]
                elif stands[0] * 4 > ENOUGH and time.monotonic() - stands[1] > 0.5:
                    break
            assert source.counters.connected
            assert source.counters.acked * 4 < ENOUGH + (32 << 20)  # what the sockets hold, and one read
            ahead_s[0] += 46.0  # longer than 1.5 keep-alives
            source.poll(0.01)
    [line] = [line for line in lines if line["event"] == "broker_lost"]
    assert "does not read what we answer" in line["reason"]


def test_a_broker_that_takes_acknowledgements_again_is_read_again(scripted: Scripted) -> None:
    settings = replace(settings_for(scripted.port), receive_maximum=10, unsent_max=ENOUGH)
    publish = b"".join(encode_publish("t", b"", packet_id=i) for i in range(1, 20_001))
    with running(settings) as source:
        scripted.accept(source, CONNACK, SUBACK)
        connect(source)
        with flooding(scripted.peer, publish):
            last = time.monotonic()
            while time.monotonic() - last < 0.5:
                raw = source.poll(0.01)
                if raw:
                    source.commit(raw)
                    last = time.monotonic()
            stood, until = source.counters.received, time.monotonic() + PATIENCE_S
            while source.counters.received == stood:
                assert time.monotonic() < until
                scripted.peer.recv(1 << 20)
                raw = source.poll(0.01)
                if raw:
                    source.commit(raw)
        assert source.counters.connects == 1


@contextlib.contextmanager
def flooding(peer: socket.socket, data: bytes) -> Iterator[None]:
    """Sends `data` again and again, as fast as it is taken."""
    over = threading.Event()

    def flood() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                peer.sendall(data)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        over.set()
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)
        thread.join()
