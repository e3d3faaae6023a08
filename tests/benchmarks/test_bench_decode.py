"""The bench of decoding: what it measures is read by form, and its messages keep their form."""

from __future__ import annotations

import random

import pytest

from benchmarks.bench_decode import _first_us, describe, run_bench
from benchmarks.errors import CannotMeasure
from benchmarks.spoken import DEVICES, FIRST, Spoken, varied
from benchmarks.watch_cost import watch_figures
from devices.profiles.checking.vectors import Anybody
from devices.profiles.own.own_profile import OwnProfile


def test_a_run_says_what_a_message_costs_by_profile() -> None:
    figures = run_bench(["own"])
    assert figures.points_per_message == {"own": 4.0}
    assert 0 < figures.us_per_message["own"] < figures.general_us_per_message["own"]
    assert figures.first_us_per_message["own"] > 0
    assert [one.fast for one in figures.vectors["own"]] == [1.0, 1.0]
    assert "own" in describe(figures)


def test_a_profile_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CannotMeasure, match="no profile nonsense"):
        run_bench(["nonsense"])


def test_numbers_vary_with_as_many_digits_and_nothing_else_does() -> None:
    payload = b'{"a1":[10.50,-3.25],"t":"10.5","flag":true,"n":1000,"z":0}'
    other = varied(payload, random.Random(3))
    assert other != payload
    assert other.startswith(b'{"a1":[10.')
    assert other.endswith(b',"z":0}')
    assert b'"t":"10.5","flag":true' in other


def test_newcomers_are_devices_that_nobody_has_heard() -> None:
    spoken = Spoken("one", (), "a/0011aabbccdd/x", b'{"id":"0011AABBCCDD","v":5}', "0011aabbccdd")
    topics = [*spoken.messages(2 * DEVICES, seed=1)[0], *spoken.newcomers(0)[0], *spoken.newcomers(1)[0]]
    assert len(set(topics)) == DEVICES + 2 * FIRST


def test_what_names_no_device_has_no_first_message() -> None:
    spoken = Spoken("one", (), "a/x", b'{"v":5}', "")
    assert _first_us(OwnProfile(), spoken, Anybody()) is None


def test_the_watch_for_names_of_fires_is_measured_where_something_is_passed_over() -> None:
    topic = "zigbee2mqtt/0x00158d0000000001"
    smoke = Spoken("smoke", (), topic, b'{"smoke":false,"battery":87,"x":1}', "0x00158d0000000001")
    whole = Spoken("all is read", (), "gengfu/flat/readings", b'{"values":{"smoke.alarm":false}}', "flat")
    found = watch_figures([("zigbee2mqtt", smoke), ("own", whole)], messages=40, rounds=1)
    assert [(name, one.vectors) for name, one in found.items()] == [("with_a_usual_name", 1)]
    assert all(one.us_per_message > 0 < one.unwatched_us_per_message for one in found.values())
