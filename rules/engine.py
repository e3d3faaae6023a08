"""The rule engine: readings and people's acts in, transitions out. Pure: `now_us` is an argument.

The same arrays in give the same transitions out, and any cutting of the stream into batches gives what one
reading at a time in the same arrival order would give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue
from rules.flag import FlagKernel
from rules.pairs import State
from rules.place import PlaceKernel
from rules.rule import PlaceRule
from rules.threshold import ThresholdKernel
from rules.transition import Transition


class Engine:
    """All rules of a catalogue over all series.

    Every slot of a batch must be in the series table: `adopt` the table before the first reading of a new
    slot, else IndexError.
    """

    def __init__(self, catalogue: Catalogue, table: SeriesTable) -> None:
        self._flag = FlagKernel(catalogue, table)
        self._threshold = ThresholdKernel(catalogue, table)
        self._place = PlaceKernel(catalogue, table)
        self._table = table
        self._kernel_of: dict[str, FlagKernel | ThresholdKernel | PlaceKernel] = {
            **dict.fromkeys(self._flag.number, self._flag),
            **dict.fromkeys(self._threshold.number, self._threshold),
            **{rule.name: self._place for rule in catalogue.of(PlaceRule)},
        }

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table, without a transition.

        A slot keeps its state while device and metric stay what they were. A slot that got another device,
        or lost it, starts blank: a flag that is still true raises again at its next reading. `changed` names
        the slots that may differ from before, besides those beyond the old table's end; the cost is theirs.
        None: any slot may, and the cost is that of all. The engine reads the table's arrays as long as it
        has it, and remembers itself what it compares: they may be changed in place, if `adopt` follows
        before the next `evaluate`.
        """
        self._table = table
        self._flag.adopt(table, changed)
        self._threshold.adopt(table, changed)
        self._place.adopt(table, self._active(changed), changed)

    def forget(self, slots: Int32) -> None:
        """These slots are gone, without a transition; who has one next starts blank. Call `adopt` then."""
        self._flag.pairs.forget(slots)
        self._threshold.pairs.forget(slots)
        self._place.forget(slots)

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm is active, on the series or on its place."""
        active = [slot for _, slot in self._active(slots)]
        held: Bool = np.isin(slots, [*active, *self._place.raised_by()])
        return held

    def evaluate(self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int) -> list[Transition]:
        """What the acts in `inputs` and then the readings of `batch` change, in that order.

        Within the readings: arrival order, then the order of the catalogue; a place's alarm follows its
        trigger. An act on a rule or series that no longer exists is nothing. `now_us` is when acts were
        received; no alarm comes or goes by it alone.
        """
        transitions: list[Transition] = []
        for given in inputs:
            kernel = self._kernel_of.get(given.rule)
            cleared = kernel.apply(given, now_us) if kernel else None
            if cleared:
                transitions.append(cleared)
                if kernel is not self._place:
                    self._place.feed(cleared)
        if len(batch):
            found = self._flag.evaluate(batch) + self._threshold.evaluate(batch)
            for *_, transition in sorted(found, key=itemgetter(0, 1)):
                transitions += (transition, *self._place.feed(transition))
        return transitions

    def snapshot(self) -> State:
        """The complete state as copies in arrays (no objects in them), for `restore`."""
        parts = {
            "flag": self._flag.snapshot(),
            "threshold": self._threshold.snapshot(),
            "place": self._place.snapshot(),
        }
        return {f"{part}.{name}": column for part, state in parts.items() for name, column in state.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; exact over the same catalogue and series table.

        Over others, what still exists (same rule name, slot, device and metric) keeps its state and the
        rest starts blank. Raises KeyError for arrays that are no snapshot.
        """
        self._flag.restore(_part("flag", state))
        self._threshold.restore(_part("threshold", state))
        self._place.restore(_part("place", state))
        self._place.adopt(self._table, self._active())

    def _active(self, among: Int32 | None = None) -> chain[tuple[str, int]]:
        return chain(self._flag.active(among), self._threshold.active(among))


def _part(part: str, state: Mapping[str, NDArray[Any]]) -> State:
    prefix = f"{part}."
    return {name.removeprefix(prefix): column for name, column in state.items() if name.startswith(prefix)}
