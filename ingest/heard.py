"""What devices say of themselves beside readings, and which propose themselves: kept where an operator can
see it.

Bounded in memory and in the database, written at most once a second and never in a tick's own transaction. A
crash may lose what is not written yet: devices and gateways say it again. What counts for the rules
(`SeriesIndex.hear`) is in the journal as the standing of series; after a restart what is written here holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, reading, writing
from devices.profiles.general.naming import UID_MAX
from devices.profiles.profile import Proposal, Said
from ingest.notes import plain
from ingest.schema import device_said, proposal

log = structlog.get_logger()

KEYS_A_DEVICE: Final = 16
TEXT_CHARS: Final = 200
KEY_CHARS: Final = 64
STRANGERS: Final = 10_000
"""Devices nobody registered of which something said is kept; of further ones nothing is (chosen)."""
PROPOSALS: Final = 10_000
"""Devices that propose themselves; further ones are not listed until a place is free (chosen)."""
DETAIL_CHARS: Final = 4_000
FLUSH_US: Final = 1_000_000
"""At most one transaction a second (contract 8)."""
ROWS: Final = 500
"""Rows of each kind in one transaction (chosen: some milliseconds of SQLite; a tick must not wait longer)."""
WAITING: Final = 20_000
"""What waits in memory to be written, of each kind; the rest of a flood is left to be said again (chosen)."""
WRITTEN: Final = 200_000
"""Sayings that are known to be in the database; beyond it all are forgotten and written once more
(chosen)."""
AGAIN_US: Final = 3_600_000_000
"""What was said before and is the same is written again after so long, so that `said_us` means something
(chosen)."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SaidRow:
    """One thing said of a device, and when last."""

    uid: str
    key: str
    text: str
    said_us: int


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A device that proposes itself; `detail` as its profile says it."""

    uid: str
    topic: str
    profile: str
    detail: dict[str, str]
    seen_us: int


class Heard:
    """Gathers in memory, writes at most once a second. One writer: the ingest process.

    `registered` says whether the registry knows a uid. `left_out` counts what found no room.
    """

    def __init__(self, engine: Engine, registered: Callable[[str], bool]) -> None:
        self._engine, self._registered = engine, registered
        self._said: dict[_Key, tuple[str, int]] = {}
        self._proposed: dict[str, tuple[Proposal, int]] = {}
        self._written: dict[_Key, tuple[int, int]] = {}
        self._flushed_us = 0
        self._failing = False
        self.left_out = 0
        with reading(engine) as connection:
            uids = set(connection.scalars(select(device_said.c.uid).distinct()))
            self._known = dict.fromkeys(connection.scalars(select(proposal.c.uid)), (0, 0))
        self._strangers = {uid for uid in uids if not registered(uid)}

    def note(self, said: Sequence[Said], proposals: Sequence[Proposal], at_us: int) -> None:
        """Takes what one tick brought."""
        for one in said:
            self._hear(one, at_us)
        for proposed in proposals:
            self._propose(proposed, at_us)

    def flush(self, now_us: int) -> bool:
        """Writes some of what is gathered, when a second has passed. True where it wrote; a busy database
        waits."""
        if not (self._said or self._proposed) or abs(now_us - self._flushed_us) < FLUSH_US:
            return False
        self._flushed_us = now_us
        said = dict(_first(self._said.items()))
        proposed = dict(_first(self._proposed.items()))
        try:
            with reading(self._engine) as connection:
                fit = _with_room(connection, said)
            with writing(self._engine) as connection:
                _write_said(connection, fit)
                _write_proposals(connection, proposed)
        except OperationalError as error:
            if not self._failing:
                log.warning("sayings_wait", error=str(error.orig))
            self._failing = True
            return False
        self._failing = False
        self.left_out += len(said) - len(fit)
        self._settle(said, proposed)
        return True

    def _hear(self, one: Said, at_us: int) -> None:
        if not one.uid or len(one.uid) > UID_MAX or not 0 < len(one.key) <= KEY_CHARS:
            self.left_out += 1
            return
        key = plain(one.uid), plain(one.key)
        text = plain(one.text[:TEXT_CHARS])
        last = self._written.get(key)
        if last and last[0] == hash(text) and abs(at_us - last[1]) < AGAIN_US:
            self._said.pop(key, None)
        elif (key in self._said or len(self._said) < WAITING) and self._has_place(key[0]):
            self._said[key] = text, at_us
        else:
            self.left_out += 1

    def _has_place(self, uid: str) -> bool:
        if uid in self._strangers or self._registered(uid):
            return True
        if len(self._strangers) >= STRANGERS:
            return False
        self._strangers.add(uid)
        return True

    def _propose(self, one: Proposal, at_us: int) -> None:
        uid = plain(one.uid)
        if not 0 < len(uid) <= UID_MAX:
            self.left_out += 1
            return
        last = self._known.get(uid)
        if not one.topic:  # withdrawn
            if last:
                self._proposed[uid] = one, at_us
            return
        if last and last[0] == _hash_of(one) and abs(at_us - last[1]) < AGAIN_US:
            self._proposed.pop(uid, None)
        elif last or uid in self._proposed or len(self._known) < PROPOSALS:
            self._known.setdefault(uid, (0, 0))
            self._proposed[uid] = one, at_us
        else:
            self.left_out += 1

    def _settle(self, said: dict[_Key, tuple[str, int]], proposed: dict[str, tuple[Proposal, int]]) -> None:
        """What is written waits no more."""
        if len(self._written) > WRITTEN:
            self._written.clear()
        for key, (text, at_us) in said.items():
            del self._said[key]
            self._written[key] = hash(text), at_us
        for uid, (one, at_us) in proposed.items():
            del self._proposed[uid]
            if one.topic:
                self._known[uid] = _hash_of(one), at_us
            else:
                self._known.pop(uid, None)


def list_said(connection: Connection, uids: Iterable[str] | None = None) -> list[SaidRow]:
    """What is known of devices, by uid and key; of all where none is named."""
    c = device_said.c
    query = select(c.uid, c.key, c.text, c.said_us).order_by(c.uid, c.key)
    if uids is not None:
        query = query.where(c.uid.in_(list(uids)))
    return [SaidRow(*row) for row in connection.execute(query)]


def list_proposals(connection: Connection) -> list[ProposalRow]:
    """The devices that propose themselves, by uid, registered ones among them."""
    c = proposal.c
    rows = connection.execute(select(c.uid, c.topic, c.profile, c.detail, c.seen_us).order_by(c.uid))
    return [
        ProposalRow(uid, topic, profile, json.loads(detail), seen_us)
        for uid, topic, profile, detail, seen_us in rows
    ]


def _first(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    return (one for one, _ in zip(items, range(ROWS), strict=False))


def _hash_of(one: Proposal) -> int:
    return hash((one.topic, tuple(sorted(one.detail.items()))))


def _with_room(connection: Connection, said: dict[_Key, tuple[str, int]]) -> dict[_Key, tuple[str, int]]:
    """Those that find a place among their device's keys: one that is there already, or a free one."""
    uids = {uid for uid, _ in said}
    query = select(device_said.c.uid, device_said.c.key).where(device_said.c.uid.in_(uids))
    keys: dict[str, set[str]] = {}
    for uid, key in connection.execute(query):
        keys.setdefault(uid, set()).add(key)
    fit = {}
    for (uid, key), value in said.items():
        there = keys.setdefault(uid, set())
        if key in there or len(there) < KEYS_A_DEVICE:
            there.add(key)
            fit[uid, key] = value
    return fit


def _write_said(connection: Connection, said: dict[_Key, tuple[str, int]]) -> None:
    """A text that is empty takes its row away: what was said holds no more."""
    gone = [{"b_uid": uid, "b_key": key} for (uid, key), (text, _) in said.items() if not text]
    rows = [
        {"uid": uid, "key": key, "text": text, "said_us": at_us}
        for (uid, key), (text, at_us) in said.items()
        if text
    ]
    if gone:
        connection.execute(_UNSAY, gone)
    if rows:
        connection.execute(insert_new(connection, device_said), rows)
        connection.execute(
            _SAY,
            [{"b_uid": r["uid"], "b_key": r["key"], "b_text": r["text"], "b_us": r["said_us"]} for r in rows],
        )


def _write_proposals(connection: Connection, proposed: dict[str, tuple[Proposal, int]]) -> None:
    """One without a topic is withdrawn: its row goes."""
    rows = [
        {
            "uid": uid,
            "topic": plain(one.topic)[:1000],
            "profile": plain(one.detail.get("profile", ""))[:KEY_CHARS],
            "detail": _detail(one),
            "seen_us": at_us,
        }
        for uid, (one, at_us) in proposed.items()
        if one.topic
    ]
    if proposed:
        connection.execute(delete(proposal).where(proposal.c.uid.in_(list(proposed))))
    if rows:
        connection.execute(proposal.insert(), rows)


def _detail(one: Proposal) -> str:
    """A JSON object; of one that says too much the first entries."""
    kept: dict[str, str] = {}
    for key, text in one.detail.items():
        entry = {plain(key[:KEY_CHARS]): plain(text[:TEXT_CHARS])}
        if len(json.dumps(kept | entry, ensure_ascii=False)) > DETAIL_CHARS:
            break
        kept |= entry
    return json.dumps(kept, ensure_ascii=False)


_THIS: Final = (device_said.c.uid == bindparam("b_uid"), device_said.c.key == bindparam("b_key"))
_SAY: Final = update(device_said).where(*_THIS).values(text=bindparam("b_text"), said_us=bindparam("b_us"))
_UNSAY: Final = delete(device_said).where(*_THIS)
