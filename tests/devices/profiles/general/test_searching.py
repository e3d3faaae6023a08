"""How much is searched of what nobody can read, counted in octets and places; and what is found in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric
from devices.profiles.compiling.compiled import Kind
from devices.profiles.general.rescuing import TrueFlags
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Reason
from devices.profiles.rescue import Rescue
from devices.profiles.searching import HEAD, LEAST, PLACES_MAX, Places, Searching, searchable
from devices.profiles.shipped import shipped_compiled
from tests.devices.profiles.describing import decode, described
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.shipping import shipped

One = TypeVar("One")


class Counted(Places):
    """Counts what was looked at."""

    __slots__ = ("looked",)

    def __init__(self) -> None:
        super().__init__()
        self.looked = 0

    def each(self, some: Iterable[One], cost: int = 1) -> Iterator[One]:
        for one in super().each(some, cost):
            self.looked += 1
            yield one


def test_a_beginning_is_searched_and_the_rest_as_long_as_the_tick_has_octets() -> None:
    searching = Searching(10 * HEAD)
    asked = [("a", 6), ("b", 6), ("c", 4), ("d", 6), ("e", 1)]
    assert [len(searching.part(b"x" * heads * HEAD, topic)) // HEAD for topic, heads in asked] == [
        6,
        1,
        4,
        1,
        1,
    ]
    assert searching.short == 2
    searching.start_tick()
    assert len(searching.part(b"x" * 6 * HEAD, "d")) == 6 * HEAD


def test_many_beginnings_at_once_are_searched_as_far_as_the_tick_has_octets_and_short_ones_always() -> None:
    searching = Searching(2 * HEAD)
    asked = [HEAD, HEAD, HEAD, LEAST]
    heard = [len(searching.part(b"x" * size, f"t/{n}")) for n, size in enumerate(asked)]
    assert heard == [HEAD, HEAD, LEAST, LEAST]
    assert searching.short == 1
    searching.start_tick()
    assert len(searching.part(b"x" * HEAD, "t/2")) == HEAD


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3 * HEAD)), max_size=60),
    st.integers(0, 20 * HEAD),
)
def test_whatever_comes_in_a_tick_no_more_than_twice_its_octets_and_the_least_of_each_are_searched(
    asked: list[tuple[str, int]], octets: int
) -> None:
    searching = Searching(octets)
    parts = [len(searching.part(b"x" * size, topic)) for topic, size in asked]
    assert sum(parts) <= 2 * octets + LEAST * len(asked)
    assert all(part >= min(size, LEAST) for part, (_, size) in zip(parts, asked, strict=True))
    assert searching.short == sum(part < size for part, (_, size) in zip(parts, asked, strict=True))


@pytest.mark.parametrize("name", ["thingsboard", "own"])
def test_a_fire_in_the_beginning_of_a_message_that_is_searched_in_part_is_heard(name: str) -> None:
    topic = {"thingsboard": "a/v1/devices/me/telemetry", "own": "gengfu/a/readings"}[name]
    key = b'"smoke"' if name == "thingsboard" else b'"smoke.alarm"'
    profile = shipped(name) if name != "own" else own()
    profile.searching = Searching(0)
    pad = b'"pad": "' + b"x" * 2 * HEAD + b'"'
    first, last = b"{%s: true, %s, \xff}" % (key, pad), b"{%s, %s: true, \xff}" % (pad, key)
    registry = Registry()
    decoded = profile.decode([topic] * 2, [first, last], registry)
    assert [one[2] for one in readings(decoded, registry)] == ["smoke.alarm"]
    assert decoded.message.tolist() == [0]
    assert [one.reason for one in decoded.rejected] == [Reason.NOT_SEARCHED] * 2
    assert profile.searching.short == 2


def own() -> OwnProfile:
    return OwnProfile()


HOSTILE: Final[dict[str, Callable[[int], bytes]]] = {
    "names": lambda n: b'"smoke:%d":{"alarm":' % n,
    "near names": lambda n: b'"smoke_%d_x":0,' % n,
    "quotes": lambda n: b'"',
    "escaped": lambda n: b'\\"smoke\\":false,',
    "flags": lambda n: b'"smoke":false,"alarm":0,',
    "nested": lambda n: b'{"smoke:0":[',
    "opened": lambda n: b'"smoke:0":{',
    "records": lambda n: b'"n":"smoke","u":"x",',
}


def kinds() -> list[Kind]:
    return [kind for one in shipped_compiled() if one.name == "shelly-gen2" for kind in one.kinds]


@pytest.mark.parametrize("shape", HOSTILE)
def test_all_kinds_that_a_message_could_be_share_the_places_that_are_looked_at(shape: str) -> None:
    payload = b"".join(HOSTILE[shape](n) for n in range(4_000))
    places = Counted()
    places.left = few = 100
    for kind in kinds():
        assert TrueFlags(kind, ()).true_flags(payload, {}, places=places) == []
    assert places.looked <= few
    assert few < PLACES_MAX


def test_what_looks_into_an_item_counts_as_several_places() -> None:
    places = Counted()
    assert len(list(places.each(range(PLACES_MAX), cost=4))) == PLACES_MAX // 4


def test_hostile_names_do_not_hide_a_fire_that_stands_before_them() -> None:
    payload = b'{"smoke:0": {"alarm": true}, ' + b"".join(HOSTILE["names"](n) for n in range(4_000))
    decoded = shipped("shelly-gen2").decode(["hall/events/rpc"], [payload], Registry())
    assert decoded.metric.tolist() == [Metric.SMOKE_ALARM]


ACME = """
name = "acme"
[[message]]
name = "all"
topics = ["acme/{id}"]
device = ["acme:{id}"]
values = { smoke = "smoke.alarm", "box.Fire" = { metric = "smoke.alarm", channel = "f", true = ["burns"] } }
[[message.group]]
each = "{key}"
name = "{key}"
names = { "*_heat" = "heat.alarm" }
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"Smoke": true', [("", "smoke.alarm")]),
        ('"SMOKE": 1', [("", "smoke.alarm")]),
        ('"fire": "BURNS"', [("f", "smoke.alarm")]),
        ('"Hall_HEAT": true', [("", "heat.alarm")]),
        ('"smoke"' + " " * 500 + ":" + "\t\r\n" * 300 + "true", [("", "smoke.alarm")]),
        ('"Smokes": true', []),
        ('"nosmoke": true', []),
        ('"smoke": false', []),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_names_in_any_case_with_any_blanks_and_in_utf_16_are_found(
    text: str, found: list[tuple[str, str]], encoding: str
) -> None:
    profile = described(ACME)
    payload = f'{{{text}, "x": oops}}'.encode(encoding)
    registry = Registry()
    decoded = decode(profile, ("acme/1", payload), registry=registry)
    assert [(channel, metric) for _, channel, metric, _, _ in readings(decoded, registry)] == found
    assert len(decoded.rejected) == 1


def test_a_message_in_utf_16_is_not_read_but_its_fire_is_heard() -> None:
    said = json.dumps({"values": {"smoke.alarm": True, "temperature": 20}}).encode("utf-16")
    decoded = own().decode(["gengfu/a/readings"], [said], Registry())
    assert decoded.metric.tolist() == [Metric.SMOKE_ALARM]


@given(
    key=st.sampled_from(["smoke", "Smoke", "sMOKE"]),
    before=st.text(" \t\r\n\0", max_size=60),
    after=st.text(" \t\r\n\0", max_size=60),
    rest=st.binary(max_size=20),
)
def test_blanks_are_no_matter(key: str, before: str, after: str, rest: bytes) -> None:
    payload = f'{{"{key}"{before}:{after}true,'.encode() + rest
    assert Rescue(["smoke"]).true_flags(payload) == {"smoke": True}


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: text.encode("utf-16")))
def test_any_octets_are_made_ready_without_an_exception(payload: bytes) -> None:
    assert len(searchable(payload)) <= 2 * len(payload)
