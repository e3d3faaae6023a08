"""Lines that a chart draws across: where rules raise. Whoever knows the rules gives them to the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine

from devices.database import reading
from devices.model import Metric
from ingest.store.history import Series
from rules.transition import Why

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a rule raises on one series: at or above `value`, with `below` at or below it. In the unit in
    which values of the metric are kept; `title` is what the rule is called."""

    rule: str
    value: float
    title: Why
    below: bool = False


Limits = Callable[[Connection, Series], Sequence[Limit]]
"""The limits of one series; may raise anything."""
LooksAt = Callable[[Connection, str], frozenset[Metric]]
"""What a rule of this name looks at; may raise anything."""


def no_limits(connection: Connection, series: Series) -> Sequence[Limit]:
    """Nobody knows any."""
    return ()


def looks_at_nothing(connection: Connection, rule: str) -> frozenset[Metric]:
    """Nobody knows."""
    return frozenset()


class RulesAsked:
    """Asks for what rules say. A failure is said in the log once, until an answer came; pages go without."""

    def __init__(self, engine: Engine, limits: Limits, looks_at: LooksAt) -> None:
        self._engine, self._limits, self._looks_at = engine, limits, looks_at
        self._failing = False

    def limits(self, series: Series) -> Sequence[Limit]:
        """None where they cannot be worked out."""
        try:
            with reading(self._engine) as connection:
                found = list(self._limits(connection, series))
        except Exception as error:
            self._failed(error)
            return ()
        self._failing = False
        return found

    def looks_at(self, rules: Sequence[str]) -> dict[str, frozenset[Metric]]:
        """What each of these rules looks at; nothing where that cannot be worked out."""
        try:
            with reading(self._engine) as connection:
                found = {rule: self._looks_at(connection, rule) for rule in set(rules)}
        except Exception as error:
            self._failed(error)
            return {}
        self._failing = False
        return found

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            log.error("limits_not_known", error=repr(error), do="charts go without")
        self._failing = True
