"""The real parts of a tick, each dying before and after what it does, and at times amid it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from devices.model import EngineInput, ReadingBatch, SeriesTable
from devices.profiles.profile import Note
from gengfu.ledger import SqlLedger
from gengfu.live_rules import LiveRules
from ingest.journal import Journal
from ingest.journal_files import DURABLE, Mark, list_segments
from ingest.record import NewSeries, Record, StrangerTopic
from ingest.snapshot import Snapshot, SnapshotFolder
from rules.transition import Transition
from tests.ingest.fuse import Fuse, Killed


class DyingJournal(Journal):
    """Dies around an append, also between the write and the sync, and around a trim.

    Torn: the power went and half of the record was on the disk. Unsynced: all of it was, and nobody had said
    so. What is trimmed is copied to `archive` before, so that a test can read all that ever was journalled.
    """

    fuse: Fuse
    archive: Path

    def append(self, record: Record) -> bool:
        self.fuse.pass_by("append.before")
        sizes = self._sizes_now()
        mark = Mark(self._folder / DURABLE)
        durable = mark.seq
        shed = super().append(record)
        try:
            self.fuse.pass_by("append.unsynced")
            self.fuse.pass_by("append.torn")
        except Killed as death:
            mark.seq = durable
            if death.args == ("append.torn",):
                self._tear(sizes)
            raise
        finally:
            mark.close()
        self.fuse.pass_by("append.after")
        return shed

    def keep_after(self, seq: int, newest: int = 0) -> None:
        copy_segments(self._folder, self.archive)
        self.fuse.pass_by("trim.before")
        super().keep_after(seq, newest)
        self.fuse.pass_by("trim.after")

    def _sizes_now(self) -> dict[Path, int]:
        return {one.path: one.path.stat().st_size for one in list_segments(self._folder)}

    def _tear(self, before: Mapping[Path, int]) -> None:
        for path, size in self._sizes_now().items():
            was = before.get(path, 0)
            if size > was:
                with path.open("rb+") as file:
                    file.truncate(was + (size - was) // 2)


def copy_segments(folder: Path, archive: Path) -> None:
    """Adds the segments as they are now; one that grew since replaces its older copy."""
    for one in list_segments(folder):
        shutil.copyfile(one.path, archive / one.path.name)


class DyingSnapshots(SnapshotFolder):
    """Writes in the tick's own thread, so that a death is the process's."""

    def __init__(self, folder: Path, fuse: Fuse) -> None:
        super().__init__(folder)
        self._fuse = fuse

    def save(self, snapshot: Snapshot) -> None:
        self._fuse.pass_by("snapshot.before")
        try:
            self._fuse.pass_by("snapshot.half")
        except Killed:
            (self._folder / f"{snapshot.seq:020d}.new").write_bytes(b"GFS2 and no more")
            raise
        super().save(snapshot)
        self._fuse.pass_by("snapshot.after")

    def save_behind(self, snapshot: Snapshot) -> None:
        self.save(snapshot)


class DyingRules(LiveRules):
    """Dies around an evaluation and when it takes a snapshot."""

    def __init__(self, table: SeriesTable, fuse: Fuse) -> None:
        super().__init__(table)
        self._fuse = fuse

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        self._fuse.pass_by("evaluate.before")
        found = super().evaluate(batch, inputs, now_us, source)
        self._fuse.pass_by("evaluate.after")
        return found

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        super().restore(state)
        self._fuse.pass_by("restore")


class DyingLedger(SqlLedger):
    """Dies around a commit."""

    fuse: Fuse

    def commit(
        self,
        transitions: Sequence[Transition],
        new_series: Sequence[NewSeries],
        strangers: Sequence[StrangerTopic],
        seq: int,
        freed: Sequence[int] = (),
        notes: Sequence[Note] = (),
    ) -> None:
        self.fuse.pass_by("commit.before")
        super().commit(transitions, new_series, strangers, seq, freed, notes)
        self.fuse.pass_by("commit.after")
