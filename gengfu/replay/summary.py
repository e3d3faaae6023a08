"""What came of a replay in numbers: how many alarms, over how much time, and how early.

The 95 % bound is the largest rate that would give no more alarms than there were with a probability of 5 %,
were they independent (one-sided, Poisson): of no alarm at all it is 3 in the time observed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from devices.model import Quality
from gengfu.replay.events import Events
from gengfu.replay.recorded import Book, Recorded
from gengfu.told_times import utc_or_none
from rules.catalogue import Catalogue
from rules.transition import To, Transition

DAY_US: Final = 86_400_000_000
MONTH_DAYS: Final = 30.0
"""What a device-month is."""
LONGEST_GAP_US: Final = 3_600_000_000
"""A gap between two readings of a device that is longer is not time observed (chosen)."""
_EXACT_UP_TO: Final = 400


def upper_bound(count: int) -> float:
    """The mean of the Poisson distribution of which `count` or fewer have a probability of 5 %."""
    if count > _EXACT_UP_TO:
        shape = count + 1.0
        return shape * (1 - 1 / (9 * shape) + 1.6448536 / (3 * math.sqrt(shape))) ** 3
    low, high = 0.0, 2.0 * count + 10
    for _ in range(60):
        middle = (low + high) / 2
        term = total = math.exp(-middle)
        for k in range(1, count + 1):
            term *= middle / k
            total += term
        low, high = (middle, high) if total > 0.05 else (low, middle)
    return high


class Summary:
    """Gathers readings and transitions, and says what they come to."""

    def __init__(
        self, catalogue: Catalogue, book: Book, events: Events | None = None, gap_us: int = LONGEST_GAP_US
    ) -> None:
        self._severity = {rule.name: str(rule.severity) for rule in catalogue.rule}
        self._book = book
        self._events = events
        self._gap_us = gap_us
        self._heard = np.zeros(0, np.int64)
        self._observed_us = 0
        self._from_us: int | None = None
        self._until_us = 0
        self._readings = 0
        self._late = 0
        self._raised: Counter[tuple[str, str]] = Counter()
        self._cleared: Counter[str] = Counter()

    def read(self, part: Recorded) -> None:
        """These readings were replayed."""
        self._readings += len(part.slot)
        self._late += int(np.count_nonzero(part.quality & int(Quality.LATE)))
        first, last = int(part.observed_us.min()), int(part.observed_us.max())
        self._from_us = first if self._from_us is None else min(first, self._from_us)
        self._until_us = max(last, self._until_us)
        device = self._book.table().device[part.slot]
        self._grow(int(device.max()) + 1)
        order = np.argsort(device, kind="stable")
        device, at = device[order], part.observed_us[order]
        head = np.append(True, device[1:] != device[:-1])
        before = np.where(head, self._heard[device], np.append(at[:1], at[:-1]))
        gap = at - np.maximum(before, 0)
        self._observed_us += int(gap[(before > 0) & (gap > 0) & (gap <= self._gap_us)].sum())
        np.maximum.at(self._heard, device, at)

    def told(self, transition: Transition) -> None:
        """This was raised or cleared."""
        if transition.to is To.RAISED:
            self._raised[transition.rule, str(transition.severity)] += 1
            if self._events is not None:
                self._events.raised(self._book.device(transition.slot), transition.rule, transition.at_us)
        else:
            self._cleared[transition.rule] += 1

    @property
    def readings(self) -> int:
        """How many were replayed."""
        return self._readings

    @property
    def span_us(self) -> tuple[int, int]:
        """The time of the first reading and of the last."""
        return self._from_us or 0, self._until_us

    def figures(self) -> dict[str, Any]:
        """The summary as JSON; rates are None where no time was observed."""
        days = self._observed_us / DAY_US
        figures: dict[str, Any] = {
            "readings": self._readings,
            "late": self._late,
            "series": len(self._book) - 1,
            "devices": self._book.devices(),
            "from": utc_or_none(self._from_us),
            "until": utc_or_none(None if self._from_us is None else self._until_us),
            "device_days": significant(days),
            "alarms": sum(self._raised.values()),
            **rates(sum(self._raised.values()), days / MONTH_DAYS, "device_month"),
            "by_rule": self._by_rule(days / MONTH_DAYS),
        }
        if self._events is not None:
            figures["events"] = self._events.figures()
        return figures

    def _by_rule(self, months: float) -> dict[str, Any]:
        counted: dict[str, Any] = {}
        for (rule, severity), count in sorted(self._raised.items()):
            name = rule if severity == self._severity.get(rule, severity) else f"{rule} {severity}"
            counted[name] = {
                "severity": severity,
                "raised": count,
                "cleared": self._cleared[rule],
                **rates(count, months, "device_month"),
            }
        return counted

    def _grow(self, size: int) -> None:
        if size > len(self._heard):
            more = np.zeros(max(size, 2 * len(self._heard)) - len(self._heard), np.int64)
            self._heard = np.concatenate((self._heard, more))


def rates(count: int, periods: float, period: str) -> Mapping[str, float | None]:
    """So many in so many periods: the rate and the 95 % bound of it, to three significant digits."""
    if periods <= 0:
        return {f"per_{period}": None, f"per_{period}_at_most": None}
    return {
        f"per_{period}": significant(count / periods),
        f"per_{period}_at_most": significant(upper_bound(count) / periods),
    }


def significant(value: float) -> float:
    """To three significant digits: more is not in a rate of a few alarms."""
    return float(f"{value:.3g}")
