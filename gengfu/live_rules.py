"""The engine as ingest runs it: its rules and overrides change while it runs, without losing state.

What holds is a rule book (`gengfu.rulebook`). A change comes as its text with a record of the journal, so a
replay changes at the same record. An override that begins or ends by time does so with the first record of
that time or later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, ReadingBatch, SeriesTable
from gengfu.rulebook import AS_SHIPPED, Called, Rulebook, Settled, read_rulebook, settle
from rules.catalogue import CatalogueError
from rules.engine import Engine
from rules.explained import Explained
from rules.overrides import Override
from rules.pairs import State
from rules.transition import Transition

log = structlog.get_logger()

_TEXT: Final = "book"
"""The rule book's text in a snapshot, as bytes."""
_NEVER: Final = 2**62


class LiveRules:
    """The rules of `book` over `table`. `version` names the book in the journal; `changes` counts books that
    took over."""

    def __init__(self, table: SeriesTable, book: Rulebook | None = None) -> None:
        """Raises CatalogueError where the book's own rules cannot be used."""
        self._settled = settle(book or Rulebook())
        self._ready: Settled | None = None
        self._table = table
        self._engine = Engine(self._settled.catalogue, table, self._settled.calendar)
        self._since_us = self._until_us = 0
        self.changes = 0

    @property
    def version(self) -> int:
        """CRC-32 of the shipped rules and of the book; of the shipped rules alone where it says nothing."""
        return self._settled.version

    @property
    def text(self) -> str:
        """The book that holds."""
        return self._settled.text

    def called(self, rule: str) -> Called:
        """What the rule of this name says of its alarms where that is not as shipped."""
        return self._settled.called.get(rule, AS_SHIPPED)

    @property
    def in_force(self) -> tuple[Override, ...]:
        """The overrides that hold as of the newest record."""
        return self._engine.in_force

    def prepare(self, settled: Settled) -> None:
        """A book that is to come, made ready in another thread: `change` to its text then is quick."""
        self._ready = settled

    def change(self, text: str, now_us: int) -> list[Transition]:
        """Turns to the book of this text; `now_us` is the time of the record that brought it.

        The clearings of alarms that nothing watches any more. A text that this release cannot use changes
        what of it can be used, and is logged: it was used by another release.
        """
        settled, before, engine = self._made_of(text), self._settled, self._engine
        cleared: list[Transition] = []
        try:
            if settled.catalogue != before.catalogue or settled.calendar is not before.calendar:
                self._engine, cleared = self._engine.turned_to(settled.catalogue, now_us, settled.calendar)
            self._settled = settled
            self._turn(now_us)
        except Exception as error:  # whatever it is: alarms must go on, by the rules there were (contract 5)
            log.error("rules_refused", error=repr(error), do="the rules before them hold")
            self._settled, self._engine = before, engine
            self._turn(now_us)
            return []
        self.changes += 1
        return cleared

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """See `Engine.adopt`."""
        self._table = table
        self._engine.adopt(table, changed)

    def forget(self, slots: Int32) -> None:
        """See `Engine.forget`."""
        self._engine.forget(slots)

    def holds(self, slots: Int32) -> Bool:
        """See `Engine.holds`."""
        return self._engine.holds(slots)

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        """See `Engine.evaluate`; with the overrides of that time."""
        if not self._since_us <= now_us < self._until_us:
            self._turn(now_us)
        return self._engine.evaluate(batch, inputs, now_us, source)

    def advance(self, now_us: int) -> list[Transition]:
        """See `Engine.advance`."""
        return self._engine.advance(now_us)

    @property
    def due_us(self) -> int:
        """See `Engine.due_us`."""
        return self._engine.due_us

    @property
    def away(self) -> frozenset[str]:
        """See `Engine.away`."""
        return self._engine.away

    def explain(self, slot: int) -> list[Explained]:
        """See `Engine.explain`."""
        return self._engine.explain(slot)

    def snapshot(self) -> State:
        """The complete state, the rule book with it."""
        text = np.frombuffer(self._settled.text.encode(), np.uint8)
        return {**self._engine.snapshot(), _TEXT: text}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot with the rule book of that time; one of an earlier release had the shipped rules
        alone."""
        text = state[_TEXT].tobytes().decode() if _TEXT in state else Rulebook().text()
        settled, before = self._made_of(text), self._settled
        if settled.catalogue != before.catalogue or settled.calendar is not before.calendar:
            self._engine = Engine(settled.catalogue, self._table, settled.calendar)
        self._settled = settled
        self._engine.restore(state)
        self._since_us = self._until_us = 0

    def _turn(self, now_us: int) -> None:
        """The overrides of this time hold from here on, until the next begins or ends."""
        overrides = self._settled.overrides
        self._engine.override(overrides, now_us)
        after = overrides.next_turn_us(now_us)
        self._since_us = max((at for at in overrides.turns_us if at <= now_us), default=-_NEVER)
        self._until_us = _NEVER if after is None else after

    def _made_of(self, text: str) -> Settled:
        for known in (self._settled, self._ready):
            if known is not None and known.text == text:
                return known
        try:
            book = read_rulebook(text)
        except ValueError as error:
            log.error("rules_unreadable", error=str(error), do="the rules before them hold")
            return self._settled
        try:
            return settle(book)
        except CatalogueError as error:
            log.error("rules_refused", error=str(error), do="the shipped rules hold without the site's own")
            return settle(Rulebook(timezone=book.timezone, overrides=book.overrides))
