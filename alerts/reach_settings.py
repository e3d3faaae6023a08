"""What the watch over reachability is told by the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from devices.model import Carrier
from devices.quiet import Quiet, local_minute

DAY_HOURS: Final = Quiet(10 * 60, 17 * 60)
"""When monthly tests go out (chosen: who works by night is up, who naps then is disturbed once a month)."""


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """`site` is its name as people read it, `timezone` its IANA zone.

    `silent` switches the monthly tests, `per_minute` bounds their messages, `hours` are theirs. `report`
    switches the daily message, `report_minute` is its minute of the site's day. `refused` are carriers that
    take no test and why, `uncarried` those without an account (`alerts.contact_tests`).
    """

    site: str = "Gengfu"
    timezone: str = "Asia/Shanghai"
    silent: bool = True
    per_minute: int = 30
    hours: Quiet = DAY_HOURS
    report: bool = True
    report_minute: int = 8 * 60
    refused: Mapping[Carrier, str] = field(default_factory=dict)
    uncarried: frozenset[Carrier] = frozenset()

    def minute(self, now_us: int) -> int:
        """The minute of the site's day."""
        return local_minute(now_us, ZoneInfo(self.timezone))

    def day(self, at_us: int) -> int:
        """The site's day, as an ordinal: 1 for the first day of the year 1, a Monday."""
        return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(ZoneInfo(self.timezone)).toordinal()
