"""The walk finds what trying every column would find, and costs what is in the message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.compiling.compiled import MISSING, Clock, Items, Start, Way
from devices.profiles.fast.interest import Interest, interest_of
from devices.profiles.general.findings import ITEMS_MAX, Found, TooMuch
from devices.profiles.general.places import Places
from devices.profiles.general.walk import walk
from devices.profiles.shipped import shipped_compiled
from tests.devices.profiles.describing import compiled
from tests.devices.profiles.general import plain_walk

Strategy = st.SearchStrategy[Any]
LATE = Clock(Way(Start.PAYLOAD, ("late",)), "s", None, False, 0), 5
ODD = """
name = "odd"
[[message]]
name = "all sorts"
topics = ["odd/{name}"]
[message.values]
a = "voltage"
"a.b" = { metric = "current", channel = "{.c}", needs = ["b"] }
"a.0.b" = { metric = "temperature", null = "skip" }
"a.1" = { metric = "power.active", when = { has = ["d"], any = ["b", "c"] } }
d = { metric = "device.tamper", when = { lacks = ["0"] } }
"0" = { metric = "humidity", default = 5 }
b = { metric = "smoke.alarm", default = false, when = { has = ["c.b", "a"] } }
c = { metric = "heat.alarm", default = true, when = { any = ["a", "b"], lacks = ["d"] } }
"b.c" = { metric = "gas.alarm", when = { lacks = ["$.a"] }, time = [{ path = "a" }] }
"b.1.c".metric = "energy.import"
"b.1.c".list_channel = "ch{n}"
"b.1.c".multiply_by = { path = "a.b", remember = true }
"c.c".metric = "current.residual"
"c.c".sign_from = { path = "c.a", negative = ["n"], positive = ["p"], remember = true }
"" = { metric = "frequency", unit_path = "c" }
[[message.group]]
each = "a.{k}"
backfill = "c"
label = "{.a}"
device = ["{.b}", "dev:{k}"]
values = { b = "voltage", "^.c" = "current", "$.b.c" = { metric = "temperature", channel = "{k}" } }
[[message.group]]
each = ["b.[{n}]", "c.[]"]
name = "{.a}"
value = "b"
unit = "c"
when = { any = ["a", "c"] }
values = { a = "voltage" }
names = { "x" = "current", "*" = { metric = "temperature", channel = "{.a}" } }
units = { "Hz" = "frequency" }
"""


@cache
def kinds() -> list[tuple[str, tuple[Items, ...], Interest]]:
    """What every shipped message and object consists of, and where it looks."""
    made = [compiled(ODD), *shipped_compiled()]
    found = [
        (f"{one.name}: {kind.name}", kind.items, interest_of(kind))
        for one in made
        for kind in one.kinds
        if kind.items
    ]
    for one in made:
        for thing in one.objects:
            bare = next(kind for kind in one.kinds or made[0].kinds)
            at = interest_of(bare, [thing]) if bare.object else _of_object(thing.items)
            found.append((f"{one.name}: {thing.name}", thing.items, at))
    return found


def _of_object(items: tuple[Items, ...]) -> Interest:
    place = Interest()
    for one in items:
        spot = place.at(one.each.steps)
        for column in one.values:
            (spot if column.way.start == Start.ITEM else place).at(column.way.steps)
    return place


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, "", "Hz", "n", "p", "x", "on", "2"])
)


def trees(interest: Interest, depth: int = 0) -> Strategy:
    """Values that have something at places that are looked at, and other things elsewhere."""
    if depth > 5:
        return LEAVES
    known = [*interest.keys, *map(str, interest.positions)]
    below = {key: interest.keys.get(key) or interest.positions[int(key)] for key in known}
    any_key = interest.any_key or Interest()
    things = st.lists(st.sampled_from([*known, "a", "zz"]), max_size=6, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: trees(below.get(key, any_key), depth + 1) for key in keys})
    )
    place = interest.any_position or next(iter(interest.positions.values()), Interest())
    rows = st.deferred(lambda: st.lists(trees(place, depth + 1), max_size=3))
    nested = bool(known or interest.any_key)
    listed = bool(interest.any_position or interest.positions)
    return st.one_of(*([things] * (4 * nested)), *([rows] * (2 * listed)), LEAVES)


ONE = st.deferred(
    lambda: st.sampled_from(kinds()).flatmap(lambda one: st.tuples(st.just(one), trees(one[2])))
)


def told(walked: Callable[..., None], items: tuple[Items, ...], tree: Any) -> tuple[Any, ...]:
    found = Found()
    fault = ""
    try:
        walked(items, tree, {"name": "n", "k": "q"}, LATE, found)
    except TooMuch as error:
        fault = str(error)
    return found.findings, found.operands, found.labels, found.items, found.silent, fault


@given(one=ONE)
def test_the_walk_finds_what_trying_every_column_finds_and_in_the_same_order(one: Any) -> None:
    (_, items, _), tree = one
    assert told(walk, items, tree) == told(plain_walk.walk, items, tree)


@given(st.data())
def test_odd_profiles_too(data: st.DataObject) -> None:
    _, items, interest = kinds()[0]
    tree = data.draw(trees(interest))
    assert told(walk, items, tree) == told(plain_walk.walk, items, tree)


def lines_of(act: Callable[[], object]) -> int:
    """How many lines of Python run: work that no clock is needed to see."""
    count = 0

    def note(_frame: FrameType, event: str, _what: object) -> Any:
        nonlocal count
        count += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def wide(columns: int) -> tuple[Items, ...]:
    """A message of which the profile knows so many keys."""
    values = "\n".join(f'k{n} = {{ metric = "voltage", channel = "c{n}" }}' for n in range(columns))
    text = 'name = "wide"\n[[message]]\nname = "m"\ntopics = ["t"]\n[[message.group]]\neach = "list.[]"\n'
    return compiled(f"{text}[message.group.values]\n{values}\n").kinds[0].items


def work(items: tuple[Items, ...], payload: Any) -> int:
    def act() -> None:
        with suppress(TooMuch):
            walk(items, payload, {}, None, Found())

    return lines_of(act)


def test_work_does_not_grow_with_what_the_profile_could_say() -> None:
    payload = {"list": [{"k1": 1, "k3": 2, "x": 3}] * 100}
    few, many = work(wide(5), payload), work(wide(95), payload)
    assert many <= few * 1.1


def test_work_does_not_grow_with_keys_that_mean_nothing() -> None:
    small = {"list": [{"k1": 1, "k2": 2}]}
    large = {"list": [{"k1": 1, "k2": 2} | {f"x{n}": n for n in range(10_000)}]}
    assert work(wide(95), large) <= work(wide(95), small) + 300


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_many_items_of_nothing_cost_a_few_lines_each(count: int) -> None:
    assert work(wide(95), {"list": [{"x": 1}] * count}) <= 60 * min(count, ITEMS_MAX + 1) + 100


def test_depth_costs_nothing_where_nobody_looks() -> None:
    deep: Any = 1
    for _ in range(64):
        deep = {"k1": deep}
    assert work(wide(95), {"list": [deep], "x": deep}) <= work(wide(95), {"list": [{"k1": 1}]}) + 20


def test_a_position_is_a_key_where_an_object_stands() -> None:
    places = Places()
    places.add(("a", 0, "b"), 1)
    places.add(("a",), 2)
    assert places.found({"a": [{"b": 5}]}) == {1: 5, 2: [{"b": 5}]}
    assert places.found({"a": {"0": {"b": 6}}})[1] == 6
    assert places.found({"a": {"b": 6}}) == {2: {"b": 6}}
    assert places.found([]) == places.found(None) == {}
    assert not Places.holds(())
    assert not Places.holds((0,) * 5)
    assert MISSING not in places.found({"a": []}).values()
