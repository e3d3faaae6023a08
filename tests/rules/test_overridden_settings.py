"""Which numbers hold where, by overrides of several scopes at once, against a fold over them one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import SeriesTable
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.judged import JudgedKernel
from rules.overrides import Override, Overrides, Scope
from rules.quantity import Level, Span
from rules.rule import JudgedRule
from rules.settings import Setting
from tests.rules.story import block, shipped

CATALOGUE = shipped()
LOADS = Catalogue(version=1, rule=tuple(rule for rule in CATALOGUE.rule if rule.name in ("O2", "O3")))
PLACES = {Scope.AREA: 2, Scope.BUILDING: 3, Scope.DWELLING: 3, Scope.DEVICE: 8}
"""How many of each there are, by registry id from 1."""


def town() -> SeriesTable:
    """The block, spread over some places; slot 0 and device 0 are nobody's."""
    table = block()
    some = np.arange(len(table), dtype=np.int32)
    return replace(
        table, area=some % 3, building=some % 4, dwelling=some % 4, breaker_a=np.full(9, 32, np.float32)
    )


@st.composite
def one_override(draw: st.DrawFn, number: int) -> Override:
    scope = draw(st.sampled_from(Scope))
    ids = draw(st.frozensets(st.integers(1, PLACES[scope]), min_size=1, max_size=3))
    kind = draw(st.integers(0, 3))
    amps = float(draw(st.integers(20, 60)))
    said: Any = (
        {"off": True},
        {"hold": Span(draw(st.integers(1, 9)) * 1_000_000)},
        {"raise_at": Level(amps, "A"), "clear_below": Level(amps - 5, "A")},
        {"clear_below": Level(1.0, "I_ref")},
    )[kind]
    return Override(
        id=number,
        rule=draw(st.sampled_from(["O2", "O3"])),
        scope=scope,
        ids=ids,
        from_us=draw(st.integers(0, 3)),
        until_us=draw(st.none() | st.integers(4, 9)),
        author="gw-3",
        reason="test",
        **said,
    )


@st.composite
def overrides(draw: st.DrawFn) -> Overrides:
    return Overrides.of([draw(one_override(n)) for n in range(1, draw(st.integers(0, 6)) + 1)])


def folded(name: str, slot: int, table: SeriesTable, given_: Overrides, now_us: int) -> tuple[object, ...]:
    """The numbers of one rule on one series, an override at a time: None where it is off."""
    rule = next(one for one in CATALOGUE.rule if one.name == name)
    assert isinstance(rule, JudgedRule) and isinstance(rule.clear_below, Level)
    raise_at, clear_below, hold, off = rule.raise_at, rule.clear_below, rule.hold, False
    for one in sorted(given_.all, key=lambda one: (one.scope.rank, one.id)):
        column = {
            "area": table.area,
            "building": table.building,
            "dwelling": table.dwelling,
            "device": table.device,
        }
        if one.rule != name or not one.holds_at(now_us) or int(column[one.scope][slot]) not in one.ids:
            continue
        off = one.off
        if off:
            continue
        levels = one.raise_at or raise_at, one.clear_below or clear_below
        if levels[0].relative is levels[1].relative and levels[0].value >= levels[1].value:
            raise_at, clear_below = levels
            hold = hold if one.hold is None else one.hold
    return (None,) if off else (raise_at, clear_below, int(hold))


def told(setting: Setting, why_off: str) -> tuple[object, ...]:
    return (None,) if why_off else (setting.raise_at, setting.clear_below, int(setting.hold))


def seen(engine: Engine, table: SeriesTable) -> dict[tuple[str, int], tuple[object, ...]]:
    return {
        (one.rule.name, slot): told(one.setting, one.setting.why_off)
        for slot in range(1, len(table))
        for one in engine.explain(slot)
        if one.rule.name in ("O2", "O3") and one.setting is not None
    }


@given(before=overrides(), now=overrides(), times=st.tuples(st.integers(0, 9), st.integers(0, 9)))
@settings(max_examples=60, deadline=None)
def test_what_holds_is_the_fold_over_all_that_are_in_force(
    before: Overrides, now: Overrides, times: tuple[int, int]
) -> None:
    table = town()
    engine = Engine(LOADS, table)
    engine.override(before, times[0])
    engine.override(now, times[1])
    for (name, slot), numbers in seen(engine, table).items():
        assert numbers == folded(name, slot, table, now, times[1])


def wakes_of(kernel: JudgedKernel[Any]) -> np.ndarray:
    """From which value on each pair, or slot, is judged."""
    pairs = kernel.pairs
    return pairs.of_slot["lowest"] if pairs.of_slot else pairs.facts["wake"][: pairs.n]


@given(now=overrides(), moved=st.integers(1, 8), to=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_series_that_moved_has_the_numbers_of_its_new_place(now: Overrides, moved: int, to: int) -> None:
    table = town()
    engine = Engine(CATALOGUE, table)
    engine.override(now, 5)
    table.dwelling[moved] = table.building[moved] = to
    engine.adopt(table, np.array([moved], np.int32))
    for (name, slot), numbers in seen(engine, table).items():
        assert numbers == folded(name, slot, table, now, 5)
    wakes = {name: wakes_of(kernel) for name, kernel in engine._parts.judged.items()}
    fresh = Engine(CATALOGUE, table)
    fresh.override(now, 5)
    for name, kernel in fresh._parts.judged.items():
        assert np.array_equal(wakes[name], wakes_of(kernel)), name
