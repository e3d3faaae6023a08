"""The windows of one turn. Whatever goes wrong here means: told, as if there were none (contract 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select

from alerts.case import Case, Step
from alerts.exercise import NEAR_US, real_place
from alerts.gate import exercise_in
from alerts.incident import Arrival
from alerts.joining import Where
from alerts.plain_words import since_text
from alerts.route_asked import where_of_device
from alerts.schema import cursor
from alerts.surroundings import surroundings
from alerts.whereabouts import where_of
from alerts.windows import (
    NOWHERE,
    Around,
    Window,
    WindowKind,
    diverting,
    lengthened,
    silencing,
)
from alerts.windows_kept import (
    CURSOR,
    newest_end_id,
    recent_exercises,
    waiting_for,
    windows_at,
    windows_ended,
)

Failed = Callable[[str, Exception], Any]
T = TypeVar("T")


class WindowsNow:
    """The windows in force at `now_us`, those that have ended since the last turn, and where things are.

    Each look has a savepoint, and one that fails is told to `failed` and finds nothing.
    """

    def __init__(self, connection: Connection, now_us: int, failed: Failed) -> None:
        self._connection = connection
        self._now_us = now_us
        self._failed = failed
        self._in_force: tuple[Window, ...] = self._tried("windows", self._read, ())
        self._position = 0
        self.ended: frozenset[int] = self._tried("ends of windows", self._read_ends, frozenset())
        self._waiting: Sequence[Row[Any]] = self._tried("what waits for windows", self._read_waiting, ())
        self._around: dict[Where, Around] = {}
        self._wheres = {row.id: where for row in self._waiting if (where := self._real(row))}

    @property
    def position(self) -> dict[str, int]:
        """The cursor behind the ends that this turn takes; nothing where they could not be read."""
        return {CURSOR: self._position} if self._position else {}

    @property
    def waiting(self) -> frozenset[int]:
        """The incidents in which something waits for a window that is over."""
        return frozenset(row.id for row in self._waiting)

    def keys(self, keys: Iterable[str], uids: Iterable[str]) -> frozenset[str]:
        """The places at which else incidents must be known: exercises of these places and devices, and where
        those are real whose window is over."""
        kinds = {window.kind for window in self._in_force}
        found = {where.key for where in self._wheres.values()}
        if WindowKind.DRILL in kinds:
            found |= {f"{WindowKind.DRILL}:{key}" for key in keys}
        if WindowKind.COMMISSIONING in kinds:
            found |= {f"{WindowKind.COMMISSIONING}:{uid}" for uid in uids}
        return frozenset(found)

    def exercises_in(self, building_ids: Iterable[int]) -> set[int]:
        """The exercises in these buildings that may have had a part in an alarm of two devices."""
        ids = set(building_ids) - {0}
        since_us = self._now_us - NEAR_US
        return self._tried(
            "exercises", lambda: recent_exercises(self._connection, ids, since_us) if ids else set(), set()
        )

    def prepare(self, wheres: Iterable[Where]) -> None:
        """Looks up where these are, all together; only where a window is in force."""
        asked = set(wheres) - self._around.keys()
        if self._in_force and asked:
            nothing: dict[Where, Around] = {}
            self._around |= self._tried(
                "places of windows", lambda: surroundings(self._connection, asked), nothing
            )

    def diverting(self, arrival: Arrival, where: Where) -> Window | None:
        """The window that makes an exercise of a raised alarm."""
        if not self._in_force:
            return None
        return self._tried(
            "windows of an alarm",
            lambda: diverting(self._in_force, arrival, self._of(where), self._now_us),
            None,
        )

    def silencing(self, case: Case, step: Step) -> Window | None:
        """The silence that puts a step off."""
        if not self._in_force or exercise_in(case.incident.place):
            return None
        return self._tried(
            "silences of an incident",
            lambda: silencing(
                self._in_force, case, step.name, self._of(where_of(case.incident)), self._now_us
            ),
            None,
        )

    def lengthening(self, case: Case) -> Window | None:
        """The window by which an exercise goes on when its own is over."""
        if not self._in_force:
            return None
        where = real_place(case.incident) or where_of(case.incident)
        return self._tried(
            "windows of an exercise",
            lambda: lengthened(self._in_force, case, self._of(where), self._now_us),
            None,
        )

    def real_where(self, case_id: int, case: Case) -> Where:
        """Where an exercise's alarms are for real; where that cannot be said, at the device itself."""
        uid = next((alarm.uid for alarm in case.alarms), "")
        return self._wheres.get(case_id) or Where(f"device:{uid}")

    def until_text(self, window: Window, zone: tzinfo) -> str:
        """The end of a window in the site's time."""
        return since_text(window.until_us, self._now_us, zone)

    def _of(self, where: Where) -> Around:
        self.prepare([where])
        return self._around.get(where, NOWHERE)

    def _read(self) -> tuple[Window, ...]:
        return windows_at(self._connection, self._now_us, self._failed)

    def _read_ends(self) -> frozenset[int]:
        newest = newest_end_id(self._connection)
        at = self._connection.scalar(select(cursor.c.position).where(cursor.c.name == CURSOR)) or 0
        if newest <= at:
            return frozenset()
        ended = windows_ended(self._connection, at)
        self._position = newest
        return ended

    def _read_waiting(self) -> Sequence[Row[Any]]:
        return waiting_for(self._connection, self.ended, self._now_us)

    def _real(self, row: Row[Any]) -> Where | None:
        """Where the alarms of an exercise belong; None for a real incident, which waits for a silence."""
        kind = exercise_in(row.place)
        of = row.place.removeprefix(f"{kind}:")
        if kind != WindowKind.COMMISSIONING:
            return Where(of, row.dwelling_id, row.building_id) if kind else None
        return self._tried("place of a device", lambda: where_of_device(self._connection, of), None)

    def _tried(self, what: str, look: Callable[[], T], instead: T) -> T:
        try:
            with self._connection.begin_nested():
                return look()
        except Exception as error:
            self._failed(what, error)
            return instead
