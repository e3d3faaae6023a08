"""A device that is heard for the first time with a known form means and says what the general way would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.language.load import load_profile
from tests.devices.profiles.fast.both_ways import Both
from tests.devices.profiles.fast.test_unsettled_ticks import BASE, NAMES, Message, Two, listed, state

NEW = [f"0x{n:016x}" for n in range(0xA0, 0xA6)]

FILE = """
name = "made-up"
max_silence = "2h"

[[message]]
name = "data"
topics = ["{house}/{id}/data", "{house}/{id}/of/{part}"]
device = ["m:{.serial}", "m:{house}:{id}"]
parent = "gateway:{house}"
about = { model = "{.model}", label = "{id}" }

[message.values]
smoke = "smoke.alarm"
temperature = { metric = "temperature", channel = "{part}" }
percent = "battery.pct"

[[message]]
name = "there"
topics = ["{house}/{id}/there"]
format = "text"
device = ["m:{house}:{id}"]
presence = { online = ["on"], offline = ["off"] }

[[message]]
name = "gateway"
topics = ["{house}/there"]
format = "text"
device = ["gateway:{house}"]
presence = { online = ["on"], offline = ["off"], children = true }

[[message]]
name = "single"
topics = ["{house}/{id}/one/{what}"]
format = "text"
device = ["m:{house}:{id}"]

[[message.group]]
name = "{what}"
names = { humidity = "humidity", smoke = "smoke.alarm" }
"""


def profile(*, fast: bool) -> DescribedProfile:
    file = load_profile(FILE, file="made-up.toml", known={})
    made = DescribedProfile(compile_profile(file, site_tz="Asia/Shanghai", codecs=CODECS), [])
    if not fast:
        made.fast = None
    return made


class Houses(Both):
    """Both ways; what is said besides readings must be the same too."""

    def __init__(self, unknown: set[str] | None = None) -> None:
        super().__init__(profile(fast=True), profile(fast=False))
        self.of_fast.unknown, self.of_general.unknown = set(unknown or ()), set(unknown or ())

    def hear(self, *messages: tuple[str, Any]) -> Any:
        decoded = super().hear(*messages)
        assert self.way.declined == 0
        return decoded

    def check(self, *messages: tuple[str, bytes]) -> None:
        """As `hear`, with all that is said besides."""
        topics, payloads = [topic for topic, _ in messages], [payload for _, payload in messages]
        quick = self.fast.decode(topics, payloads, self.of_fast)
        judged = self.general.decode(topics, payloads, self.of_general)
        assert set(quick.asides.said) == set(judged.asides.said)
        assert set(quick.asides.notes) == set(judged.asides.notes)
        assert quick.rejected == judged.rejected
        lines = (
            sorted(
                (message, *registry.places[row], metric, value.hex(), quality)
                for message, row, metric, value, quality in zip(
                    *(one.tolist() for one in (of.message, of.row, of.metric, of.value, of.quality)),
                    strict=True,
                )
            )
            for of, registry in ((quick, self.of_fast), (judged, self.of_general))
        )
        assert next(lines) == next(lines)
        assert self.way.declined == 0

    def new(self, *messages: tuple[str, bytes]) -> int:
        """How many of these messages are left to the general way; new topics stay new."""
        topics, payloads = [topic for topic, _ in messages], [payload for _, payload in messages]
        remembered = self.fast.recall(topics)
        rest = self.fast._taken(remembered, topics, payloads, self.of_fast)[1]
        self.fast._sources.end_tick()
        met = [topic for topic, number in zip(topics, remembered.tolist(), strict=True) if number < 0]
        self.fast._forget([self.fast._sources.forget(topic) for topic in met])
        return len(rest)


def states(names: list[str], battery: int = 50, *, smoke: bool = False) -> list[Message]:
    return [state(name, smoke=smoke, battery=battery) for name in names]


def test_the_first_message_of_a_new_topic_is_read_by_a_form_that_others_have() -> None:
    two = Two(set())
    two.learn()
    assert two.left(*states(NEW[:3])) == 0
    two.hear(*states(NEW[3:], smoke=True))
    assert two.left(*states(NEW[3:])) == 0
    two.hear(*states(NEW[3:], battery=7))


def test_what_is_said_once_of_a_device_is_said_at_its_first_message() -> None:
    two = Two(set())
    two.learn()
    decoded = two.hear(*states(NEW[:1]))
    said = {(one.key, one.text) for one in decoded.asides.said if one.uid == "zigbee:00000000000000a0"}
    assert said == {("max_silence", "90000"), ("parent", f"topic:{BASE}/bridge")}


def test_a_strangers_first_message_is_refused_its_fire_heard_and_its_topic_forgotten() -> None:
    two = Two({"zigbee:00000000000000a0"})
    two.learn()
    before = len(two.fast._sources)
    for _ in range(2):
        decoded = two.hear(*states(NEW[:1], smoke=True))
        assert [(one.uid, one.value) for one in decoded.strangers] == [("zigbee:00000000000000a0", 1.0)]
        assert len(two.fast._sources) == before


def test_an_absent_device_that_is_heard_on_a_new_topic_is_back() -> None:
    two = Two(set())
    two.learn()
    two.hear((f"{BASE}/{NEW[0]}/availability", b"offline"))
    decoded = two.hear(*states(NEW[:2]))
    assert decoded.message.tolist() == [0, 0, 0, 1, 1]


def test_a_new_topic_behind_a_change_of_names_waits_for_it() -> None:
    two = Two(set())
    two.learn()
    two.hear(listed(["x", *NAMES]), state("x", smoke=True, battery=4), state("c", smoke=False, battery=4))


def test_the_second_message_is_read_by_form_where_the_first_has_to_say_whose_it_is() -> None:
    houses = Houses()
    houses.teach(("h/a/data", {"smoke": False, "serial": "one"}))
    message = ("h/b/data", b'{"smoke":true,"serial":"two"}')
    assert houses.new(message) == 1
    houses.check(message)
    assert houses.new(message) == 0
    houses.check(message)


@pytest.mark.parametrize("serial", ['"six"', "6", "6.5", "true", "null", '""', "[]", "{}"])
def test_whose_a_new_topic_is_the_payload_may_say(serial: str) -> None:
    houses = Houses()
    houses.teach(("h/a/data", {"smoke": False}), ("h/a/data", {"smoke": False, "serial": 5}))
    for number in (serial.encode(), b"5"):
        houses.check(("h/n/data", b'{"smoke":true,"serial":%s}' % number), ("h/o/data", b'{"smoke":false}'))


def test_a_form_that_names_the_model_says_it_of_each_device() -> None:
    houses = Houses()
    houses.teach(("h/a/data", {"smoke": False, "model": "x"}), ("h/a/data", {"smoke": False, "model": 7}))
    for model in (b'"x"', b'"y"', b"7", b"8"):
        houses.check((f"h/{model.hex()}/data", b'{"smoke":false,"model":%s}' % model))


@pytest.mark.parametrize(("part", "left"), [("l1", 0), ("l2", 1)])
def test_what_the_topic_says_of_a_value_must_be_what_the_form_knows(part: str, left: int) -> None:
    houses = Houses()
    houses.teach(("h/a/of/l1", {"temperature": 5}))
    message = (f"h/b/of/{part}", b'{"temperature":6}')
    assert houses.new(message) == left
    houses.check(message)


ids = st.sampled_from("abcdefgh")
flags = st.sampled_from([b"true", b"false", b"1", b'"?"', b"null"])
messages = st.one_of(
    st.builds(
        lambda house, id, flag, more: (f"{house}/{id}/data", b'{"smoke":%s%s}' % (flag, more)),
        st.sampled_from("gh"),
        ids,
        flags,
        st.sampled_from(
            [b"", b',"percent":5', b',"serial":"b"', b',"serial":3', b',"model":"m"', b',"x":1', b","]
        ),
    ),
    st.builds(lambda id, n: (f"h/{id}/of/{n}", b'{"temperature":5}'), ids, st.sampled_from(["l1", "l2"])),
    st.builds(lambda id, word: (f"h/{id}/there", word), ids, st.sampled_from([b"on", b"off", b"?"])),
    st.tuples(st.just("h/there"), st.sampled_from([b"on", b"off"])),
    st.builds(lambda id, word: (f"h/{id}/one/smoke", word), ids, st.sampled_from([b"on", b"off", b"", b"?"])),
)


@settings(max_examples=12, deadline=None)  # each learns at length, so few of them with many ticks
@given(
    st.sets(st.builds("m:{}:{}".format, st.sampled_from("gh"), ids), max_size=3),
    st.lists(st.lists(messages, max_size=8), min_size=6, max_size=16),
)
def test_whoever_is_new_in_a_tick_it_means_what_the_general_way_says(
    unknown: set[str], ticks: list[list[tuple[str, bytes]]]
) -> None:
    houses = Houses(unknown)
    houses.teach(
        ("h/z/data", {"smoke": False}),
        ("h/z/data", {"smoke": False, "percent": 5}),
        ("h/z/data", {"smoke": False, "serial": 3}),
        ("h/z/of/l1", {"temperature": 5}),
        ("h/z/one/smoke", b"off"),
    )
    for tick in ticks:
        houses.check(*tick)


def test_a_second_message_on_a_new_topic_that_names_another_device_is_that_ones() -> None:
    houses = Houses()
    houses.teach(("h/z/data", {"smoke": False}))
    houses.check(("g/a/data", b'{"smoke":true}'), ("g/a/data", b'{"smoke":true,"serial":"b"}'))


def test_a_first_message_that_says_nothing_does_not_stand_for_the_first_that_does() -> None:
    houses = Houses()
    houses.teach(("h/z/one/smoke", b"off"))
    for word in (b"", b"off", b"on"):
        houses.check(("h/a/one/smoke", word))
