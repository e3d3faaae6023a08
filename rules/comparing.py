"""What kernels have in common that measure a reading against other series of its device.

Which series these are is found out when the registry says something new, and kept for each pair as the place
of its newest value: a reading costs no search.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

import numpy as np

from devices.model import NO_KIN, NO_PHASE, Bool, Float64, Int32, Metric, SeriesTable, UInt8
from rules.found import Found
from rules.judged import JudgedKernel
from rules.latest import NOWHERE
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.quantity import Level, Relative, units_of
from rules.rounds import Rows, rounds
from rules.rule import HeldRule

NOBODY: Final = NO_KIN
"""The phase of a series that is not asked for."""
_FIRST, _LAST = 1, 3
"""What `devices.model.phase_of` says of `l1` and `l3`."""

H = TypeVar("H", bound=HeldRule)


class ComparingKernel(JudgedKernel[H]):
    """A subclass says which series are asked for (`kin_of`) and has the facts `places(n)` for them, and
    maybe one `least`: the least current of its circuit, which `load_of` says of each rule.

    Every value is known only near the reading: observed at most `near` before or after it.
    """

    def __init__(
        self,
        rules: Sequence[H],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._near = np.array([self.near(rule) for rule in self.rules], np.int64)
        self._relate(np.arange(self.pairs.n))

    @abstractmethod
    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """Metric and phase of each series asked for, for series of these phases; NOBODY where none is."""

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """Where the first kin is not there nothing can be said: puts what `kin_of` found so that it is so.
        As it is, what takes the air's temperature as its first two."""
        return [np.where(kin[0] >= 0, kin[0], kin[1]), np.where(kin[0] >= 0, kin[1], NOWHERE), *kin[2:]]

    def near(self, rule: H) -> int:
        """How far from a reading another value may be, in µs."""
        return int(rule.max_gap)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `JudgedKernel.adopt`. Whose kin changed looks for them anew."""
        super().adopt(table, changed)
        everything = changed is None
        self._relate(np.arange(self.pairs.n) if everything else self.pairs.expand(self.ground.kin.touched)[1])

    def newest(self, look: Look, rows: Rows, pair: Rows, place: Int32) -> Float64:
        """The values at these places as of each row, NaN where they are not known or not near.

        `place` has one place a row, or several lines of them: so has what is returned.
        """
        value, at = look.newest(rows, place)
        at -= look.batch.observed_us.take(rows)
        away = np.abs(at, out=at) > self.of_rule(self._near, pair)
        if away.any():
            np.copyto(value, np.nan, where=away)
        return value

    def able(self, pair: Rows) -> Bool:
        """Of which pairs anything can be said: whose first kin there is (`arrange`)."""
        able: Bool = self.kin(0, pair) >= 0
        return able

    def kin(self, n: int, pair: Rows) -> Int32:
        """The places of these pairs' kin: of the n-th of `kin_of`."""
        place: Int32 = self.pairs.facts[f"kin{n}"].take(pair)
        return place

    def ambient(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The ambient temperature at each row: of the device as a whole, which is the first kin, where it is
        known, else of the same channel, which is the second."""
        value = self.newest(look, rows, pair, self.kin(0, pair))
        unknown = np.flatnonzero(np.isnan(value))
        if len(unknown):
            own = self.kin(1, pair.take(unknown))
            unknown, own = unknown[own >= 0], own[own >= 0]
            value[unknown] = self.newest(look, rows.take(unknown), pair.take(unknown), own)
        return value

    def _relate(self, pair: Rows) -> None:
        """Finds the kin of these pairs, as the table says now."""
        pair = pair[self.pairs.slot[pair] >= 0]
        if not len(pair):
            return
        table, ground = self.pairs.table, self.ground
        pair = pair[np.argsort(table.device[self.pairs.slot[pair]])]  # neighbours are found close together
        slot = self.pairs.slot[pair]
        device = table.device[slot]
        found = [
            ground.latest.place(ground.kin.slot(device, metric, phase))
            for metric, phase in self.kin_of(table.phase[slot])
        ]
        for n, place in enumerate(self.arrange(found)):
            self.pairs.facts[f"kin{n}"][pair] = place
        if "least" in self.pairs.facts:
            self.pairs.facts["least"][pair] = self._least(pair)

    def load_of(self, rule: H) -> Level:
        """The current below which nothing can be said, of kinds that ask for one (fact `least`)."""
        raise TypeError(f"rule {rule.name}: {type(self).__name__} asks for no least load")

    def _least(self, pair: Rows) -> Float64:
        """The least current of each pair's circuit, in amperes; NaN where its rating is not known."""
        slot, table = self.pairs.slot[pair], self.pairs.table
        least = np.empty(len(pair))
        for number, rule in enumerate(self.rules):
            level, mine = self.load_of(rule), self.pairs.rule[pair] == number
            amperes = level.value_in(units_of(Metric.CURRENT), rule.name)
            least[mine] = amperes * _rating(level.relative, slot[mine], table)
        return least


class MomentKernel(ComparingKernel[H]):
    """A comparing kernel without state of its own: what it measures is said by the newest values alone."""

    @abstractmethod
    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """What is measured of these readings, of `able` pairs; see `JudgedKernel.measure`. No state is
        moved."""

    def manner(self, rule: H) -> Hashable:
        """What of a rule decides what is measured: where all have the same it is measured once a reading."""
        return self.near(rule), rule.metrics

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        if not self._alike:
            return super().evaluate(look)
        rows, first = self.heard(look)
        fit = self.able(first)
        if not look.whole:
            fit &= look.usable(rows)
        some = np.flatnonzero(fit)
        if not len(some):
            return []
        if len(some) < len(rows):
            rows, first = rows.take(some), first.take(some)
        value, wake = self.compare(look, rows, first), self.pairs.facts["wake"]
        hot = value >= wake.take(first)
        for after in range(1, len(self.rules)):
            hot |= value >= wake.take(first + after)
        if not hot.any():
            return []
        if look.repeats:
            hot = self.pairs.company(first, hot) & ~np.isnan(value)
        some = np.flatnonzero(hot)
        value = np.repeat(value.take(some), len(self.rules))
        rows, pair = self.pairs.each(rows.take(some), first.take(some))
        if not look.repeats:
            return self.judge(look, rows, pair, value)
        found: list[Found] = []
        for turn in rounds(pair):
            found += self.judge(look, rows[turn], pair[turn], value[turn])
        return found

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """As `compare`; NaN of what is not able."""
        measured = np.full(len(rows), np.nan)
        able = np.flatnonzero(self.able(pair))
        if len(able):
            measured[able] = self.compare(look, rows.take(able), pair.take(able))
        return measured

    @cached_property
    def _alike(self) -> bool:
        """Whether all rules measure the same, of the same readings."""
        return len({self.manner(rule) for rule in self.rules}) == 1 and not self.any_below


def places(n: int) -> dict[str, Blank]:
    """The facts of `n` series: the place of each, NOWHERE for none."""
    return {f"kin{one}": np.int32(NOWHERE) for one in range(n)}


def other_phase(phase: UInt8, steps: int) -> UInt8:
    """Of `l1` to `l3` the phase so many steps on, in a circle; of others NOBODY."""
    on = (phase.astype(np.int64) - 1 + steps) % 3 + 1
    return np.where((phase >= _FIRST) & (phase <= _LAST), on, NOBODY).astype(np.uint8)


def ambient_of(phase: UInt8) -> list[tuple[Metric, UInt8 | int]]:
    """The two series that `ComparingKernel.ambient` asks for, in its order."""
    return [(Metric.TEMPERATURE_AMBIENT, NO_PHASE), (Metric.TEMPERATURE_AMBIENT, phase)]


def check_metric(rule: HeldRule, metric: Metric) -> None:
    """Raises ValueError where the rule is about anything but `metric`."""
    if rule.metrics != (metric,):
        raise ValueError(f"key `metric`: only `{metric.name_on_wire}` is allowed for this kind")


def check_load(key: str, level: Level) -> None:
    """Raises ValueError where this cannot be a least current."""
    try:
        least = level.value_in(units_of(Metric.CURRENT), Metric.CURRENT.name_on_wire)
    except ValueError as error:
        raise ValueError(f"key `{key}`: {error}") from None
    if least < 0:
        raise ValueError(f"key `{key}`: is negative; a current of 0 A or more is allowed")


def _rating(relative: Relative, slot: Int32, table: SeriesTable) -> Float64:
    if relative is Relative.BREAKER:
        return table.breaker_a[slot].astype(np.float64)
    return table.reference_a[slot] if relative is Relative.REFERENCE else np.ones(len(slot))
