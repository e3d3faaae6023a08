"""Devices that nobody has registered, kept for whoever installs them: bounded, and invented names make way.

Anybody who may publish can invent names, so the list is full some day. Then who was heard once, longest ago,
makes room first; who was heard again, and who measures what life hangs on, stays as long as there is another.
Alarms can be invented too: of one group no more than `SHARE` of those that said one keep others out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from devices.database import insert_new
from devices.profiles.general.naming import UID_MAX
from ingest.schema import device_said, stranger
from ingest.sightings import LIFE_NAMES, METRICS_KEY, Sighting

KEPT_STRANGERS: Final = 10_000
"""Devices nobody registered that are remembered (chosen)."""
SHARE: Final = 2_000
"""Where more than so many are of one first level of topics (one gateway, one publisher's prefix), these make
way before others do (chosen: a fifth)."""
AGAIN_US: Final = 60_000_000
"""Who is heard so long after the first time was heard again: a burst of messages is one (chosen)."""
STRANGERS_PER_FLUSH: Final = 2_000
"""Strangers written at once, the first heard first; the others wait for the next flush. Chosen: some 30 ms of
the database's write lock, of the 0.11 to 0.16 s measured for 10,000."""
TOPIC_CHARS: Final = 300
_RANKS: Final = 3
"""0: neither of these; 1: measures what life hangs on; 2: said a true life flag, and makes way only where
more than `SHARE` of its group did."""


@dataclass(slots=True)
class _Kept:
    group: str
    rank: int
    first_us: int
    last_us: int
    again: bool = False
    stored: bool = False


@dataclass(slots=True)
class _Shelf:
    """Those who may make way, of one rank: heard once and heard again, each the longest unheard first."""

    once: dict[str, None] = field(default_factory=dict)
    again: dict[str, None] = field(default_factory=dict)
    once_of: dict[str, dict[str, None]] = field(default_factory=dict)
    again_of: dict[str, dict[str, None]] = field(default_factory=dict)

    def put(self, uid: str, one: _Kept) -> None:
        (self.again if one.again else self.once)[uid] = None
        (self.again_of if one.again else self.once_of).setdefault(one.group, {})[uid] = None

    def take(self, uid: str, one: _Kept) -> None:
        del (self.again if one.again else self.once)[uid]
        groups = self.again_of if one.again else self.once_of
        del groups[one.group][uid]
        if not groups[one.group]:
            del groups[one.group]

    def first_of_too_many(self, large: Iterable[str]) -> str:
        """Who makes way first of a group of which this shelf holds more than `SHARE`, heard once before heard
        again; "" for nobody."""
        for group in large:
            once, again = self.once_of.get(group, {}), self.again_of.get(group, {})
            if len(once) + len(again) > SHARE:
                return next(iter(once or again))
        return ""

    def first_to_go(self, large: Iterable[str]) -> str:
        """Who makes way first: of a large group, then of all, heard once before heard again; "" for nobody.
        Of those who were heard again only one of a large group does."""
        for of in (self.once_of, None, self.again_of):
            for group in large if of is not None else ("",):
                some = self.once if of is None else of.get(group)
                if some:
                    return next(iter(some))
        return ""


class Strangers:
    """Remembers them in memory, and writes what is new. One writer: the ingest process."""

    def __init__(self, connection: Connection) -> None:
        self._kept: dict[str, _Kept] = {}
        self._shelves = tuple(_Shelf() for _ in range(_RANKS))
        self._sizes: dict[str, int] = {}
        self._large: dict[str, None] = {}
        self._waiting: dict[str, Sighting] = {}
        self._gone: dict[str, None] = {}
        self.left_out = 0
        """How often somebody was heard for whom there was no room."""
        self._recall(connection)

    def __bool__(self) -> bool:
        """Whether something is to be written."""
        return bool(self._waiting or self._gone)

    def sight(self, sightings: Sequence[Sighting], at_us: int) -> None:
        """Remembers who was heard."""
        for one in sightings:
            uid = clean(one.uid)[:UID_MAX]
            kept = self._kept.get(uid)
            rank = 2 if one.alarm else int(one.life)
            if kept is not None:
                self._shelves[kept.rank].take(uid, kept)
                kept.rank, kept.last_us = max(kept.rank, rank), max(kept.last_us, at_us)
                kept.again |= at_us - kept.first_us >= AGAIN_US
                self._shelves[kept.rank].put(uid, kept)
            elif len(self._kept) < KEPT_STRANGERS or self._make_room(rank):
                self._add(uid, _Kept(_group(one.topic), rank, at_us, at_us))
            else:
                self.left_out += 1
                continue
            self._waiting[uid] = one

    def write(self, connection: Connection) -> list[str]:
        """Writes some; gives whom, for `written`, once the transaction has happened."""
        if self._gone:
            connection.execute(_FORGOTTEN, [{"b_uid": uid} for uid in self._gone])
        some = list(islice(self._waiting, STRANGERS_PER_FLUSH))
        if some:
            rows = [self._row(uid) for uid in some]
            connection.execute(insert_new(connection, stranger), rows)
            connection.execute(_HEARD_AGAIN, [{f"b_{name}": one[name] for name in one} for one in rows])
        return some

    def written(self, some: Sequence[str]) -> None:
        """These have been written, and who made way has been deleted."""
        self._gone.clear()
        for uid in some:
            del self._waiting[uid]
            self._kept[uid].stored = True

    def _recall(self, connection: Connection) -> None:
        c, said = stranger.c, device_said.c
        metrics = select(said.uid, said.text).where(said.key == METRICS_KEY)
        life = {
            uid for uid, text in connection.execute(metrics) if not LIFE_NAMES.isdisjoint(text.split(", "))
        }
        rows = connection.execute(select(c.uid, c.topic, c.first_us, c.last_us).order_by(c.last_us))
        for uid, topic, first_us, last_us in rows:
            again = last_us - first_us >= AGAIN_US
            self._add(uid, _Kept(_group(topic), int(uid in life), first_us, last_us, again, stored=True))

    def _add(self, uid: str, one: _Kept) -> None:
        self._kept[uid] = one
        self._shelves[one.rank].put(uid, one)
        self._gone.pop(uid, None)
        size = self._sizes[one.group] = self._sizes.get(one.group, 0) + 1
        if size > SHARE:
            self._large[one.group] = None

    def _make_room(self, rank: int) -> bool:
        """Somebody makes way for a stranger of a rank: one of too many alarms of a group, else one of no
        higher rank; False where nobody does."""
        uid = self._shelves[2].first_of_too_many(self._large)
        for shelf in self._shelves[: min(rank, 1) + 1]:
            uid = uid or shelf.first_to_go(self._large)
        if uid:
            self._forget(uid)
        return bool(uid)

    def _forget(self, uid: str) -> None:
        one = self._kept.pop(uid)
        self._shelves[one.rank].take(uid, one)
        self._waiting.pop(uid, None)
        if one.stored:
            self._gone[uid] = None
        size = self._sizes[one.group] = self._sizes[one.group] - 1
        if size <= SHARE:
            self._large.pop(one.group, None)
        if not size:
            del self._sizes[one.group]

    def _row(self, uid: str) -> dict[str, str | int]:
        one, kept = self._waiting[uid], self._kept[uid]
        return {
            "uid": uid,
            "topic": clean(one.topic),
            "profile": one.profile,
            "first_us": kept.first_us,
            "last_us": kept.last_us,
        }


_HEARD_AGAIN: Final = (
    update(stranger)
    .where(stranger.c.uid == bindparam("b_uid"))
    .values(topic=bindparam("b_topic"), profile=bindparam("b_profile"), last_us=bindparam("b_last_us"))
)
_FORGOTTEN: Final = delete(stranger).where(stranger.c.uid == bindparam("b_uid"))


def clean(text: str) -> str:
    """At most `TOPIC_CHARS` characters that every database takes: no NUL, no lone surrogate."""
    return text[:TOPIC_CHARS].replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _group(topic: str) -> str:
    """The first level of a topic that is not empty."""
    return next(filter(None, topic.split("/", 2)), "")[:64]
