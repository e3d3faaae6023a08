"""What people, and our own absences, tell the engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InputKind(StrEnum):
    """What a human decided that the engine must know (the only thing that flows back)."""

    RESET = "reset"
    CLOSE = "close"
    UNFOUNDED = "unfounded"
    """An incident was closed, and the alarm had been false: counted against the detector (S4)."""
    AWAY = "away"
    BACK = "back"
    RETURNED = "returned"
    """Not a person's: a broker cannot be heard, can be heard again, and we ourselves are there again after
    a stop. `rule` is the broker's name, for `returned` empty; `id` is 0."""


@dataclass(frozen=True, slots=True)
class EngineInput:
    """A row of `engine_input`, journalled like a reading.

    `reset`, `close` and `unfounded` name the alarm by (`rule`, `slot`) or, for alarms of places, (`rule`,
    `place`) with slot 0; what kind of place, the rule says. `at_us` is when the human acted. `from_us` is
    when an absence began, for `returned`; 0: not known.
    """

    id: int
    at_us: int
    kind: InputKind
    rule: str
    slot: int
    place: int
    from_us: int = 0
