"""The watch over reachability: its standing fault, the monthly tests, and the daily message. Looked at every
ten seconds, beside everything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, exists, select

from alerts.agenda import store_positions
from alerts.contact_tests import report_way
from alerts.memos import Kind, Memo, keep_memos
from alerts.reach import PlaceReach, Report
from alerts.reach_read import proofs_of, report_now
from alerts.reach_settings import ReachSettings
from alerts.reach_words import FAULT, fault_text, is_wrong, report_parts, report_text
from alerts.schema import cursor
from alerts.silent_tests import make_silent_tests
from alerts.standing import settle_faults
from alerts.ways import Reach
from devices.bound import Bound, Way, holders
from devices.database import reading, writing
from devices.model import Carrier, PlaceKind, Role
from devices.schema import contact_channel
from devices.unreachable import standing_version

log = structlog.get_logger()

LOOK_S: Final = 10.0
REPORT: Final = "reach.report"
"""The cursor of the daily message: the last day that had its turn, as an ordinal."""
LATE_MIN: Final = 360
"""After so many minutes a message that was missed is left for tomorrow (chosen: nobody is told at night that
all is not well by day)."""
TOLD: Final = (Role.DUTY_DESK, Role.MAINTENANCE)
_MINUTE_US: Final = 60_000_000
_WEEK: Final = 7
_REST: Final = 20


class ReachWatch:
    """Looks, each part by itself: one that fails costs the others nothing."""

    def __init__(self, engine: Engine, settings: ReachSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._seen: object = None
        self._not_before_us = 0

    def look(self, now_us: int) -> None:
        """One look at all three. Raises nothing: what fails is logged and looked at again."""
        for what, work in (("fault", self.check), ("tests", self.test), ("report", self.report)):
            _tried(what, work, now_us)

    def test(self, now_us: int) -> None:
        """Makes the monthly tests that are due."""
        most = max(1, round(self._settings.per_minute * LOOK_S / 60))
        make_silent_tests(self._engine, self._settings, now_us, most)

    def check(self, now_us: int) -> None:
        """Begins, renews and ends the fault of dwellings with a smoke detector whose people are all behind
        ways that fail. Where nobody has a way at all, `alerts.standing` says so.

        Of a large site it takes seconds, and a registry that is being filled changes all the time: what took
        more than a second rests for twenty times as long.
        """
        if now_us < self._not_before_us:
            return
        begun_s = time.monotonic()
        with reading(self._engine) as connection:
            proofs = proofs_of(connection, now_us, proven=False)
            failing = frozenset(n for n, proof in proofs.items() if proof.fails)
            seen = standing_version(connection, now_us), failing
            if seen == self._seen:
                return
            found = {}
            some = failing or _uses(connection, self._settings.uncarried)
            if some and (bare := deserted_with_smoke(connection, self._settings, now_us)):
                found[FAULT] = fault_text(bare)
        settle_faults(self._engine, (FAULT,), found, now_us)
        self._seen = seen
        took_s = time.monotonic() - begun_s
        self._not_before_us = now_us + round(took_s * _REST * 1e6) if took_s > 1.0 else 0

    def report(self, now_us: int) -> None:
        """The message of the day, once, when its minute has come; on Mondays also when all is well."""
        today, minute = self._settings.day(now_us), self._settings.minute(now_us)
        late_min = minute - self._settings.report_minute
        if not self._settings.report:
            return
        with reading(self._engine) as connection:
            last = connection.scalar(select(cursor.c.position).where(cursor.c.name == REPORT))
            begun = today if late_min >= 0 else today - 1
            if last is None or last > today:
                memos, position = list[Memo](), begun  # the first start, or a clock that was ahead
            elif last >= begun:
                return
            else:
                is_time = 0 <= late_min <= LATE_MIN
                memos = list(self._messages(connection, now_us, today)) if is_time else []
                position = begun
        with writing(self._engine) as connection:
            keep_memos(connection, memos, now_us, now_us + LATE_MIN * _MINUTE_US)
            store_positions(connection, {REPORT: position})

    def _messages(self, connection: Connection, now_us: int, today: int) -> Iterator[Memo]:
        report = report_now(connection, now_us, self._settings.uncarried)
        weekly = today % _WEEK == 1
        if not weekly and not is_wrong(report):
            return
        told = set[int]()
        minute = self._settings.minute(now_us)
        for one in holders(connection, TOLD, now_us, live=True):
            way = report_way(one.ways, self._settings.refused)
            asleep = one.quiet is not None and one.quiet.holds(minute)
            if way is not None and not one.away and not asleep and one.contact_id not in told:
                told.add(one.contact_id)
                yield self._message(report, one, way, today, weekly=weekly)

    def _message(self, report: Report, one: Bound, way: Way, today: int, *, weekly: bool) -> Memo:
        return Memo(
            key=f"memo/report/{today}/{one.contact_id}",
            kind=Kind.REPORT,
            contact_id=one.contact_id,
            way=way,
            language=one.language,
            text=report_text(report, one.language, weekly=weekly),
            parts=report_parts(report, self._settings.site, one.language),
        )


def _tried(what: str, work: Callable[[int], None], now_us: int) -> None:
    try:
        work(now_us)
    except Exception as error:  # a database that is away, or a fault of ours: the alarms go on
        log.error("reachability_failed", what=what, error=type(error).__name__)


def _uses(connection: Connection, carriers: frozenset[Carrier]) -> bool:
    way = contact_channel.c
    used = exists().where(way.carrier.in_([str(one) for one in carriers]), way.removed_us.is_(None))
    return bool(carriers) and bool(connection.scalar(select(used)))


def deserted_with_smoke(connection: Connection, settings: ReachSettings, now_us: int) -> Sequence[PlaceReach]:
    """Dwellings with a smoke detector and nobody to tell although somebody has a way."""
    report = report_now(connection, now_us, settings.uncarried, proven=False)
    return deserted_homes(report)


def deserted_homes(report: Report) -> Sequence[PlaceReach]:
    """Those of a report."""
    with_ways = {one.code for one in report.of(Reach.NO_WAY) if one.why.way is not None}
    return [
        place
        for place in report.deserted
        if place.smoke
        and place.kind is PlaceKind.DWELLING
        and (place.reach is Reach.BOUNCED or not with_ways.isdisjoint(place.people))
    ]
