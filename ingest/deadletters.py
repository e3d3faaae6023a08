"""Refused messages and strangers, kept where an operator can see them: bounded, and never slowing a tick.

Counts by reason are exact, also over a crash: what is not yet in the database stands in the journal. Of the
messages themselves a sample is kept; a crash may lose the last second of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, reading, writing
from devices.profiles.profile import Rejected
from ingest.record import Record
from ingest.schema import dead_letter, dead_letter_count, journal_position, stranger
from ingest.sightings import Sighting

log = structlog.get_logger()

KEPT_PER_REASON: Final = 1_000
"""Rows kept per reason, the newest (chosen)."""
KEPT_PER_FLUSH: Final = 100
"""Rows of one reason written at once, the newest; the rest of a flood is only counted (chosen)."""
KEPT_PAYLOAD_BYTES: Final = 4_096
KEPT_STRANGERS: Final = 10_000
"""Devices nobody registered that are remembered; when full, those unheard of for `STRANGER_US` make room, and
further ones are heard but not listed (chosen)."""
STRANGERS_PER_FLUSH: Final = 2_000
"""Strangers written at once, the first heard first; the others wait for the next flush. Chosen: some 30 ms of
the database's write lock, of the 0.11 to 0.16 s measured for 10,000."""
STRANGER_US: Final = 7 * 86_400_000_000
"""Chosen: battery devices speak once a day."""
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


@dataclass(slots=True)
class _Seen:
    sighting: Sighting
    first_us: int
    last_us: int


class DeadLetters:
    """Gathers in memory, writes at most once a second. One writer: the ingest process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: Counter[str] = Counter()
        self._letters: dict[str, deque[DeadLetter]] = {}
        self._seen: dict[str, _Seen] = {}
        self._flushed_us = 0
        self._failing = False
        self._unsure: tuple[int, Counter[str]] | None = None
        """Position and counts of a write whose answer was lost: it may have happened."""
        self._seq = 0
        with reading(engine) as connection:
            self._counted_to = _position(connection)
            self._known = set(connection.scalars(select(stranger.c.uid)))

    def note(
        self, record: Record, rejected: Sequence[Rejected], topics: Sequence[str], payloads: Sequence[bytes]
    ) -> None:
        """Takes what one journalled tick refused."""
        self.count(record)
        for one in rejected:
            letters = self._letters.setdefault(one.reason, deque(maxlen=KEPT_PER_FLUSH))
            payload = payloads[one.message]
            letters.append(
                DeadLetter(
                    record.tick_us,
                    one.reason,
                    _clean(one.detail),
                    _clean(topics[one.message]),
                    payload[:KEPT_PAYLOAD_BYTES],
                    len(payload),
                )
            )

    def count(self, record: Record) -> None:
        """Counts a record's refusals, unless the database has them; replay calls it for old records."""
        if record.seq > self._counted_to:
            self._counts.update(record.rejected)
            self._counted_to = record.seq
        self._seq = max(self._seq, record.seq)

    def sight(self, sightings: Sequence[Sighting], at_us: int) -> None:
        """Remembers strangers, as many as there is room for."""
        for one in sightings:
            uid = _clean(one.uid)[:200]
            seen = self._seen.get(uid)
            if seen:
                seen.sighting, seen.last_us = one, at_us
            elif uid in self._known or len(self._known) < KEPT_STRANGERS:
                self._known.add(uid)
                self._seen[uid] = _Seen(one, at_us, at_us)

    def flush(self, now_us: int) -> bool:
        """Writes what is gathered, when a second has passed. True where it wrote; a busy database waits."""
        if not (self._counts or self._letters or self._seen) or abs(now_us - self._flushed_us) < FLUSH_US:
            return False
        self._flushed_us = now_us
        try:
            with writing(self._engine) as connection:
                self._write(connection)
        except OperationalError as error:
            self._unsure = (self._seq, self._counts.copy())
            if not self._failing:
                log.warning("dead_letters_wait", error=str(error.orig))
            self._failing = True
            return False
        self._failing = False
        self._counts.clear()
        self._letters.clear()
        for uid in self._next_strangers():
            del self._seen[uid]
        return True

    def _next_strangers(self) -> list[str]:
        """Those that one flush writes."""
        return list(islice(self._seen, STRANGERS_PER_FLUSH))

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
            connection.execute(insert_new(connection, dead_letter_count).values(reason=reason, count=0))
            more = dead_letter_count.c.count + count
            connection.execute(
                update(dead_letter_count).where(dead_letter_count.c.reason == reason).values(count=more)
            )
        for reason, letters in self._letters.items():
            connection.execute(dead_letter.insert(), [_columns(letter) for letter in letters])
            _keep_newest(connection, reason)
        self._write_strangers(connection)
        connection.execute(insert_new(connection, journal_position).values(name=POSITION, seq=0))
        connection.execute(
            update(journal_position).where(journal_position.c.name == POSITION).values(seq=self._seq)
        )

    def _write_strangers(self, connection: Connection) -> None:
        if not self._seen:
            return
        rows = [_row(uid, self._seen[uid]) for uid in self._next_strangers()]
        connection.execute(insert_new(connection, stranger), rows)
        connection.execute(
            _HEARD_AGAIN, [{f"b_{name}": value for name, value in one.items()} for one in rows]
        )
        if len(self._known) >= KEPT_STRANGERS:
            self._forget_strangers(connection, max(seen.last_us for seen in self._seen.values()))

    def _forget_strangers(self, connection: Connection, now_us: int) -> None:
        """Those that were not heard of late make room. What is forgotten here though the transaction fails is
        written anew when it is heard."""
        old = select(stranger.c.uid).where(stranger.c.last_us < now_us - STRANGER_US)
        gone = [uid for uid in connection.scalars(old) if uid not in self._seen]
        if gone:
            connection.execute(_FORGOTTEN, [{"b_uid": uid} for uid in gone])
        self._known.difference_update(gone)


_HEARD_AGAIN: Final = (
    update(stranger)
    .where(stranger.c.uid == bindparam("b_uid"))
    .values(topic=bindparam("b_topic"), profile=bindparam("b_profile"), last_us=bindparam("b_last_us"))
)
_FORGOTTEN: Final = delete(stranger).where(stranger.c.uid == bindparam("b_uid"))


def _row(uid: str, seen: _Seen) -> dict[str, str | int]:
    return {
        "uid": uid,
        "topic": _clean(seen.sighting.topic),
        "profile": seen.sighting.profile,
        "first_us": seen.first_us,
        "last_us": seen.last_us,
    }


def _position(connection: Connection) -> int:
    """The newest journal record whose refusals are counted; 0 for none."""
    return connection.scalar(select(journal_position.c.seq).where(journal_position.c.name == POSITION)) or 0


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


def _clean(text: str) -> str:
    """At most 300 characters that every database takes: no NUL, no lone surrogate."""
    return text[:300].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
