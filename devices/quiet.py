"""Quiet hours: the stretch of each day in which lesser messages wait for a person. Pure.

Minutes of the day are those of the site's time zone, 0 for 00:00 to 1439 for 23:59.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 24 * 60
_FORM: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `from_minute` until before `until_minute`, every day; past midnight where it ends lower.

    Raises ValueError where a minute is none of the day, or where both are the same: that could mean no hour
    or every hour.
    """

    from_minute: int
    until_minute: int

    def __post_init__(self) -> None:
        if not (0 <= self.from_minute < DAY_MINUTES and 0 <= self.until_minute < DAY_MINUTES):
            raise ValueError(f"minutes {self.from_minute} and {self.until_minute}: 0 to 1439 is allowed")
        if self.from_minute == self.until_minute:
            raise ValueError("quiet hours that end when they begin: two different times are allowed")

    @classmethod
    def parse(cls, text: str) -> Quiet:
        """From `22:00-07:00`; raises ValueError saying what is allowed."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"quiet hours {text!r}: HH:MM-HH:MM from 00:00 to 23:59 is allowed, such as 22:00-07:00"
            )
        hour, minute, until_hour, until_minute = map(int, match.groups())
        try:
            return cls(hour * 60 + minute, until_hour * 60 + until_minute)
        except ValueError as error:
            raise ValueError(f"quiet hours {text!r}: {error}") from None

    @classmethod
    def stored(cls, from_minute: int | None, until_minute: int | None) -> Quiet | None:
        """What two columns hold; None where they hold no quiet hours, or none that make sense: then nobody
        is left untold because of them (contract 5)."""
        if from_minute is None or until_minute is None:
            return None
        try:
            return cls(from_minute, until_minute)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """As people write it: `22:00-07:00`."""
        return f"{_clock(self.from_minute)}-{_clock(self.until_minute)}"

    def holds(self, local_minute: int) -> bool:
        """Whether this minute of the site's day is quiet."""
        if self.from_minute < self.until_minute:
            return self.from_minute <= local_minute < self.until_minute
        return local_minute >= self.from_minute or local_minute < self.until_minute


def local_minute(at_us: int, zone: ZoneInfo) -> int:
    """The minute of the day in `zone`, 0 to 1439; when clocks change, what the clock on the wall shows."""
    there = datetime.fromtimestamp(at_us // 1_000_000, zone)
    return there.hour * 60 + there.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
