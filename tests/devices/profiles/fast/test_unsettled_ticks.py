"""A tick in which names change, devices come and go and values are said means the same read by form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import TICKS_BETWEEN, WORTH_A_FORM, FastWay
from devices.profiles.general.unsettling import Unsettling
from devices.profiles.profile import Decoded
from devices.profiles.shipped import shipped_compiled
from tests.devices.profiles.listening import Registry, readings

NAMES = "a", "b", "c"
BASE = "zigbee2mqtt"
Message = tuple[str, bytes]


def made(*, fast: bool) -> DescribedProfile:
    (compiled,) = (one for one in shipped_compiled() if one.name == BASE)
    profile = DescribedProfile(compiled, [])
    if not fast:
        profile.fast = None
    return profile


def listed(names: tuple[str, ...] | list[str]) -> Message:
    """The list of devices: each has the name of its place."""
    devices = [{"friendly_name": name, "ieee_address": f"0x{n + 1:016x}"} for n, name in enumerate(names)]
    return f"{BASE}/bridge/devices", json.dumps(devices).encode()


def state(name: str, *, smoke: bool, battery: int) -> Message:
    return f"{BASE}/{name}", json.dumps({"smoke": smoke, "battery": battery}).encode()


class Two:
    """The same ticks to a profile with the fast way and to one without."""

    def __init__(self, unknown: set[str]) -> None:
        self.fast, self.general = made(fast=True), made(fast=False)
        self.of_fast, self.of_general = Registry(set(unknown)), Registry(set(unknown))

    @property
    def way(self) -> FastWay:
        assert isinstance(self.fast.fast, FastWay)
        return self.fast.fast

    def hear(self, *messages: Message) -> Decoded:
        topics, payloads = [topic for topic, _ in messages], [payload for _, payload in messages]
        by_form = self.fast.decode(topics, payloads, self.of_fast)
        judged = self.general.decode(topics, payloads, self.of_general)
        assert everything(by_form, self.of_fast) == everything(judged, self.of_general)
        assert self.way.declined == 0
        return by_form

    def learn(self) -> None:
        """Names, and the form of a state of each device."""
        self.hear(listed(NAMES))
        for name in NAMES:
            self.hear((f"{BASE}/{name}/availability", b"online"))
        for battery in range(3):
            for name in NAMES:
                self.hear(*[state(name, smoke=False, battery=battery)] * WORTH_A_FORM)
            for _ in range(TICKS_BETWEEN):
                self.hear()
        assert len(self.way)

    def left(self, *messages: Message) -> int:
        """How many of the messages the fast way leaves to the general way."""
        sources = self.fast._sources
        topics, payloads = [topic for topic, _ in messages], [payload for _, payload in messages]
        rest = self.fast._taken(sources.recall(topics), topics, payloads, self.of_fast)[1]
        sources.end_tick()
        return len(rest)


def everything(decoded: Decoded, registry: Registry) -> Any:
    rows = zip(decoded.message.tolist(), readings(decoded, registry), strict=True)
    strangers = [(one.message, one.uid, one.metric, one.value) for one in decoded.strangers]
    asides = set(decoded.asides.said), set(decoded.asides.notes)
    return sorted(rows, key=repr), decoded.rejected, strangers, asides


def test_what_is_said_behind_a_change_of_names_is_the_new_ones() -> None:
    two = Two(set())
    two.learn()
    before, behind = state("a", smoke=False, battery=7), state("a", smoke=True, battery=8)
    decoded = two.hear(before, listed(["b", "a", "c"]), behind)
    fires = [
        uid
        for uid, _, metric, value, _ in readings(decoded, two.of_fast)
        if metric == "smoke.alarm" and value
    ]
    assert fires == ["zigbee:0000000000000002"]


def test_what_is_said_before_a_change_of_names_is_read_by_form_and_so_is_the_usual_tick() -> None:
    two = Two(set())
    two.learn()
    plain = [state(name, smoke=False, battery=9) for name in NAMES]
    assert two.left(*plain) == 0
    assert two.left(*plain, listed(NAMES)) == 1
    assert two.left(plain[0], listed(NAMES), *plain[1:]) == 3


def test_a_list_on_a_topic_that_is_remembered_unsettles_too() -> None:
    profile = made(fast=True)
    unsettling = Unsettling(profile.compiled.kinds)
    topics = [f"{BASE}/a", f"{BASE}/bridge/devices", f"{BASE}/b"]
    for _ in range(2):
        assert unsettling.first(np.array([0, 1, 2], np.int32), topics, profile.candidates) == 1
    assert unsettling.first(np.array([0, 2], np.int32), topics[::2], profile.candidates) == 2
    assert unsettling.first(np.array([2], np.int32), topics[1:2], profile.candidates) == 1, (
        "2 was never heard"
    )


def test_a_number_that_stands_for_another_topic_is_looked_at_anew() -> None:
    profile = made(fast=True)
    unsettling = Unsettling(profile.compiled.kinds)
    seven, calm, names = np.array([7], np.int32), [f"{BASE}/a"], [f"{BASE}/bridge/devices"]
    for forgotten in ([7], None):
        assert unsettling.first(seven, calm, profile.candidates) == 1
        unsettling.forget(forgotten)
        assert unsettling.first(seven, names, profile.candidates) == 0


def test_a_profile_that_learns_no_names_asks_nothing() -> None:
    (compiled,) = (one for one in shipped_compiled() if one.name == "milesight")

    def never(topic: str) -> Any:
        raise AssertionError(topic)

    assert Unsettling(compiled.kinds).first(np.array([-1, 3], np.int32), ["x", "y"], never) == 2


names = st.sampled_from(NAMES)
messages = st.one_of(
    st.builds(state, names, smoke=st.booleans(), battery=st.integers(0, 100)),
    st.permutations(NAMES).map(listed),
    st.lists(st.sampled_from([*NAMES, "d"]), max_size=3).map(listed),
    st.tuples(
        names.map(lambda name: f"{BASE}/{name}/availability"), st.sampled_from([b"online", b"offline", b"?"])
    ),
    st.tuples(st.just(f"{BASE}/bridge/state"), st.sampled_from([b"online", b"offline"])),
    st.tuples(names.map(lambda name: f"{BASE}/{name}/smoke"), st.sampled_from([b"true", b"false"])),
    st.tuples(names.map(lambda name: f"{BASE}/{name}"), st.just(b'{"smoke": tr')),
)
strangers = st.sets(
    st.sampled_from([f"topic:{BASE}/bridge", *(f"zigbee:{n:016x}" for n in (2, 3))]), max_size=2
)


@settings(max_examples=15, deadline=None)  # each learns at length, so few of them with many ticks
@given(strangers, st.lists(st.lists(messages, max_size=8), min_size=6, max_size=16))
def test_whatever_a_tick_mixes_it_means_what_the_general_way_says(
    unknown: set[str], ticks: list[list[Message]]
) -> None:
    two = Two(unknown)
    two.learn()
    for tick in ticks:
        two.hear(*tick)


KEYS = "battery", "linkquality", "voltage", "temperature", "tamper"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_small_ticks_of_devices_with_several_sets_of_keys_lose_nobody_s_fire(data: st.DataObject) -> None:
    """In a tick in which no message has its own device's first form, each is tried with others' in turn."""
    two, sets = Two(set()), [(), *((key,) for key in KEYS), KEYS[:2]]
    for n, keys in enumerate(data.draw(st.permutations(sets))):
        said = {"smoke": False, **dict.fromkeys(keys, 60)}
        message = (f"{BASE}/{NAMES[n % 3]}", json.dumps(said).encode())
        two.hear(*[message] * WORTH_A_FORM)
        for _ in range(TICKS_BETWEEN):
            two.hear()
        two.hear(message)
    for _ in range(12):
        names = data.draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4))
        ticks = [
            (
                f"{BASE}/{name}",
                json.dumps({"smoke": data.draw(st.booleans()), **dict.fromkeys(keys, 60)}).encode(),
            )
            for name, keys in ((name, data.draw(st.sampled_from(sets))) for name in names)
        ]
        two.hear(*ticks)
