"""What a profile file says of times → `Clock`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import reduce
from typing import Final
from zoneinfo import ZoneInfo

from devices.profiles.compiling.compiled import Clock
from devices.profiles.compiling.faulty import Place
from devices.profiles.language.meaning import Time

NUMERIC: Final = ("s", "ms", "us")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE: Final = datetime(2021, 11, 22, 13, 14, 15, 678901, tzinfo=UTC)
_FORMATS: Final = "`s`, `ms`, `us`, `iso` and patterns of strptime with a year, such as `%Y-%m-%d %H:%M:%S`"


class Zones:
    """The zones in which a profile's times are: each time's own, else the profile's, else the site's."""

    def __init__(self, profile_tz: str, site_tz: str) -> None:
        self._site = Place(("tz",)).read(lambda: zone_of(site_tz))
        self._profile = Place(("tz",)).read(lambda: zone_of(profile_tz)) if profile_tz else None

    def clocks(self, place: Place, times: list[Time]) -> tuple[Clock, ...]:
        """The clocks of a list of times, in order; neighbours at the same path are chained by `then`."""
        clocks = [self._clock(place.at(n), time) for n, time in enumerate(times)]
        chains: list[list[Clock]] = []
        for clock in clocks:
            if chains and chains[-1][0].way == clock.way:
                chains[-1].append(clock)
            else:
                chains.append([clock])
        return tuple(reduce(_behind, reversed(chain)) for chain in chains)

    def _clock(self, place: Place, time: Time) -> Clock:
        if time.format not in (*NUMERIC, "iso"):
            _check_pattern(place.at("format"), time.format)
        zone = place.at("tz").read(lambda: zone_of(time.tz)) if time.tz else self._profile
        earliest = place.at("earliest").read(lambda: datetime.fromisoformat(time.earliest))
        return Clock(
            way=place.at("path").way(time.path),
            format=time.format,
            zone=zone or self._site,
            assumed=zone is None,
            earliest_us=round((_aware(earliest) - _EPOCH).total_seconds()) * 1_000_000,
        )


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name; ValueError where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone `{name}`; IANA names such as `Asia/Shanghai` are allowed") from None


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _behind(after: Clock, before: Clock) -> Clock:
    return Clock(before.way, before.format, before.zone, before.assumed, before.earliest_us, after)


def _check_pattern(place: Place, pattern: str) -> None:
    try:
        read = datetime.strptime(_SAMPLE.strftime(pattern), pattern)  # noqa: DTZ007 - for its year
    except (ValueError, OverflowError, IndexError, KeyError, re.error):
        read = None
    if read is None or read.year != _SAMPLE.year:
        raise place.fault(f"no format `{pattern}`; allowed: {_FORMATS}")
