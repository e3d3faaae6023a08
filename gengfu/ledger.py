"""The SQL side of a tick: one transaction for all it has to say, and the way back of people's acts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import OperationalError

from alerts.inbox import TransitionRow, store_transitions
from alerts.inputs import inputs_after
from devices.database import ChangeNotice, insert_new, reading, writing
from devices.model import EngineInput
from devices.profiles.profile import Note
from devices.schema import series
from gengfu.rulebook import AS_SHIPPED, Called
from ingest.notes import write_notes
from ingest.record import NewSeries, StrangerTopic
from ingest.schema import journal_position
from rules.transition import Subject, Transition

COMMITTED = "committed"
"""The row of `journal_position` that says up to which record transitions are in the database."""

Names = Callable[[int], tuple[int, str, str]]
"""(slot, uid, channel) of the series on a seat: what the engine calls slot."""
Calls = Callable[[str], Called]
"""What the rule of a name says of its alarms."""


class SqlLedger:
    """Writes what a tick found. `name_of` turns the engine's places into the names that others use, `called`
    says what those rules call their alarms that are not as shipped."""

    def __init__(
        self,
        engine: Engine,
        name_of: Names,
        clock_us: Callable[[], int],
        called: Calls = lambda _: AS_SHIPPED,
    ) -> None:
        self._engine = engine
        self._name_of = name_of
        self._clock_us = clock_us
        self._called = called

    def commit(
        self,
        transitions: Sequence[Transition],
        new_series: Sequence[NewSeries],
        strangers: Sequence[StrangerTopic],
        seq: int,
        freed: Sequence[int] = (),
        notes: Sequence[Note] = (),
    ) -> None:
        """One transaction: series, notes, transitions and the journal position. Called again it changes
        nothing.

        `freed` are slots of series that are gone; they go before the new ones come.

        Raises sqlalchemy.exc.OperationalError where the database is locked, full or away.
        """
        topics = {stranger.slot: stranger.topic for stranger in strangers}
        rows = [self._named(one, topics) for one in transitions]
        created_us = self._clock_us()
        with writing(self._engine) as connection:
            if freed:
                connection.execute(delete(series).where(series.c.slot.in_(freed)))
            if new_series:
                values = [_values(one, created_us) for one in new_series]
                connection.execute(insert_new(connection, series), values)
            write_notes(connection, notes)
            store_transitions(connection, rows)
            moved = connection.execute(
                update(journal_position)
                .where(journal_position.c.name == COMMITTED, journal_position.c.seq < seq)
                .values(seq=seq)
            )
            if not moved.rowcount:
                connection.execute(insert_new(connection, journal_position).values(name=COMMITTED, seq=seq))

    def _named(self, transition: Transition, topics: dict[int, str]) -> TransitionRow:
        slot, uid, channel = self._name_of(transition.slot)
        if transition.subject is Subject.DEVICE:
            channel = ""  # the device as a whole: which of its series it was seen on says nothing
        topic, said = topics.get(slot, ""), self._called(transition.rule)
        return TransitionRow(replace(transition, slot=slot), uid, channel, topic, said.hazard, said.title)


def _values(one: NewSeries, created_us: int) -> dict[str, object]:
    return {
        "slot": one.slot,
        "uid": one.uid,
        "channel": one.channel,
        "metric": one.metric,
        "created_us": created_us,
    }


def committed_seq(engine: Engine) -> int:
    """The newest journal record whose transitions are in the database; 0 for none."""
    with reading(engine) as connection:
        return int(
            connection.scalar(select(journal_position.c.seq).where(journal_position.c.name == COMMITTED)) or 0
        )


WAIT_S: Final = 0.5
"""After a look that failed: a server that does not answer must not cost every tick a timeout (chosen)."""


class SqlInbox:
    """New rows of `engine_input`, looked for when the database has changed (at most 30 µs a look)."""

    def __init__(self, engine: Engine, after_id: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`clock_s` is a monotonic clock, for WAIT_S."""
        self._engine = engine
        self._notice = ChangeNotice(engine)
        self._after_id = after_id
        self._clock_s = clock_s
        self._not_before_s = -math.inf
        self._unread = True

    def take(self) -> list[EngineInput]:
        """What is new since the last call, oldest first.

        Raises OperationalError; then nothing is skipped, and nothing is given for WAIT_S.
        """
        self._unread = self._notice.changed() or self._unread
        if not self._unread or self._clock_s() < self._not_before_s:
            return []
        try:
            with reading(self._engine) as connection:
                inputs = inputs_after(connection, self._after_id)
        except OperationalError:
            self._not_before_s = self._clock_s() + WAIT_S
            raise
        self._unread = False
        if inputs:
            self._after_id = inputs[-1].id
        return inputs

    def close(self) -> None:
        """Lets go of the notice's file or connection."""
        self._notice.close()
