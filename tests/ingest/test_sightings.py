"""Whoever is heard and not registered is sighted, with all that it was heard to measure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from devices.database import open_database
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import STRANGERS_A_TICK, Profile
from ingest.decoding import DecodedTick, Decoder
from ingest.sightings import METRICS_KEY, Sighting
from tests.devices.profiles.describing import described
from tests.ingest.test_series import index_of


@pytest.fixture
def registry(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


ACME = """
name = "acme"
[[message]]
name = "all"
topics = ["acme/{id}"]
device = ["acme:{id}"]
[message.values]
v = "voltage"
a = "current"
[[message.group]]
each = "below.{id}"
device = ["below:{id}"]
values.smoke = "smoke.alarm"
"""


def heard(engine: Engine, profile: Profile, *messages: tuple[str, Any]) -> list[DecodedTick]:
    decoder = Decoder([profile], index_of(engine), max_payload_bytes=10_000)
    return [decoder.decode([topic], [json.dumps(said).encode()]) for topic, said in messages]


def metrics(tick: DecodedTick) -> dict[str, str]:
    return {one.uid: one.text for one in tick.asides.said if one.key == METRICS_KEY}


def test_a_stranger_without_an_alarm_is_sighted_with_what_it_measures(registry: Engine) -> None:
    first, second = heard(registry, described(ACME), ("acme/1", {"v": 230}), ("acme/1", {"a": 5}))
    assert first.sightings == [Sighting("acme:1", "acme/1", "acme")]
    assert metrics(first) == {"acme:1": "voltage"}
    assert metrics(second) == {"acme:1": "current, voltage"}


def test_each_device_below_a_gateway_is_sighted(registry: Engine) -> None:
    [tick] = heard(
        registry, described(ACME), ("acme/1", {"below": {"a": {"smoke": False}, "b": {"smoke": True}}})
    )
    assert {(one.uid, one.topic) for one in tick.sightings} == {("below:a", "acme/1"), ("below:b", "acme/1")}


def test_our_own_format_is_sighted_too(registry: Engine) -> None:
    [tick] = heard(registry, OwnProfile(), ("gengfu/new/readings", {"values": {"temperature": 20}}))
    assert tick.sightings == [Sighting("own:new", "gengfu/new/readings", "own")]
    assert metrics(tick) == {"own:new": "temperature"}


@pytest.mark.parametrize("profile", [OwnProfile(), described(ACME)])
def test_a_flood_of_strangers_is_bounded(registry: Engine, profile: Profile) -> None:
    decoder = Decoder([profile], index_of(registry), max_payload_bytes=10_000)
    own = profile.name == "own"
    topics = [f"gengfu/n{n}/readings" if own else f"acme/{n}" for n in range(2 * STRANGERS_A_TICK)]
    said = {"values": {"temperature": 1}} if own else {"v": 1}
    tick = decoder.decode(topics, [json.dumps(said).encode()] * len(topics))
    assert len(tick.sightings) == STRANGERS_A_TICK
