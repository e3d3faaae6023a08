"""What somebody said by SMS or by a key, as acts to be handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from alerts.case import Act


@dataclass(frozen=True, slots=True)
class Said:
    """An act by one contact on one incident, in the role in which it was told of it. `once`: what said again
    is the same act; empty where each reply is one of its own."""

    incident_id: int
    contact_id: int
    role: str
    act: Act
    note: str
    at_us: int
    once: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The acts of one reply. `unclear`: the summary to which it said what cannot be done to all of it (a row
    of `notification`); its reader is told so."""

    acts: tuple[Said, ...]
    unclear: Row[Any] | None = None
