"""What every kernel over (reading, rule) pairs has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, Metric, SeriesTable
from rules.found import Found
from rules.look import Look
from rules.pairs import Blank, Pairs, State
from rules.rounds import Rows, rounds
from rules.rule import BaseRule
from rules.transition import Transition

ACTIVE: Final = 1
"""The bit of `status` that means the alarm is active, in every kernel."""

R = TypeVar("R", bound=BaseRule)
N = TypeVar("N", bound=np.generic)


class PairKernel(ABC, Generic[R]):
    """All rules of one kind over one series table: one call a batch, whatever the number of rules.

    `order` is each rule's place in the catalogue. A subclass's columns include `status` (uint8).
    """

    of_slot: ClassVar[Mapping[str, Blank]] = {}
    """Columns of facts by slot, as `of_slot` of `Pairs`."""

    def __init__(
        self,
        rules: Sequence[R],
        order: Mapping[str, int],
        blank: Mapping[str, Blank],
        table: SeriesTable,
        facts: Mapping[str, Blank] | None = None,
    ) -> None:
        self.rules: list[R] = list(rules)
        self.order = [order[rule.name] for rule in rules]
        self.number = {rule.name: number for number, rule in enumerate(rules)}
        self.pairs = Pairs([rule.metrics for rule in rules], blank, table, facts, self.of_slot)
        self._watched = tuple(sorted(self.metrics))

    def goes_on(self, rules: Sequence[R], order: Mapping[str, int]) -> bool:
        """Whether it is the kernel of `rules` as it is; then `order` is their place from here on."""
        if self.rules != list(rules):
            return False
        self.order = [order[rule.name] for rule in rules]
        return True

    @property
    def metrics(self) -> frozenset[Metric]:
        """The metrics whose readings it looks at."""
        return frozenset(metric for rule in self.rules for metric in rule.metrics)

    @abstractmethod
    def evaluate(self, look: Look) -> list[Found]:
        """What the readings of a batch raise and clear; arrival order is kept within a series."""

    @abstractmethod
    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """What a person's act on one of these rules changes. An act on a series we do not know is nothing."""

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `Pairs.adopt`."""
        self.pairs.adopt(table, changed)

    def active(self, among: Int32 | None = None) -> Iterator[tuple[str, int]]:
        """(rule, slot) of every active alarm, or of those on some slots."""
        status = self.pairs.state["status"]
        if among is None:
            pairs = np.flatnonzero(status[: self.pairs.n] & ACTIVE)
        else:
            pair = self.pairs.expand(among)[1]
            pairs = pair[(status[pair] & ACTIVE) != 0]
        for one in pairs.tolist():
            yield self.rules[self.pairs.rule[one]].name, int(self.pairs.slot[one])

    def snapshot(self) -> State:
        """Copies of all state; `rules` names the rules that the column `rule` numbers."""
        return {"rules": np.array([rule.name for rule in self.rules], np.str_), **self.pairs.snapshot()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot: exact for every pair that still is what it was, blank for others."""
        now = [self.number.get(str(name), -1) for name in state["rules"]]
        self.pairs.restore(state, np.array(now, np.int16))

    def heard(self, look: Look) -> tuple[Rows, Rows]:
        """The readings of a batch that these rules are about, each with the first pair of its slot; metric by
        metric, each in the order of arrival."""
        return self.pairs.heard(*look.heard(self._watched))

    def of_rule(self, numbers: NDArray[N], pair: Rows) -> NDArray[N]:
        """A rule's number for each pair: one for all where there is one rule, which is the usual case."""
        return numbers if len(numbers) == 1 else numbers.take(self.pairs.rule.take(pair))

    def turns(self, look: Look, rows: Rows, pair: Rows) -> Iterator[tuple[Rows, Rows]]:
        """(rows, pairs) of each round: in each round every pair occurs once, in the order of arrival."""
        if not look.repeats:
            if len(rows):
                yield rows, pair
            return
        for turn in rounds(pair):
            yield rows[turn], pair[turn]
