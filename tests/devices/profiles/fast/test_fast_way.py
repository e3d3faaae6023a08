"""A message read by its form means exactly what the general way makes of it, whatever was learnt before."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.checking.vectors import messages_of
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import FORMS_MAX
from devices.profiles.shipped import shipped_compiled, shipped_files
from tests.devices.profiles.fast.both_ways import DATA, ODD, WHOLE, Both


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


def test_a_device_with_more_sets_of_keys_than_are_kept_of_it_is_read_by_form_all_the_same() -> None:
    both = Both()
    sets = [{"temperature": 5}, {"percent": 5}, {"lit": True}, {"smoke": False}, {"lit": True, "percent": 5}]
    both.teach(*((DATA, said) for said in sets[:4]))
    assert [both.left((DATA, said)) for said in sets] == [0, 0, 0, 0, 1]
    both.teach((DATA, sets[4]))
    assert [both.left((DATA, said)) for said in sets * 2] == [0] * 10
    both.hear(*((DATA, said) for said in (*sets, *reversed(sets))))


def test_what_one_device_taught_is_tried_with_another_of_its_kind_too() -> None:
    both = Both()
    usual, rare = {"temperature": 5}, {"temperature": 6, "smoke": False}
    both.teach((DATA, usual), ("m/ab2/data", usual), ("m/ab2/data", rare))
    assert both.left((DATA, usual), (DATA, rare)) == 0
    both.hear((DATA, rare), (DATA, usual), (DATA, rare | {"smoke": True}), (DATA, {"percent": 1}))


def test_a_form_that_made_room_is_nobodys_any_more() -> None:
    both = Both()
    first, second, third = ((f"m/b/ch/{n}", {"current": n, "ratio": 2}) for n in (1, 2, 3))
    both.teach(first, second)
    both.way._lessons.drop(0)
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
