"""Counts whom the broker refuses: from its log to the database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Engine

from devices.database import writing
from gengfu.access import is_private
from gengfu.access_keeper import Keeper
from gengfu.clock import now_us
from gengfu.config import Config
from ingest.gate.follow import LogFollower, Position
from ingest.gate.lines import CutOff, LogReader, Refused, Reloaded
from ingest.gate.tally import Tally

WRITE_S: Final = 1.0
"""Between two transactions with refusals, at least."""


class Watch:
    """Refusals, from the broker's log to the database."""

    def __init__(self, config: Config, engine: Engine, keeper: Keeper) -> None:
        self._engine, self._keeper = engine, keeper
        self._mark = config.data_dir / "caretaker.json"
        self._own = config.broker.client_id
        path = config.broker.log_file
        self._follower = (
            LogFollower(Path(path), self._since(), from_end=not is_private(config)) if path else None
        )
        self._reader = LogReader()
        self.tally = Tally()
        self._wrote_at = 0.0

    def look(self) -> None:
        """Reads on and, at most once a second, writes. Raises FAILURES; nothing is counted twice then."""
        if self._follower:
            for line in self._follower.lines():
                self._take(line)
        if len(self.tally) and time.monotonic() - self._wrote_at >= WRITE_S:
            self._wrote_at = time.monotonic()
            with writing(self._engine) as connection:
                self.tally.write(connection)
            self.tally.clear()
            self._note()

    def close(self) -> None:
        """Notes how far it read."""
        if self._follower:
            self._note()
            self._follower.close()
            self._follower = None

    def _take(self, line: str) -> None:
        meaning = self._reader.read(line)
        if isinstance(meaning, Refused):
            self.tally.add(meaning, now_us())
        elif isinstance(meaning, Reloaded):
            self._keeper.reloaded()
        elif isinstance(meaning, CutOff) and meaning.name not in self._keeper.names | {self._own}:
            self.tally.add(Refused("login", meaning.name, "", meaning.address), now_us())

    def _since(self) -> Position | None:
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=Position)
        except (OSError, msgspec.DecodeError):
            return None

    def _note(self) -> None:
        position = self._follower.position if self._follower else None
        if position:
            self._mark.write_bytes(msgspec.json.encode(position))
