"""What the reports of each day and each week are told by the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from devices.model import Carrier
from devices.quiet import local_minute


@dataclass(frozen=True, slots=True)
class DigestSettings:
    """`site` is its name as people read it, `timezone` its IANA zone.

    `daily` and `weekly` switch the two, `minute_of_day` is theirs in the site's time. `refused` are carriers
    that take no report and why, `uncarried` those without an account (`alerts.contact_tests`).
    """

    site: str = "Gengfu"
    timezone: str = "Asia/Shanghai"
    daily: bool = True
    weekly: bool = True
    minute_of_day: int = 8 * 60 + 30
    refused: Mapping[Carrier, str] = field(default_factory=dict)
    uncarried: frozenset[Carrier] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    def minute(self, at_us: int) -> int:
        """The minute of the site's day."""
        return local_minute(at_us, self.zone)

    def day(self, at_us: int) -> int:
        """The site's day, as an ordinal: 1 for the first day of the year 1, a Monday."""
        return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(self.zone).toordinal()
