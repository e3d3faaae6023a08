"""A message read by its form means exactly what the general way makes of it, whatever was learnt before."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.checking.vectors import messages_of
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import FORMS_MAX, TICKS_BETWEEN, WORTH_A_FORM, FastWay
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.general.usual_names import USUAL
from devices.profiles.language.load import load_profile
from devices.profiles.profile import Decoded
from devices.profiles.shipped import shipped_compiled, shipped_files
from tests.devices.profiles.listening import Registry

FILE = """
name = "made-up"
tz = "Asia/Shanghai"

[[message]]
name = "hello"
topics = ["m/{id}/data"]
where = { kind = ["hello"] }
device = ["m:{id}"]
values = { power = "power.active" }

[[message]]
name = "data"
topics = ["m/{id}/data", "m/{id}/ch/{n}"]
device = ["m:{.serial|lower}", "m:{id}"]
time = [{ path = "t", format = "s" }, { path = "when" }]
seq = "no"
backfill = { old = [true] }
about = { label = "{.name}" }

[message.values]
smoke = "smoke.alarm"
door = { metric = "device.tamper", true = ["open"], false = ["shut"] }
mask = { metric = "device.fault", bit = 3 }
lit = { metric = "switch", invert = true }
charge = { metric = "charge.total", scale = 1000 }
volts = { metric = "voltage", list_channel = "l{n}" }
temperature = { metric = "temperature", sentinels = [327.67, "none"], low = -40, high = 85 }
percent = { metric = "battery.pct", low = 0, high = 100, null = "skip" }

[message.values.power]
metric = "power.active"
scale = 0.1
sign_from = { path = "flow", negative = ["out"], positive = ["in"] }

[message.values.current]
metric = "current"
unit = "mA"
multiply_by = { path = "ratio" }
channel = "ch{n}"

[[message.group]]
each = "parts.[].{key}"
name = "{key}"
value = "v"
unit = "u"
names = { energy = "energy.import", back = "energy.export" }

[[message]]
name = "there"
topics = ["m/{id}/there"]
format = "text"
device = ["m:{id}"]
presence = { online = ["on"], offline = ["off"] }

[[message]]
name = "single"
topics = ["m/{id}/one/{what}"]
format = "text"
device = ["m:{id}"]

[[message.group]]
name = "{what}"
names = { humidity = "humidity", smoke = "smoke.alarm", level = { metric = "battery.pct", high = 100 } }
"""
WHOLE: dict[str, Any] = {
    "t": 1_790_000_000,
    "no": 5,
    "old": False,
    "serial": "AB1",
    "name": "hall",
    "smoke": False,
    "door": "shut",
    "mask": 8,
    "lit": True,
    "temperature": 21.5,
    "percent": 50,
    "power": 1234,
    "flow": "in",
    "current": 1500,
    "ratio": 2,
    "volts": [230, 231.5],
    "parts": [{"energy": {"v": 5, "u": "kWh"}}],
    "more": {"deep": [1, {"x": None}]},
}
ODD: list[Any] = [
    *(0, 1, -1, -0.0, 8, 2.5, 1e300, 2**53 + 1, 2**63, 2**64, 10**400, 327.67, 1_790_000_000.25, 1e16),
    *(
        None,
        True,
        False,
        "open",
        "shut",
        "out",
        "12.5",
        " 7 ",
        "1_0",
        "nan",
        "none",
        "",
        "電",
        "on",
        "x" * 300,
    ),
    *("2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "kWh", "Wh", "hello", "\ud7ff"),
    *([], {}, [1, "2"], [230, None, True], {"value": 1}, [{"energy": {"v": 1}}], [{}]),
]


def profile(*, fast: bool) -> DescribedProfile:
    file = load_profile(FILE, file="made-up.toml", known={})
    made = DescribedProfile(compile_profile(file, site_tz="Asia/Shanghai", codecs=CODECS), [])
    if not fast:
        made.fast = None
    return made


def packed(tree: Any) -> bytes:
    return tree if isinstance(tree, bytes) else json.dumps(tree, ensure_ascii=False).encode()


def said(decoded: Decoded, places: list[tuple[str, str]]) -> Any:
    """Everything a tick said, comparable; the readings of one message in any order."""
    assert decoded.message.tolist() == sorted(decoded.message.tolist())
    lines = [
        (message, *places[row], metric, value.hex(), quality, observed_us)
        for message, row, metric, value, quality, observed_us in zip(
            decoded.message.tolist(),
            decoded.row.tolist(),
            decoded.metric.tolist(),
            decoded.value.tolist(),
            decoded.quality.tolist(),
            decoded.observed_us.tolist(),
            strict=True,
        )
    ]
    strangers = [
        (one.message, one.uid, one.channel, one.metric, one.value, one.observed_us, one.quality)
        for one in decoded.strangers
    ]
    return sorted(lines), decoded.seq.tolist(), decoded.rejected, strangers


class Both:
    """The same messages to a profile with the fast way, and to one without."""

    def __init__(self, fast: DescribedProfile | None = None, general: DescribedProfile | None = None) -> None:
        self.fast, self.general = fast or profile(fast=True), general or profile(fast=False)
        self.of_fast, self.of_general = Registry(), Registry()

    @property
    def way(self) -> FastWay:
        assert isinstance(self.fast.fast, FastWay)
        return self.fast.fast

    def hear(self, *messages: tuple[str, Any]) -> Decoded:
        topics, payloads = [topic for topic, _ in messages], [packed(one) for _, one in messages]
        decoded = self.fast.decode(topics, payloads, self.of_fast)
        judged = self.general.decode(topics, payloads, self.of_general)
        assert said(decoded, self.of_fast.places) == said(judged, self.of_general.places)
        assert self.way.declined == 0
        return decoded

    def teach(self, *messages: tuple[str, Any]) -> None:
        for message in messages:
            for _ in range(3):
                self.hear(*[message] * WORTH_A_FORM)
            for _ in range(TICKS_BETWEEN):
                self.hear()
            self.hear(message)

    def left(self, *messages: tuple[str, Any]) -> int:
        """How many of the messages the fast way leaves to the general way."""
        topics, payloads = [topic for topic, _ in messages], [packed(one) for _, one in messages]
        sources = self.fast._sources
        rest = self.way.take(sources.recall(topics), payloads, sources, self.of_fast)[1]
        sources.end_tick()
        return len(rest)


DATA = "m/ab1/data"


def test_a_message_with_all_that_a_profile_can_say_is_read_by_its_form() -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    assert len(both.way) == 1
    other = WHOLE | {
        "temperature": -3,
        "smoke": True,
        "door": "open",
        "volts": [1, 2],
        "flow": "out",
        "no": 6,
    }
    assert both.left((DATA, WHOLE), (DATA, other)) == 0
    decoded = both.hear((DATA, other), (DATA, WHOLE))
    assert len(decoded.row) == 22
    assert decoded.seq.tolist() == [6, 5]


def test_texts_of_a_topic_each_are_read_by_topic() -> None:
    both = Both()
    both.teach(("m/a/one/humidity", b"55.5"), ("m/a/one/smoke", b"off"))
    messages = [("m/a/one/humidity", b"54"), ("m/a/one/smoke", b"ON")]
    assert both.left(*messages) == 0
    both.hear(*messages)
    for odd in (
        b"",
        b" 5 ",
        b'"7"',
        b"nan",
        b"\xff",
        b"1_0",
        b"5\n6",
        b"9" * 60,
        b"x" * 400,
        b"\xef\xbb\xbf5",
        b".5",
    ):
        both.hear(("m/a/one/humidity", odd), ("m/a/one/humidity", b"54"), ("m/a/one/smoke", odd))


@pytest.mark.parametrize("key", [*WHOLE, "new", "when", "kind", "`a.b`", 'a"b', ""])
def test_whatever_stands_at_a_key_means_what_the_general_way_says(key: str) -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    for odd in ODD:
        both.hear((DATA, WHOLE), (DATA, WHOLE | {key: odd}), (DATA, WHOLE))
    both.hear((DATA, {name: value for name, value in WHOLE.items() if name != key}))


@pytest.mark.parametrize("odd", ODD)
def test_whatever_form_comes_often_it_costs_no_message(odd: Any) -> None:
    both = Both()
    for key in ("temperature", "flow", "t", "volts", "parts", "no", "old", "serial", "ratio"):
        both.teach((DATA, WHOLE | {key: odd}))
        both.hear((DATA, WHOLE | {key: odd}), (DATA, WHOLE))


def test_a_key_that_would_matter_and_was_not_there_is_heard_when_it_comes() -> None:
    both = Both()
    both.teach((DATA, {"temperature": 5, "nothing": 1}))
    assert both.left((DATA, {"temperature": 6, "anything": [1]})) == 0
    assert both.left((DATA, {"temperature": 6, "smoke": True})) == 1
    both.hear(
        (DATA, {"temperature": 6, "smoke": True}), (DATA, {"temperature": 6, "kind": "hello", "power": 1})
    )


def test_an_item_of_a_name_that_was_not_there_is_heard_when_it_comes() -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    more = {"energy": {"v": 5, "u": "kWh"}, "back": {"v": 7, "u": "kWh"}}
    assert both.left((DATA, WHOLE | {"parts": [more]})) == 1
    both.hear((DATA, WHOLE), (DATA, WHOLE | {"parts": [more]}))


def test_a_message_of_another_device_on_the_same_topic_is_not_taken_for_the_first_ones() -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    assert both.left((DATA, WHOLE), (DATA, WHOLE | {"serial": "XY9"})) == 1
    both.hear((DATA, WHOLE), (DATA, WHOLE | {"serial": "XY9"}), (DATA, WHOLE | {"name": "attic"}))


def test_what_nobody_looks_at_must_be_utf8_too() -> None:
    both = Both()
    both.teach((DATA, {"temperature": 5, "note": "x"}))
    both.hear((DATA, b'{"temperature":5,"note":"\xff"}'), (DATA, '{"temperature":5,"note":"電"}'.encode()))
    assert both.left((DATA, '{"temperature":5,"note":"電"}'.encode())) == 0


def test_a_device_with_two_forms_is_read_by_both_and_one_with_a_new_form_by_that() -> None:
    both = Both()
    one, other, third = {"temperature": 5}, {"percent": 5, "no": 1}, {"power": 5, "flow": "in"}
    both.teach((DATA, one), (DATA, other), ("m/x/data", third))
    assert both.left((DATA, one), (DATA, other), (DATA, one)) == 0
    both.hear((DATA, third))
    assert both.left((DATA, third), (DATA, third)) == 0
    both.hear(*[(DATA, third)] * 3, (DATA, one), (DATA, other), (DATA, third))


def test_a_stranger_is_refused_and_its_fire_is_heard() -> None:
    both = Both()
    both.teach(("m/s/data", {"smoke": False, "percent": 5}))
    both.of_fast.unknown.add("m:s")
    both.of_general.unknown.add("m:s")
    decoded = both.hear(("m/s/data", {"smoke": True, "percent": 5}))
    assert [(one.uid, one.value) for one in decoded.strangers] == [("m:s", 1.0)]


def test_a_device_that_goes_and_is_heard_in_one_tick_is_back() -> None:
    both = Both()
    said = ("m/s/data", {"temperature": 5})
    both.teach(said)
    assert both.left(said) == 0
    assert len(both.hear(said, ("m/s/there", b"off"), said).row) == 4
    both.hear(("m/s/there", b"off"))
    assert len(both.hear(said).row) == 2
    assert len(both.hear(said).row) == 1


def test_sources_that_were_forgotten_teach_anew() -> None:
    both, plain = Both(), (DATA, {"temperature": 5})
    both.teach(plain)
    both.way.forget([int(both.fast.recall([DATA])[0])])
    assert both.left(plain) == 1
    both.hear(plain)
    assert both.left(plain) == 0


def test_numbers_that_no_float_or_time_can_hold_go_the_general_way_or_are_flagged() -> None:
    both = Both()
    late = {"charge": 5, "t": 1_790_000_000.25, "no": 5}
    both.teach((DATA, late))
    for odd in ({"charge": 1e307}, {"t": 9_007_199_255_123}, {"t": 2**53 + 1}, {"no": -5}):
        both.hear((DATA, late | odd), (DATA, late))


def test_a_device_with_four_sets_of_keys_is_read_by_form_and_a_fifth_takes_anothers_place() -> None:
    both = Both()
    sets = [{"temperature": 5}, {"percent": 5}, {"lit": True}, {"smoke": False}, {"lit": True, "percent": 5}]
    both.teach(*((DATA, said) for said in sets[:4]))
    assert [both.left((DATA, said)) for said in sets] == [0, 0, 0, 0, 1]
    both.hear(*((DATA, said) for said in (*sets, *reversed(sets))))
    both.teach((DATA, sets[4]))
    left = [both.left((DATA, said)) for said in sets]
    assert (sum(left), left[4]) == (1, 0)
    both.hear(*((DATA, said) for said in sets))


def test_a_form_that_made_room_is_nobodys_any_more() -> None:
    both = Both()
    first, second, third = ((f"m/b/ch/{n}", {"current": n, "ratio": 2}) for n in (1, 2, 3))
    both.teach(first, second)
    both.way._drop(0)
    both.teach(third)
    assert (both.left(first), both.left(second, third)) == (1, 0)
    both.hear(first, second, third)


def test_invented_forms_are_bounded_and_make_room_for_each_other() -> None:
    both = Both()
    for n in range(FORMS_MAX + 8):
        both.teach(
            (
                f"m/d{n}/data",
                {"temperature": 1, "parts": [{"energy": {"v": 1}}] * (n % 24), "volts": [1] * (n // 24)},
            )
        )
    assert len(both.way) <= 2 * FORMS_MAX
    both.hear(*[(f"m/d{n}/data", {"temperature": 2, "volts": [1] * (n // 24)}) for n in range(9)])


trees = st.fixed_dictionaries(
    {}, optional={key: st.one_of(st.just(value), st.sampled_from(ODD)) for key, value in WHOLE.items()}
)
messages = st.one_of(
    st.tuples(st.sampled_from(["m/ab1/data", "m/b/data", "m/b/ch/1", "m/b/ch/2"]), trees),
    st.tuples(
        st.sampled_from(["m/b/one/humidity", "m/b/one/smoke"]), st.sampled_from([b"5", b"on", b"7.25", b"?"])
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(messages, min_size=1, max_size=4),
    st.lists(messages, max_size=3),
    st.randoms(use_true_random=False),
)
def test_whatever_was_learnt_every_message_means_what_the_general_way_says(
    taught: list[tuple[str, Any]], besides: list[tuple[str, Any]], chance: random.Random
) -> None:
    both = Both()
    both.teach(*taught)
    tick = [*taught, *besides, *taught]
    for _ in range(3):
        chance.shuffle(tick)
        both.hear(*tick)


@pytest.mark.parametrize("name", sorted(shipped_files()))
def test_the_vectors_of_shipped_profiles_mean_the_same_read_by_form(name: str) -> None:
    compiled = shipped_compiled()
    (one,) = [each for each in compiled if each.name == name]
    objects = [thing for each in compiled for thing in each.objects]
    general = DescribedProfile(one, objects)
    general.fast = None
    both = Both(DescribedProfile(one, objects), general)
    for vector in shipped_files()[name].test[:12]:
        *before, last = messages_of(vector)
        for message in before:
            both.hear(message)
        both.teach(last)


@pytest.mark.parametrize(("name", "many"), [*((one, 1) for one in (*USUAL, "Fire", "SMOKE")), ("Fire", 60)])
def test_a_fire_by_a_usual_name_comes_beside_what_a_form_knows(name: str, many: int) -> None:
    both = Both()
    plain = WHOLE | {"firmware": "1.2", "state": "confirmed"}
    del plain["smoke"]
    both.teach((DATA, plain))
    quiet = [(DATA, plain)] * many
    assert both.left(*quiet) == 0
    for said in ({name: True}, {"more": {name: 1}}, {"more": {"deep": [{"name": name, "value": "on"}]}}):
        assert both.left(*quiet, (DATA, plain | said), *quiet) == 1
        decoded = both.hear(*quiet, (DATA, plain | said), *quiet)
        [quality] = decoded.quality[decoded.metric == USUAL[name.lower()]].tolist()
        assert quality == (0 if name == "smoke" and name in said else Quality.SUSPECT)


def test_a_form_with_a_name_of_a_fire_that_nobody_reads_is_never_learnt() -> None:
    both = Both()
    both.teach((DATA, WHOLE | {"fire": False}))
    assert both.left((DATA, WHOLE | {"fire": False})) == 1
    both.hear((DATA, WHOLE | {"fire": True}))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["fire", "Smoke", "smoke_alarm", "more", "x", "firmware", "name", "value", "settings"]
            ),
            st.recursive(
                st.booleans() | st.sampled_from([0, 1, 12, None, "on", "fire", "smoke"]),
                lambda below: (
                    st.lists(below, max_size=2)
                    | st.dictionaries(
                        st.sampled_from(["fire", "value", "alarm", "name", "y"]), below, max_size=3
                    )
                ),
                max_leaves=5,
            ),
            max_size=3,
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_names_of_a_fire_anywhere_mean_the_same_by_form(others: list[dict[str, Any]], large: bool) -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    quiet = [(DATA, WHOLE)] * (20 if large else 1)
    both.hear(*quiet, *((DATA, {**one, **WHOLE}) for one in others), *quiet)
    for one in others[:1]:
        both.teach((DATA, {**one, **WHOLE}))
    both.hear(*quiet, *((DATA, {**one, **WHOLE}) for one in others), *quiet)
