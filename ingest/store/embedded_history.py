"""The embedded store as history that can be asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from devices.shortlist import shortlist
from ingest.store.history import Outline, Series, SeriesUnread
from ingest.store.layout import PATIENCE_S, StoreError
from ingest.store.pieces import Sums, check_pieces, sums_of
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

AT_ONCE: Final = 500_000
"""Points that an outline asks for at once (chosen: 12 MB)."""


class EmbeddedHistory:
    """Points of one file of the embedded store, beside its writer."""

    def __init__(self, reader: SeriesReader, path: Path, *, at_once: int = AT_ONCE) -> None:
        """Over a reader of the file at `path`, which it closes; `open` makes one."""
        self._reader, self._path, self._at_once = reader, path, at_once

    @classmethod
    def open(cls, path: Path, patience_s: float = PATIENCE_S) -> Self:
        """Raises SeriesUnread where there is no store yet, one of another release, or one that somebody keeps
        locked for `patience_s`."""
        try:
            return cls(SeriesReader.open(path, patience_s), path)
        except FileNotFoundError:
            raise SeriesUnread(f"{path}: there is no series store yet") from None
        except (StoreError, sqlite3.DatabaseError) as error:
            raise SeriesUnread(f"{path}: {error}") from None

    @property
    def whole_from_ns(self) -> int:
        """As `SeriesReader.whole_from_ns`."""
        with self._readable():
            return self._reader.whole_from_ns

    @property
    def lacks(self) -> str:
        """Blocks that could not be read so far, which may be of any series and time; empty without."""
        blocks = self._reader.damaged_blocks
        if not blocks:
            return ""
        named = shortlist([str(one) for one in blocks])
        return f"{self._path.name}: damaged blocks, whose points are not read: {named}"

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """As `History.read`."""
        with self._readable():
            return self._reader.read(series.slot, from_ns, to_ns, limit)

    def latest(self, many: Sequence[Series]) -> Points:
        """As `History.latest`."""
        with self._readable():
            return self._reader.latest([one.slot for one in many])

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        """As `History.outline`. Holds `at_once` points and, as the reader does, those of one day."""
        check_pieces(from_ns, to_ns, step_ns)
        found, begin_ns = Sums.of(()), from_ns
        while begin_ns < to_ns:
            points = self.read(series, begin_ns, to_ns, self._at_once)
            found = Sums.joined([found, sums_of(points, from_ns, to_ns, step_ns)])
            begin_ns = int(points.ts_ns[-1]) + 1 if len(points) == self._at_once else to_ns
        return Outline.of(found, from_ns, step_ns)

    def close(self) -> None:
        """Lets go of the file."""
        self._reader.close()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise SeriesUnread(f"{self._path}: {error}") from None
