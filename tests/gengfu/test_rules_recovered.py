"""After kill -9 each record is evaluated by the rules and overrides that held when it came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from devices.model import EngineInput, ReadingBatch, SeriesTable
from gengfu.live_rules import LiveRules
from gengfu.rulebook import Rulebook
from rules.transition import Transition
from tests.gengfu.own_rules import override, own, settled
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.redelivering import NOW_US

HOT = Rulebook(own=own(), name="own.toml")
LAZY = Rulebook(own=own(hold="20 s"), name="own.toml")
DEAF = Rulebook(
    own=own(),
    name="own.toml",
    overrides=(override(rule="K1", ids=(1, 2, 3), off=True, until_us=NOW_US + 8_000_000),),
)
BOOKS = (Rulebook(), HOT, LAZY, DEAF)


class Ruled(LiveRules):
    """The real rules, in the house of the ingest tests."""

    def __init__(self, fuse: Fuse) -> None:
        nothing = np.zeros(1, np.int32)
        super().__init__(SeriesTable.plain(0, np.zeros(1, np.int16), nothing, nothing, np.full(1, np.nan)))
        self._fuse = fuse

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        self._fuse.pass_by("evaluate")
        return super().evaluate(batch, inputs, now_us, source)


class Home(House):
    rules_type = Ruled  # type: ignore[assignment]


def turn(house: House, book: Rulebook) -> None:
    ready = settled(book)
    house.rules.prepare(ready)  # type: ignore[attr-defined]
    house.intake.rule_notes.turn_to(ready.text, ready.version)


def hear(house: House, degrees: float) -> None:
    for uid in ("d1", "d2"):
        house.broker.publish(f"t/{uid}", b'{"temp": %f}' % degrees)


def same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f"), name


def own_alarms(house: House) -> list[tuple[bool, bool]]:
    """Of each transition of the site's own rule in the ledger: whether it is a raise, and by removal."""
    found = [text for text in house.alarms() if "rule='K1'" in text]
    return sorted(("RAISED" in text, "removed" in text) for text in found)


@pytest.mark.parametrize("step", ["journal.after", "evaluate", "ledger.after"])
@pytest.mark.parametrize("after", [2, 4])
def test_a_death_anywhere_around_changes_tells_what_an_undisturbed_run_tells(
    tmp_path: Path, step: str, after: int
) -> None:
    told = []
    for name, fuse in (("calm", Fuse()), ("dying", Fuse(step, after))):
        (tmp_path / name).mkdir()
        house = Home(tmp_path / name)
        tick = house.start(fuse, batch=2)
        for book, degrees in ((Rulebook(), 65.0), (HOT, 66.0), (HOT, 67.0), (Rulebook(), 68.0)):
            turn(house, book)
            hear(house, degrees)
            try:
                house.run(tick)
            except Killed:
                at = house.line.now_us
                house.stop()
                tick = house.start(batch=2)
                house.line.now_us = at
                turn(house, book)
                house.run(tick)
        told.append(own_alarms(house))
        assert house.rules.text == "{}"  # type: ignore[attr-defined]
        house.stop()
    assert told[0] == told[1] == [(False, True)] * 2 + [(True, False)] * 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.floats(20, 90)),
        st.tuples(st.just("turn"), st.integers(0, len(BOOKS) - 1)),
        st.tuples(st.just("save"), st.just(0)),
        st.tuples(st.just("kill"), st.just(0)),
    ),
    max_size=8,
)


@given(steps=STEPS)
@settings(max_examples=10, deadline=None)
def test_the_state_after_a_kill_is_to_the_bit_that_before_it(steps: list[tuple[str, float]]) -> None:
    with TemporaryDirectory() as folder:
        house = Home(Path(folder))
        tick = house.start(batch=2, snapshot_s=1e6)
        for kind, value in [*steps, ("kill", 0.0)]:
            if kind == "hear":
                hear(house, value)
                house.run(tick)
            elif kind == "turn":
                turn(house, BOOKS[int(value)])
                house.run(tick)
            elif kind == "save":
                tick.save_snapshot()
            else:
                before, at = house.rules.snapshot(), house.line.now_us
                house.rules.evaluate(ReadingBatch.empty(at), [], at)
                in_force = house.rules.in_force  # type: ignore[attr-defined]
                house.stop()
                tick = house.start(batch=2, snapshot_s=1e6)
                house.line.now_us = at
                same(before, house.rules.snapshot())
                house.rules.evaluate(ReadingBatch.empty(at), [], at)
                assert house.rules.in_force == in_force  # type: ignore[attr-defined]
        house.stop()
        house.engine.dispose()


def test_an_override_ends_by_time_with_the_same_record_in_a_replay(tmp_path: Path) -> None:
    house = Home(tmp_path)
    tick = house.start(batch=2, snapshot_s=1e6)
    turn(house, DEAF)
    for degrees in (65.0, 66.0, 67.0, 68.0, 69.0, 70.0):
        hear(house, degrees)
        house.run(tick)
    told = own_alarms(house)
    assert told == [(True, False)] * 2
    at = [text for text in house.alarms() if "rule='K1'" in text]
    before = house.rules.snapshot()
    house.stop()
    house.start(batch=2)
    same(before, house.rules.snapshot())
    assert [text for text in house.alarms() if "rule='K1'" in text] == at
    house.stop()
