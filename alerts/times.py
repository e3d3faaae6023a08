"""Since when an incident goes on, and when the newest serious alarm in it was raised: for messages, the board
and the one-tap page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from alerts.case import Alarm
from devices.model import Severity

AHEAD_US: Final = 300_000_000
"""So far ahead of ours may the clock of a device be (design, contract 11): an alarm that much later than the
incident can be the one that opened it."""
APART_US: Final = 60_000_000
"""Times nearer to each other are one: they are said to the minute."""


class Times(NamedTuple):
    """`since_us`: when it began. `newest_us`: when the newest serious alarm was raised, None where it is the
    one that it began with. Of what is less than serious, since when the oldest alarm stands."""

    since_us: int
    newest_us: int | None = None


def times_of(opened_us: int, alarms: Sequence[Alarm]) -> Times:
    """The times of an incident, by the alarms that stand; where none does, by all."""
    standing = [alarm for alarm in alarms if alarm.cleared_us is None] or list(alarms)
    oldest_us = min((alarm.raised_us for alarm in standing), default=opened_us)
    serious = [alarm.raised_us for alarm in standing if alarm.severity.rank <= Severity.P1.rank]
    began_us = opened_us if oldest_us > opened_us + AHEAD_US else oldest_us
    if not serious or max(serious) - began_us < APART_US:
        return Times(oldest_us)
    return Times(began_us, max(serious))
