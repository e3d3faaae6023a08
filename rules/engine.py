"""The rule engine: readings and people's acts in, transitions out. Pure: `now_us` is an argument.

The same arrays in give the same transitions out, and any cutting of the stream into batches gives what one
reading at a time in the same arrival order would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Bool, EngineInput, Int32, ReadingBatch, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.judged import JudgedKernel
from rules.kernel import PairKernel
from rules.kernels.flag import FlagKernel, FlagRule
from rules.kernels.place import PlaceKernel, PlaceRule
from rules.kin import Kin
from rules.kinds import JUDGED
from rules.latest import METRICS, Latest
from rules.look import Ground, Look
from rules.overrides import Overrides
from rules.pairs import State
from rules.transition import Transition

CHINA: Final = Calendar.fixed(8)
"""The local time of a site that says nothing else (design, vocabulary: Asia/Shanghai)."""


class Engine:
    """All rules of a catalogue over all series.

    Every slot of a batch must be in the series table: `adopt` the table before the first reading of a new
    slot, else IndexError.
    """

    def __init__(self, catalogue: Catalogue, table: SeriesTable, calendar: Calendar = CHINA) -> None:
        self._ground = Ground(calendar, Kin(table), Latest(table))
        self._table = table
        order, gated = catalogue.order(), catalogue.gated()
        self._flag = FlagKernel(catalogue.of(FlagRule), order, table)
        self._judged: dict[str, JudgedKernel[Any]] = {}
        for kind, kernel in JUDGED:
            rules = catalogue.of(kind)
            if rules:
                self._judged[str(kind.__struct_config__.tag)] = kernel(
                    rules, order, table, self._ground, gated
                )
        self._place = PlaceKernel(catalogue.rule, table)
        self._overrides = Overrides()
        self._kernel_of: dict[str, PairKernel[Any] | PlaceKernel] = {
            rule.name: self._place for rule in catalogue.of(PlaceRule)
        }
        for one in self._on_series():
            self._kernel_of |= dict.fromkeys(one.number, one)
        self._heeds = _heeds(list(self._on_series()))

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
        self._ground.kin.adopt(table, changed)
        self._ground.latest.adopt(table, changed)
        for kernel in self._on_series():
            kernel.adopt(table, changed)
        self._place.adopt(table, self._active(changed), changed)

    def forget(self, slots: Int32) -> None:
        """These slots are gone, without a transition; who has one next starts blank. Call `adopt` then."""
        self._ground.latest.forget(slots)
        for kernel in self._on_series():
            kernel.pairs.forget(slots)
        self._place.forget(slots)

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm is active, on the series or on its place."""
        active = [slot for _, slot in self._active(slots)]
        held: Bool = np.isin(slots, [*active, *self._place.raised_by()])
        return held

    def override(self, overrides: Overrides, now_us: int) -> None:
        """These are the overrides from here on, as far as they are in force at `now_us`. State stays."""
        self._overrides = overrides
        for kernel in self._judged.values():
            kernel.override(overrides.in_force(now_us))

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
            for transition in self._judge(batch):
                transitions += (transition, *self._place.feed(transition))
        return transitions

    def _judge(self, batch: ReadingBatch) -> list[Transition]:
        """What the readings change, in the order in which it is told."""
        look = Look(batch, self._table, self._ground)
        heeded = int(np.bitwise_or.reduce(self._heeds[self._table.metric.take(batch.slot)]))
        found = self._flag.evaluate(look) if heeded & 1 else []
        compared = bool(heeded & _COMPARED)
        if compared:
            self._ground.latest.begin(batch)
        for bit, kernel in enumerate(self._judged.values(), start=1):
            if heeded >> bit & 1:
                found += kernel.evaluate(look)
        if compared:
            self._ground.latest.end(batch)
        return [transition for *_, transition in sorted(found, key=itemgetter(0, 1))]

    def snapshot(self) -> State:
        """The complete state as copies in arrays (no objects in them), for `restore`."""
        parts = {
            "flag": self._flag.snapshot(),
            **{name: kernel.snapshot() for name, kernel in self._judged.items()},
            "place": self._place.snapshot(),
            "latest": self._ground.latest.snapshot(),
        }
        return {f"{part}.{name}": column for part, state in parts.items() for name, column in state.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; exact over the same catalogue and series table.

        Over others, what still exists (same rule name, slot, device and metric) keeps its state and the
        rest starts blank. Raises KeyError for arrays that are no snapshot.
        """
        self._flag.restore(_part("flag", state))
        for name, kernel in self._judged.items():
            if part := _part(name, state):
                kernel.restore(part)
        self._place.restore(_part("place", state))
        self._place.adopt(self._table, self._active())
        if part := _part("latest", state):
            self._ground.latest.restore(part)

    def _on_series(self) -> Iterator[PairKernel[Any]]:
        return chain((self._flag,), self._judged.values())

    def _active(self, among: Int32 | None = None) -> Iterator[tuple[str, int]]:
        return chain.from_iterable(kernel.active(among) for kernel in self._on_series())


_COMPARED: Final = 1 << 62
"""The bit of metrics whose newest values are kept."""


def _heeds(kernels: Sequence[PairKernel[Any]]) -> NDArray[np.int64]:
    """For each metric, a bit for every kernel that looks at it, in their order."""
    heeds = np.zeros(METRIC_LIMIT, np.int64)
    for bit, kernel in enumerate(kernels):
        heeds[list(kernel.metrics)] |= 1 << bit
    heeds[list(METRICS)] |= _COMPARED
    return heeds


def _part(part: str, state: Mapping[str, NDArray[Any]]) -> State:
    prefix = f"{part}."
    return {name.removeprefix(prefix): column for name, column in state.items() if name.startswith(prefix)}
