"""`gengfu bench ordinary`: how often the shipped rules disturb people whose life is ordinary.

Recordings in which nothing is known to be wrong go through the engine (`benchmarks/household.py`): what is
raised is counted as false. All devices of a collection are laid side by side, each from its own first day on,
so that one pass judges them together. A latched alarm is reset after an hour, as a person would, so that it
can come again. What comes by time alone (offline) is left out: the gaps are the recording's, not the
device's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.exercised import NOTHING, Exercised, exercised, not_exercised, observed_days
from benchmarks.household import Meter, home, plugs_by_minute, plugs_by_second
from devices.model import (
    EngineInput,
    Float64,
    InputKind,
    Int32,
    Int64,
    Metric,
    ReadingBatch,
    SeriesTable,
    Severity,
)
from gengfu.replay.summary import DAY_US, rates
from gengfu.shipped import shipped_catalogue
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.rule import HeldRule
from rules.transition import To, Transition

VOLTS: Final = 230.0
"""What power is divided by for a current."""
YEAR_DAYS: Final = 365.0
LATCHED_US: Final = 3_600_000_000
"""When a latched alarm is reset (chosen: somebody was there)."""
MOST_P2: Final = 4.0
"""What is asked for: no P0 and no P1, and at most so many P2 a device-year."""
SIZES_A: Final = (16.0, 20.0, 25.0, 32.0, 40.0, 50.0, 63.0)
"""Ratings of breakers (IEC 60898)."""
_TICK_US: Final = 10_000_000
COLLECTIONS: Final[dict[str, Callable[[Path], list[Meter]]]] = {
    "tracebase": plugs_by_second,
    "appliance_malfunction": plugs_by_minute,
    "household_d202": home,
}
_LIFE: Final = ("P0+", "P0", "P1")
MEASURED: Final = (Metric.CURRENT, Metric.POWER_ACTIVE)
"""The series of a meter, in the order of their slots."""


class Judged(NamedTuple):
    """What one collection came to."""

    devices: int
    days: float
    raised: Counter[tuple[str, str]]
    """By rule and severity."""
    where: Counter[tuple[str, str]]
    """By rule and device."""
    exercised: Exercised = NOTHING


def measure(data: Path, catalogue: Catalogue | None = None) -> dict[str, object]:
    """The figures, together and by collection. Raises CannotMeasure where a recording is missing.

    `fitted` are the same with a larger circuit for each device that draws more than its own can carry: such a
    device is not on the circuit that it is taken to be on, and its overloads say nothing of the rules.
    `exercised` are the rules that these recordings could have raised, `not_exercised` says of the others why
    their silence means nothing.
    """
    rules = catalogue or shipped_catalogue()
    given: list[Judged] = []
    fitted: list[Judged] = []
    collections: dict[str, object] = {}
    for name, read in COLLECTIONS.items():
        meters = read(data / name)
        within = judge([meter for meter in meters if not _over(meter)], rules)
        over = [meter for meter in meters if _over(meter)]
        whole = together([within, judge(over, rules)])
        given.append(whole)
        fitted += [within, judge([_fitted(meter) for meter in over], rules)]
        collections[name] = {
            **figures(whole),
            "over": [meter.uid for meter in over],
            "by_device": _hit(whole),
        }
    whole = together(given)
    return {
        "rules": len(rules.rule),
        **figures(whole),
        "exercised": _exercised(whole),
        "not_exercised": not_exercised(rules, whole.exercised, [one.name_on_wire for one in MEASURED]),
        "fitted": figures(together(fitted)),
        "collections": collections,
    }


def together(parts: Sequence[Judged]) -> Judged:
    """Several as one."""
    return Judged(
        sum(one.devices for one in parts),
        sum(one.days for one in parts),
        sum((one.raised for one in parts), Counter()),
        sum((one.where for one in parts), Counter()),
        reduce(Exercised.and_then, (one.exercised for one in parts), NOTHING),
    )


def figures(judged: Judged) -> dict[str, Any]:
    """Counts and rates a device-year, by severity and by rule, each with its 95 % bound."""
    years = judged.days / YEAR_DAYS
    by_severity = {str(severity): 0 for severity in Severity}
    for (_, severity), count in judged.raised.items():
        by_severity[severity] += count
    quiet = not any(by_severity[one] for one in _LIFE)
    return {
        "devices": judged.devices,
        "device_days": round(judged.days, 2),
        "as_asked": quiet and by_severity["P2"] <= MOST_P2 * years,
        "by_severity": {
            name: {"raised": count, **rates(count, years, "device_year")}
            for name, count in by_severity.items()
        },
        "by_rule": {
            rule: {"severity": severity, "raised": count, **rates(count, years, "device_year")}
            for (rule, severity), count in sorted(judged.raised.items())
        },
    }


def judge(meters: Sequence[Meter], catalogue: Catalogue) -> Judged:
    """Devices through the engine, all side by side."""
    if not meters:
        return Judged(0, 0.0, Counter(), Counter())
    engine = Engine(catalogue, table_of(meters), Calendar.fixed(0))
    slots = [[2 * n + 1, 2 * n + 2] for n in range(len(meters))]
    could = exercised(engine, catalogue, meters, slots)
    latched = {rule.name for rule in catalogue.of(HeldRule) if rule.latched}
    raised: Counter[tuple[str, str]] = Counter()
    where: Counter[tuple[str, str]] = Counter()
    resets: list[Transition] = []
    for batch in _ticks(*side_by_side(meters)):
        now_us = batch.received_us
        due = [one for one in resets if one.at_us + LATCHED_US <= now_us]
        resets = [one for one in resets if one.at_us + LATCHED_US > now_us]
        for one in engine.evaluate(batch, [_reset(one, now_us) for one in due], now_us):
            if one.to is To.RAISED:
                raised[one.rule, str(one.severity)] += 1
                where[one.rule, meters[(one.slot - 1) // 2].uid] += 1
                if one.rule in latched:
                    resets.append(one)
    days = sum(observed_days(meter.at_us) for meter in meters)
    return Judged(len(meters), days, raised, where, could)


def table_of(meters: Sequence[Meter]) -> SeriesTable:
    """Two series a meter, current and power, on its own circuit in its own dwelling."""
    n = 2 * len(meters) + 1
    number = (np.arange(n, dtype=np.int32) + 1) // 2
    rated = np.append(np.nan, np.repeat([meter.rated_a for meter in meters], 2))
    table = SeriesTable.plain(
        1,
        np.array([0, *MEASURED * len(meters)], np.int16),
        number,
        number.copy(),
        rated,
    )
    table.breaker_a[:] = rated
    return table


def side_by_side(meters: Sequence[Meter]) -> tuple[Int64, Int32, Float64]:
    """Times, slots and values of all, each meter moved by whole days to where the first begins."""
    begin = min(int(meter.at_us[0]) // DAY_US for meter in meters)
    at, slot, value = [], [], []
    for number, meter in enumerate(meters):
        moved = meter.at_us - (int(meter.at_us[0]) // DAY_US - begin) * DAY_US
        for metric, values in enumerate((meter.watts / VOLTS, meter.watts)):
            at.append(moved)
            slot.append(np.full(len(moved), 2 * number + 1 + metric, np.int32))
            value.append(values)
    times = np.concatenate(at)
    order = np.argsort(times, kind="stable")
    return times[order], np.concatenate(slot)[order], np.concatenate(value)[order]


def _ticks(at: Int64, slot: Int32, value: Float64) -> Iterator[ReadingBatch]:
    tick = at // _TICK_US
    starts = np.flatnonzero(np.append(True, tick[1:] != tick[:-1])).tolist()
    for start, end in zip(starts, [*starts[1:], len(at)], strict=True):
        part, n = slice(start, end), end - start
        yield ReadingBatch(
            int(at[end - 1]),
            slot[part],
            at[part],
            np.zeros(n, np.uint16),
            value[part],
            np.zeros(n, np.uint32),
        )


def _over(meter: Meter) -> bool:
    return bool(meter.watts.max() > meter.rated_a * VOLTS)


def _fitted(meter: Meter) -> Meter:
    """On the smallest usual circuit that carries what it draws."""
    amperes = float(meter.watts.max()) / VOLTS
    return meter._replace(rated_a=next((size for size in SIZES_A if size >= amperes), amperes))


def _reset(one: Transition, now_us: int) -> EngineInput:
    return EngineInput(0, now_us, InputKind.RESET, one.rule, one.slot, one.place)


def _exercised(judged: Judged) -> dict[str, dict[str, Any]]:
    """Of each rule what it could judge, and how often it raised, with the bound over that time alone."""
    raised: Counter[str] = Counter()
    for (rule, _), count in judged.raised.items():
        raised[rule] += count
    return {
        rule: {
            "devices": seen.devices,
            "device_days": round(seen.days, 2),
            "raised": raised[rule],
            **rates(raised[rule], seen.days / YEAR_DAYS, "device_year"),
        }
        for rule, seen in sorted(judged.exercised.seen.items())
    }


def _hit(judged: Judged) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (rule, uid), count in judged.where.most_common():
        found.setdefault(rule, {})[uid] = count
    return found
