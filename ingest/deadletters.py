"""Refused messages and strangers, kept where an operator can see them: bounded, and never slowing a tick.

Counts by reason are exact, also over a crash: what is not yet in the database stands in the journal. Of the
messages themselves a sample is kept; a crash may lose the last second of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, reading, writing
from devices.profiles.profile import Reason, Rejected
from ingest.record import Record
from ingest.schema import dead_letter, dead_letter_count, journal_position
from ingest.sightings import Sighting
from ingest.strangers import Strangers, clean

log = structlog.get_logger()

KEPT_PER_REASON: Final = 1_000
"""Rows kept per reason, the newest (chosen)."""
KEPT_PER_FLUSH: Final = 100
"""Rows of one reason written at once, the newest; the rest of a flood is only counted (chosen)."""
KEPT_PAYLOAD_BYTES: Final = 4_096
ONCE_US: Final = 86_400_000_000
"""A device that sends what no codec reads is kept as a letter once a day: each of its messages says the same,
and all of them are counted (chosen)."""
ONCE_MAX: Final = 10_000
"""Such devices that are known; then all are kept once more (chosen)."""
FLUSH_US: Final = 1_000_000
"""At most one transaction a second (contract 8)."""
POSITION: Final = "dead_letters"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message as stored: `payload` is its beginning, `size` its whole length."""

    at_us: int
    reason: str
    detail: str
    topic: str
    payload: bytes
    size: int


class DeadLetters:
    """Gathers in memory, writes at most once a second. One writer: the ingest process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: Counter[str] = Counter()
        self._letters: dict[str, deque[DeadLetter]] = {}
        self._once: dict[str, int] = {}
        self._flushed_us = 0
        self._failing = False
        self._unsure: tuple[int, Counter[str]] | None = None
        """Position and counts of a write whose answer was lost: it may have happened."""
        self._seq = 0
        with reading(engine) as connection:
            self._counted_to = _position(connection)
            self.strangers = Strangers(connection)

    def note(
        self, record: Record, rejected: Sequence[Rejected], topics: Sequence[str], payloads: Sequence[bytes]
    ) -> None:
        """Takes what one journalled tick refused."""
        self.count(record)
        for one in rejected:
            if one.reason is Reason.NO_CODEC and self._is_known(topics[one.message], record.tick_us):
                continue
            letters = self._letters.setdefault(one.reason, deque(maxlen=KEPT_PER_FLUSH))
            payload = payloads[one.message]
            letters.append(
                DeadLetter(
                    record.tick_us,
                    one.reason,
                    clean(one.detail),
                    clean(topics[one.message]),
                    payload[:KEPT_PAYLOAD_BYTES],
                    len(payload),
                )
            )

    def _is_known(self, topic: str, at_us: int) -> bool:
        """Whether a letter of octets on this topic was kept not long ago."""
        last_us = self._once.get(topic)
        if last_us is not None and abs(at_us - last_us) < ONCE_US:
            return True
        if len(self._once) >= ONCE_MAX:
            self._once.clear()
        self._once[topic] = at_us
        return False

    def count(self, record: Record) -> None:
        """Counts a record's refusals, unless the database has them; replay calls it for old records."""
        if record.seq > self._counted_to:
            self._counts.update(record.rejected)
            self._counted_to = record.seq
        self._seq = max(self._seq, record.seq)

    def sight(self, sightings: Sequence[Sighting], at_us: int) -> None:
        """Remembers strangers, as many as there is room for."""
        self.strangers.sight(sightings, at_us)

    def flush(self, now_us: int) -> bool:
        """Writes what is gathered, when a second has passed. True where it wrote; a busy database waits."""
        if not (self._counts or self._letters or self.strangers) or abs(now_us - self._flushed_us) < FLUSH_US:
            return False
        self._flushed_us = now_us
        try:
            with writing(self._engine) as connection:
                self._write(connection)
                strangers = self.strangers.write(connection)
        except OperationalError as error:
            self._unsure = (self._seq, self._counts.copy())
            if not self._failing:
                log.warning("dead_letters_wait", error=str(error.orig))
            self._failing = True
            return False
        self._failing = False
        self._counts.clear()
        self._letters.clear()
        self.strangers.written(strangers)
        return True

    def _drop_written(self, connection: Connection) -> None:
        """Takes out of the counts what the last write counted after all, though its answer was lost."""
        if self._unsure is None:
            return
        seq, counts = self._unsure
        if counts and _position(connection) >= seq:
            self._counts -= counts
        self._unsure = None

    def _write(self, connection: Connection) -> None:
        self._drop_written(connection)
        for reason, count in self._counts.items():
            add_count(connection, reason, count)
        for reason, letters in self._letters.items():
            add_letters(connection, reason, letters)
        connection.execute(insert_new(connection, journal_position).values(name=POSITION, seq=0))
        connection.execute(
            update(journal_position).where(journal_position.c.name == POSITION).values(seq=self._seq)
        )


def _position(connection: Connection) -> int:
    """The newest journal record whose refusals are counted; 0 for none."""
    return connection.scalar(select(journal_position.c.seq).where(journal_position.c.name == POSITION)) or 0


def add_count(connection: Connection, reason: str, count: int) -> None:
    """So many more were refused for this reason."""
    connection.execute(insert_new(connection, dead_letter_count).values(reason=reason, count=0))
    more = dead_letter_count.c.count + count
    connection.execute(
        update(dead_letter_count).where(dead_letter_count.c.reason == reason).values(count=more)
    )


def add_letters(connection: Connection, reason: str, letters: Iterable[DeadLetter]) -> None:
    """Keeps letters of one reason, one at least, and of all of that reason the newest."""
    connection.execute(dead_letter.insert(), [_columns(letter) for letter in letters])
    _keep_newest(connection, reason)


def list_dead_letters(connection: Connection, reason: str = "", limit: int = 50) -> list[DeadLetter]:
    """The newest refused messages first; `reason` empty means all."""
    columns = dead_letter.c
    query = select(
        columns.at_us, columns.reason, columns.detail, columns.topic, columns.payload, columns.size
    ).order_by(columns.id.desc())
    if reason:
        query = query.where(columns.reason == reason)
    return [DeadLetter(*row) for row in connection.execute(query.limit(limit))]


def count_dead_letters(connection: Connection) -> dict[str, int]:
    """How many messages were refused, ever, by reason."""
    counts = select(dead_letter_count.c.reason, dead_letter_count.c.count)
    return dict(connection.execute(counts).all())


def _columns(letter: DeadLetter) -> dict[str, object]:
    return {name: getattr(letter, name) for name in ("at_us", "reason", "detail", "topic", "payload", "size")}


def _keep_newest(connection: Connection, reason: str) -> None:
    oldest_kept = (
        select(dead_letter.c.id)
        .where(dead_letter.c.reason == reason)
        .order_by(dead_letter.c.id.desc())
        .offset(KEPT_PER_REASON - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(
        delete(dead_letter).where(dead_letter.c.reason == reason, dead_letter.c.id < oldest_kept)
    )
