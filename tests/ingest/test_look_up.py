"""One look-up of a broker at a time, whatever the system's resolver does."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ingest.link import Address, LinkLost
from ingest.look_up import LookUp
from ingest.mqtt_source import MqttSource
from tests.ingest.packets import CONNACK, SUBACK
from tests.ingest.sourcing import Scripted, connect, settings_for


class Resolver:
    """Hangs until `answer` is set; counts how often it is asked."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        self.answer.wait()
        return [(socket.AF_INET, ("127.0.0.1", port))]


def test_a_look_up_that_hangs_is_waited_for_by_every_later_try() -> None:
    broker, resolver = Scripted(), Resolver()
    ahead_s = itertools.count(0.0, 7.0)
    source = MqttSource(
        replace(settings_for(broker.port), host="broker.example"),
        now_us=lambda: time.time_ns() // 1000,
        monotonic=lambda: next(ahead_s),
        jitter=lambda: 0.0,
        resolve=resolver,
    )
    with capture_logs() as logs:
        for _ in range(200):
            source.poll(0.0)
    lost = [one for one in logs if one["event"] == "broker_lost"]
    assert len(lost) > 10, "each try is given up in time"
    assert {one["reason"] for one in lost} == {"look-up takes too long"}
    assert resolver.asked == 1
    resolver.answer.set()
    source.close()
    broker.close()


def test_what_a_slow_look_up_finds_is_used_by_the_try_that_waits_for_it_then() -> None:
    broker, resolver = Scripted(), Resolver()
    ahead_s = [0.0]
    source = MqttSource(
        replace(settings_for(broker.port), host="broker.example"),
        now_us=lambda: time.time_ns() // 1000,
        monotonic=lambda: time.monotonic() + ahead_s[0],
        jitter=lambda: 0.0,
        resolve=resolver,
    )
    with capture_logs():
        source.poll(0.0)
        ahead_s[0] += 60.0
        source.poll(0.0)
        ahead_s[0] += 60.0
        source.poll(0.0)
        resolver.answer.set()
        broker.accept(source, CONNACK, SUBACK)
        connect(source)
    assert resolver.asked == 1
    source.close()
    broker.close()


def test_each_look_up_is_a_new_one_when_the_last_is_done() -> None:
    resolver = Resolver()
    resolver.answer.set()
    look_up = LookUp("broker.example", 1, resolve=resolver)
    for asked in (1, 2):
        look_up.begin()
        until = time.monotonic() + 20
        while "resolve" in [one.name for one in threading.enumerate()]:
            assert time.monotonic() < until
            time.sleep(0.001)
        assert look_up.found is not None
        assert resolver.asked == asked


def test_a_machine_without_room_for_a_thread_costs_one_try() -> None:
    usual = threading.stack_size(1 << 47)  # more than an address space has: no thread can be started
    try:
        with pytest.raises(LinkLost, match=r"cannot look up broker\.example: can.t start new thread"):
            LookUp("broker.example", 1).begin()
    finally:
        threading.stack_size(usual)
