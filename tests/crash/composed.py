"""An ingest process of the real parts that can die anywhere, with a scripted broker behind the source's seam.

Real: profiles, series index, stamps, journal, rules, ledger, inbox, snapshots, redelivery, dead letters,
freeing, and beside it the store's writer. Scripted: the broker and the clock. The broker hands over whole
groups of messages, each with its own time of receipt, and hands a group over again with DUP as long as it is
not acknowledged whole. So a disturbed run sees the same ticks as an undisturbed one, and must end equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select

from alerts.inputs import store_inputs
from alerts.schema import engine_input
from devices.database import open_database, reading, writing
from devices.profiles.shipped import shipped_profiles
from devices.schema import device
from gengfu.ledger import SqlInbox, committed_seq
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.freeing import Freeing, quarantine_us
from ingest.intake import Intake
from ingest.parts import Parts
from ingest.presence import Presence
from ingest.recovery import recover, seating
from ingest.redelivery import Tail
from ingest.series import SeriesIndex
from ingest.shed import ShedCounts
from ingest.stamps import Stamps
from ingest.store.embedded import EmbeddedStore
from ingest.store.writer import StoreWriter
from ingest.tick import Tick
from rules.transition import Transition
from tests.crash.mortal import DyingJournal, DyingLedger, DyingRules, DyingSnapshots
from tests.crash.scripted import Group, Script, ScriptedSource
from tests.databases import create_tables
from tests.ingest.fuse import Fuse

DEVICES = ("d1", "d2", "d3")
SEGMENT_BYTES = 1500
"""A handful of records: segments roll and are trimmed within a short stream."""
SNAPSHOT_S = 50.0


class House:
    """What outlives a process: folder, database, broker, store; and the process that runs in it now.

    `skew_us` is by how much our clock is wrong from now on. `room` bounds the journal in bytes; `reserve` is
    what goes on beyond it. While `store_waits` no point is written, so that nothing can be trimmed. A process
    that `attends` says that it returned; others leave it out, so that their books equal those of one that
    lived.
    """

    def __init__(
        self, folder: Path, groups: Sequence[Group], *, room: int = 1 << 30, reserve: int = 0
    ) -> None:
        self.room, self.reserve, self.store_waits = room, reserve, False
        self.attends = False
        self.folder, self.script = folder, Script(groups)
        (folder / "gengfu.db").write_bytes(template())
        self.archive = folder / "archive"
        self.archive.mkdir()
        self.engine = open_database(f"sqlite:///{folder / 'gengfu.db'}")
        self.store = EmbeddedStore(folder / "points.db", keep_days=36_500)
        self.writer = StoreWriter(folder / "journal", self.store)
        self.now_us = self.skew_us = 0
        self.journal: DyingJournal | None = None
        self.inbox: SqlInbox | None = None

    def decide(self, number: int) -> None:
        """People's acts up to that of this group are in the database, each once."""
        while self.script.decided <= number:
            inputs = self.script.groups[self.script.decided].inputs
            with writing(self.engine) as connection:
                store_inputs(connection, [(1, one) for one in inputs])
            self.script.decided += 1

    def start(self, fuse: Fuse) -> Tick[Transition]:
        """A fresh process over what the last one left, as gengfu/run_ingest.py composes it."""
        DyingJournal.fuse = DyingLedger.fuse = fuse
        DyingJournal.archive = self.archive
        snapshots = DyingSnapshots(self.folder / "snapshots", fuse)
        snapshot = snapshots.load()
        with reading(self.engine) as connection:
            index = SeriesIndex(connection, slot_of_seat=seating(snapshot))
        self.journal = DyingJournal(
            self.folder / "journal",
            segment_bytes=SEGMENT_BYTES,
            max_bytes=self.room,
            reserve_bytes=self.reserve,
            at_least=max(snapshot.seq if snapshot else 0, committed_seq(self.engine)) + 1,
        )
        rules = DyingRules(index.table(), fuse)
        decoder = Decoder(shipped_profiles(), index, max_payload_bytes=4096)
        intake = Intake(index, decoder, Stamps(index), DeadLetters(self.engine))
        self.inbox = SqlInbox(self.engine, 0)
        ledger = DyingLedger(self.engine, index.name_of, self.clock_us)
        freeing = Freeing(index, intake.stamps, rules, quarantine=quarantine_us(30))
        source = ScriptedSource(self, fuse)
        shed = ShedCounts(self.engine, index.uid_of)
        self.parts = Parts(
            source, Tail(), intake, self.journal, rules, ledger, self.inbox, snapshots, freeing, shed,
            presence=Presence(dict) if self.attends else None,
        )  # fmt: skip
        recovered = recover(snapshot, self.folder / "journal", self.parts)
        return Tick(
            self.parts,
            last_input_id=recovered.last_input_id,
            clock_us=self.clock_us,
            snapshot_s=SNAPSHOT_S,
            wait=lambda _: None,
        )

    def clock_us(self) -> int:
        return self.now_us

    def live(self, fuse: Fuse) -> None:
        """One process from its start until everything is acknowledged. Raises Killed where the fuse burns."""
        try:
            tick = self.start(fuse)
            while tick.run_once(0.0) or not self.script.done:
                fuse.pass_by("store.before")
                if not self.store_waits:
                    self.write_points()
                fuse.pass_by("store.after")
            self.now_us += 2_000_000  # counts are written once a second
            tick.run_once(0.0)
        finally:
            self.die()

    def die(self) -> None:
        """The process is gone: what the kernel closes is closed, nothing else happens."""
        if self.journal:
            self.journal.close()
        if self.inbox:
            self.inbox.close()
        self.journal = self.inbox = None

    def write_points(self) -> None:
        """The store's writer, as far as the journal goes."""
        while self.writer.run_once():
            pass

    def close(self) -> None:
        self.writer.close()
        self.store.close()
        self.engine.dispose()

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the process knows of series and alarms, as it would be saved."""
        intake = self.parts.intake
        parts = {
            "index": intake.index.snapshot(),
            "stamps": intake.stamps.snapshot(),
            "rules": self.parts.rules.snapshot(),
        }
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def inputs_given(self) -> int:
        with reading(self.engine) as connection:
            return int(connection.scalar(select(func.count()).select_from(engine_input)) or 0)


@contextmanager
def house(groups: Sequence[Group], *, room: int = 1 << 30, reserve: int = 0) -> Iterator[House]:
    """A house in a folder of its own that is gone afterwards."""
    with TemporaryDirectory(prefix="gengfu-crash-") as folder:
        one = House(Path(folder), groups, room=room, reserve=reserve)
        try:
            yield one
        finally:
            one.close()


@cache
def template() -> bytes:
    """A database with all tables and the devices registered, to be copied: made once a run."""
    with TemporaryDirectory(prefix="gengfu-crash-") as folder:
        path = Path(folder) / "template.db"
        engine = open_database(f"sqlite:///{path}")
        create_tables(engine)
        facts = {
            "kind": "electrical",
            "profile": "own",
            "breaker_a": 25.0,
            "cable_a": 27.0,
            "registered_us": 1,
            "registered_by": "test",
        }
        with writing(engine) as connection:
            connection.execute(insert(device), [{"uid": f"own:{name}", **facts} for name in DEVICES])
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


def equal(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names under which two states differ; NaN equals NaN. When the rules last looked at the clock is no
    part of it: a process that starts has them look once more."""
    names = sorted((one.keys() | other.keys()) - {"rules.presence.looked_us"})
    return [
        name
        for name in names
        if name not in one
        or name not in other
        or not np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
    ]
