"""Sends the digest of each day and the report of each week, once to each who is told. Looked at every ten
seconds, beside everything else.

What has had its turn is one cursor each: the instant up to which was told. It moves in the transaction that
keeps the messages, so a crash at any moment repeats none and skips none: what falls between two digests is in
the second. A day on which the service was down at the hour and for long after is told of the next day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, select

from alerts.agenda import store_positions
from alerts.contact_tests import report_way
from alerts.digest import Digest, digest_parts, digest_text
from alerts.digest_read import digest_since
from alerts.digest_settings import DigestSettings
from alerts.memos import Kind, Memo, keep_memos
from alerts.schema import cursor
from alerts.weekly import weekly_parts, weekly_text
from alerts.weekly_read import week_of
from devices.bound import Bound, duty_desks, holders
from devices.bound_many import bound_to_spots
from devices.database import reading, writing
from devices.model import Carrier, Role
from devices.quiet import DAY_MINUTES

log = structlog.get_logger()

DAILY: Final = "digest.daily"
WEEKLY: Final = "digest.weekly"
"""The cursors."""
LATE_MIN: Final = 360
"""So many minutes after its own a report still goes out (chosen: not in the evening of what could wait)."""
TOLD_WEEKLY: Final = (Role.MAINTENANCE, Role.SUPERVISOR)
_MINUTE_US: Final = 60_000_000
_WEEK: Final = 7
_MONDAY: Final = 1
SETTLED_US: Final = 60_000_000
"""A report tells of what is so long past: what was decided before then is in the database by now (chosen: a
turn takes a second)."""
Making = Callable[[Connection, int, int], Iterable[Memo]]
"""The messages of what is between two instants."""


class DigestWatch:
    """Looks at both, each by itself: one that fails costs the other nothing."""

    def __init__(self, engine: Engine, settings: DigestSettings) -> None:
        self._engine = engine
        self._settings = settings

    def look(self, now_us: int) -> None:
        """One look. Raises nothing: what fails is logged and looked at again."""
        is_monday = self._settings.day(now_us) % _WEEK == _MONDAY
        for name, wanted, making, is_day in (
            (DAILY, self._settings.daily, self._of_day, True),
            (WEEKLY, self._settings.weekly, self._of_week, is_monday),
        ):
            try:
                if wanted:
                    self._tell(name, making, now_us, is_day=is_day)
            except Exception as error:  # a database that is away, or a fault of ours: the alarms go on
                log.error("digest_failed", what=name, error=type(error).__name__)

    def _tell(self, name: str, making: Making, now_us: int, *, is_day: bool) -> None:
        """Keeps the messages where their time has come; at the first start, and where a clock was ahead, only
        from when on the next one tells."""
        with reading(self._engine) as connection:
            last_us = connection.scalar(select(cursor.c.position).where(cursor.c.name == name))
            if last_us is None or last_us > now_us:
                memos = list[Memo]()
            elif is_day and self._is_due(last_us, now_us):
                memos = list(making(connection, last_us, now_us))
            else:
                return
        with writing(self._engine) as connection:
            keep_memos(connection, memos, now_us, now_us + LATE_MIN * _MINUTE_US)
            store_positions(connection, {name: now_us - SETTLED_US})

    def _is_due(self, last_us: int, now_us: int) -> bool:
        late_min = self._settings.minute(now_us) - self._settings.minute_of_day
        last_day = self._settings.day(last_us + SETTLED_US)
        return 0 <= late_min <= LATE_MIN and last_day < self._settings.day(now_us)

    def _of_day(self, connection: Connection, since_us: int, now_us: int) -> Iterator[Memo]:
        digest = digest_since(connection, since_us, now_us - SETTLED_US)
        whose = self._whose(connection, digest, now_us)
        zone, site = self._settings.zone, self._settings.site
        for one, ids in whose:
            mine = digest.of(ids)
            if not mine.is_empty:
                text = digest_text(mine, one.language, zone)
                yield from self._memo(
                    "digest", one, text, digest_parts(mine, site, one.language, zone), now_us
                )

    def _of_week(self, connection: Connection, since_us: int, now_us: int) -> Iterator[Memo]:
        week = week_of(connection, since_us, now_us - SETTLED_US, self._settings.uncarried)
        people = self._reachable(holders(connection, TOLD_WEEKLY, now_us, live=True))
        people = people or self._reachable(duty_desks(connection, now_us, live=True))
        for one in people:
            text = weekly_text(week, one.language, self._settings.zone)
            yield from self._memo(
                "weekly", one, text, weekly_parts(week, self._settings.site, one.language), now_us
            )

    def _whose(
        self, connection: Connection, digest: Digest, now_us: int
    ) -> Iterable[tuple[Bound, frozenset[int]]]:
        """Who is told of which incidents: the maintenance of the place; where nobody there can be told, its
        duty desk, else every duty desk."""
        spots = {one.spot for one in digest.found if one.spot is not None}
        bound = bound_to_spots(connection, spots, now_us, live=True)
        desks = self._reachable(duty_desks(connection, now_us, live=True)) if digest.found else ()
        told = {spot: self._told(people) or desks for spot, people in bound.items()}
        people = dict[int, Bound]()
        ids: Mapping[int, set[int]] = defaultdict(set)
        for line in digest.found:
            for one in told.get(line.spot, desks) if line.spot else desks:
                people.setdefault(one.contact_id, one)
                ids[one.contact_id].add(line.incident_id)
        return [(one, frozenset(ids[number])) for number, one in people.items()]

    def _told(self, people: Iterable[Bound]) -> Sequence[Bound]:
        every = self._reachable(people)
        keepers = [one for one in every if one.role is Role.MAINTENANCE]
        return keepers or [one for one in every if one.role is Role.DUTY_DESK]

    def _reachable(self, people: Iterable[Bound]) -> Sequence[Bound]:
        """Each contact who can be told, once in a role."""
        found = dict[tuple[int, Role], Bound]()
        for one in people:
            if can_be_told(one, self._settings.refused):
                found.setdefault((one.contact_id, one.role), one)
        return tuple(found.values())

    def _memo(
        self, name: str, one: Bound, text: str, parts: Mapping[str, str], now_us: int
    ) -> Iterator[Memo]:
        """The message to one contact, at the end of their quiet hours."""
        minute = self._settings.minute(now_us)
        asleep = one.quiet is not None and one.quiet.holds(minute)
        wait_min = (one.quiet.until_minute - minute) % DAY_MINUTES if one.quiet and asleep else 0
        way = report_way(one.ways, self._settings.refused)
        if way is not None:
            yield Memo(
                key=f"memo/{name}/{self._settings.day(now_us)}/{one.contact_id}",
                kind=Kind.REPORT,
                contact_id=one.contact_id,
                way=way,
                language=one.language,
                text=text,
                parts=parts,
                after_us=wait_min * _MINUTE_US,
            )


def can_be_told(one: Bound, refused: Mapping[Carrier, str]) -> bool:
    """Whether somebody is there and has a way by which a report may go."""
    return not one.away and report_way(one.ways, refused) is not None
