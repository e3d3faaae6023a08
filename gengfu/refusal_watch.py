"""Counts whom the broker refuses: from its log to the database.

What `gengfu check` tries so that it is refused counts for nothing: who runs a check must not find a fault
that was not there before.
"""

from __future__ import annotations

import dataclasses
import re
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from devices.database import reading, writing
from devices.schema import refusal
from gengfu.access import CHECK, CHECK_READER, is_private
from gengfu.access_keeper import Keeper
from gengfu.clock import now_us
from gengfu.config import Config
from ingest.gate.follow import LogFollower, Position
from ingest.gate.lines import CutOff, LogReader, Refused, Reloaded
from ingest.gate.tally import Tally
from ingest.probes.guard import OUTSIDE
from ingest.probes.trial import PREFIX

MARK: Final = "mark"
"""The kind of the row of `refusal` that is none: `topic` holds how far the log was read, as JSON."""
_NO_CREDENTIALS: Final = re.compile(
    rf"(?:[0-9][0-9T:.+-]*: )?Client {PREFIX}-[0-9a-f]{{12}}-n(?: \[\S+\])? "
    r"disconnected[,:] not authori[sz]ed\."
)
"""How the log calls the check's try without credentials."""
WRITE_S: Final = 1.0
"""Between two transactions with refusals, at least."""


class _Mark(msgspec.Struct, frozen=True):
    """How far the log was read; of two the one with the larger `serial` is the later."""

    inode: int
    offset: int
    serial: int = 0


class Watch:
    """Refusals, from the broker's log to the database.

    How far it read is noted with the refusals, in their transaction, and in a file when there were none. So
    a crash counts none twice, and none is left out but in a log that was turned over twice meanwhile.
    """

    def __init__(self, config: Config, engine: Engine, keeper: Keeper) -> None:
        self._engine, self._keeper = engine, keeper
        self._mark = config.data_dir / "caretaker.json"
        self._own = config.broker.client_id
        self._checks = frozenset({CHECK, CHECK_READER, self._own, config.broker.username}) - {""}
        self._noted: _Mark | None = None
        path = config.broker.log_file
        self._follower = (
            LogFollower(Path(path), self._since(engine), from_end=not is_private(config)) if path else None
        )
        self._reader = LogReader()
        self.tally = Tally()
        self._wrote_at = 0.0

    def look(self) -> None:
        """Reads on and, at most once a second, writes. Raises FAILURES; nothing is counted twice then."""
        self._read(answers=True)
        if len(self.tally) and time.monotonic() - self._wrote_at >= WRITE_S:
            self._wrote_at = time.monotonic()
            with writing(self._engine) as connection:
                self.tally.write(connection)
                mark = self._write_mark(connection)
            self.tally.clear()
            self._noted = mark or self._noted
        if not len(self.tally):
            self._note()

    def catch_up(self) -> None:
        """Reads what the log says by now; none of it answers a reload that is asked for next."""
        while self._read(answers=False):
            pass

    def close(self) -> None:
        """Notes how far it read, and lets go of the log. What is not written yet is read again."""
        if self._follower:
            if not len(self.tally):
                self._note()
            self._follower.close()
            self._follower = None

    def _read(self, *, answers: bool) -> bool:
        lines = self._follower.lines() if self._follower else []
        for line in lines:
            self._take(line, answers=answers)
        return bool(lines)

    def _take(self, line: str, *, answers: bool) -> None:
        meaning = self._reader.read(line)
        if isinstance(meaning, Refused):
            if not self._is_of_check(meaning, line):
                self._count(meaning)
        elif isinstance(meaning, Reloaded) and answers:
            self._keeper.reloaded()
        elif isinstance(meaning, CutOff) and meaning.name not in self._keeper.names | {self._own}:
            self.tally.add(Refused("login", meaning.name, "", meaning.address), now_us())

    def _is_of_check(self, refused: Refused, line: str) -> bool:
        """Whether it is a try of `gengfu check`. Who gives no credentials calls itself what it likes, so that
        one counts but from this machine; on the topic only users of ours are believed."""
        if refused.kind == "topic":
            return refused.topic == OUTSIDE and refused.who in self._checks
        return bool(_NO_CREDENTIALS.fullmatch(line)) and _is_loopback(refused.address)

    def _count(self, refused: Refused) -> None:
        known = refused.who in self._keeper.names
        if refused.kind == "login" and not known and refused.address:
            refused = dataclasses.replace(refused, who=refused.address)
        self.tally.add(refused, now_us(), known=known)

    def _since(self, engine: Engine) -> Position | None:
        """The later of both notes; on a tie the file is, it is only written after the other."""
        marks = [mark for mark in (self._file_mark(), _table_mark(engine)) if mark]
        self._noted = max(marks, key=lambda mark: mark.serial, default=None)
        return Position(self._noted.inode, self._noted.offset) if self._noted else None

    def _file_mark(self) -> _Mark | None:
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=_Mark)
        except (OSError, msgspec.DecodeError):
            return None

    def _write_mark(self, connection: Connection) -> _Mark | None:
        position = self._follower.position if self._follower else None
        if position is None:
            return None
        mark = _Mark(position.inode, position.offset, self._noted.serial + 1 if self._noted else 1)
        text = msgspec.json.encode(mark).decode()
        connection.execute(delete(refusal).where(refusal.c.kind == MARK))
        row = {"kind": MARK, "who": "", "topic": text, "count": 0, "first_us": 0, "last_us": 0}
        connection.execute(insert(refusal).values(row))
        return mark

    def _note(self) -> None:
        """Beside and then in place: a half-written note would count a whole log again."""
        position = self._follower.position if self._follower else None
        if position is None:
            return
        mark = _Mark(position.inode, position.offset, self._noted.serial if self._noted else 0)
        if mark == self._noted and self._mark.exists():
            return
        fresh = self._mark.with_name(self._mark.name + ".new")
        fresh.write_bytes(msgspec.json.encode(mark))
        fresh.replace(self._mark)
        self._noted = mark


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _table_mark(engine: Engine) -> _Mark | None:
    try:
        with reading(engine) as connection:
            text = connection.scalar(select(refusal.c.topic).where(refusal.c.kind == MARK))
        return msgspec.json.decode(text, type=_Mark) if text else None
    except (SQLAlchemyError, msgspec.DecodeError):
        return None
