"""Judging: from a measured value to an alarm, as docs/rules.md numbers its steps."""

from __future__ import annotations

import math

from devices.model import Earthing, Insulation
from tests.rules.reference.entries import Entry, quantity
from tests.rules.reference.reading import HOUR, MINUTE
from tests.rules.reference.world import World


class Judge:
    """One rule on one series."""

    def __init__(self, entry: Entry, slot: int, world: World, *, gated: bool) -> None:
        self.entry = entry
        self.raise_at, self.clear_below = levels(entry, slot, world)
        if misplaced(entry, slot, world) or (gated and not earthed(slot, world)):
            self.raise_at = math.nan
        self.below = bool(entry.keys.get("below", False))
        self.hold = entry.us("hold")
        self.clear_hold = entry.us("clear_hold") if "clear_hold" in entry.keys else 0
        silence_s = float(world.table.silence_s[slot])
        self.may = None if math.isnan(silence_s) else int(silence_s * 1e6)
        by_the_hour = self.may is not None and self.may <= 150 * MINUTE
        self.in_full = max(entry.us("max_gap"), self.may if by_the_hour and self.may else 45 * MINUTE)
        need, of = entry.keys.get("samples", "1 of 1").split(" of ")
        self.need, self.of = int(need), int(of)
        self.active = False
        self.told = 0
        """When the reading came with which it changed last."""
        self.forget()

    def forget(self) -> None:
        """Everything but whether it is active."""
        self.running, self.since, self.last = False, 0, 0
        self.counted: list[bool] = []

    def read(self, value: float, at: int, *, queued: bool) -> bool:
        """Whether the alarm changes at a reading whose value is known."""
        if math.isnan(self.raise_at):
            return False
        counts = not queued and self._is_wanted(value)
        hold = self.clear_hold if self.active else self.hold
        both = counts and self.counted[-1:] == [True]
        made_up = self._made_up(at - self.last, hold, both=both) if self.running and not queued else None
        if made_up is None:
            self.counted = []
        before = self.counted[-max(self.of - 1, 1) :]
        if made_up is not None and any(before):
            self.since += at - self.last - made_up
        else:
            self.since = at
        enough = sum([*before, counts][-self.of :]) >= self.need
        if counts and enough and at - self.since >= hold:
            self.active = not self.active
            self.forget()
            return True
        self.counted = [*before, counts][-self.of :]
        self.running, self.last = any(self.counted), at
        return False

    def _made_up(self, gap: int, hold: int, *, both: bool) -> int | None:
        """How much of the hold a gap counts as; None: the readings before it are forgotten."""
        if 0 <= gap <= self.in_full:
            return gap
        may = 25 * HOUR if self.may is None else self.may
        if not hold or not 0 <= gap <= may:
            return None
        return min(gap, (hold + 1) // 2) if both else 0

    def _is_wanted(self, value: float) -> bool:
        if not self.active:
            return value <= self.raise_at if self.below else value >= self.raise_at
        return value > self.clear_below if self.below else value < self.clear_below


def levels(entry: Entry, slot: int, world: World) -> tuple[float, float]:
    """The raise and the clear level of a series; NaN where its circuit's rating is not known.

    A rule without levels is raised at 1 and cleared below a half.
    """
    code = Insulation(world.table.insulation[slot])
    stated = entry.keys.get("insulation", {}).get(code.name.lower(), entry.keys)
    both = []
    for key in ("raise", "clear"):
        missing = math.nan if "raise" in stated else {"raise": 1.0, "clear": 0.5}[key]
        number, unit = quantity(stated[key]) if key in stated else (missing, "")
        both.append(number * world.rating(slot, unit))
    return both[0], both[1]


def misplaced(entry: Entry, slot: int, world: World) -> bool:
    """Whether the rule does not hold where the device is, or on what the series measures."""
    where, dwelling = entry.keys.get("where", "any"), int(world.table.dwelling[slot])
    if where == "circuit":
        return world.off_circuit(slot)
    return (where == "dwelling" and not dwelling) or (where == "building" and dwelling != 0)


def earthed(slot: int, world: World) -> bool:
    return world.table.earthing[slot] in (Earthing.TN_S, Earthing.TT)
