"""A small house for a tick: what outlives a process, the process in it, and a ledger on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, open_database, reading, writing
from devices.model import EngineInput
from devices.profiles.profile import Learning, Note
from devices.schema import device, metadata, series
from ingest import schema as _ingest_tables  # noqa: F401 - puts its tables into the metadata
from ingest.ballast import Ballast
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.freeing import Freeing
from ingest.heard import Heard
from ingest.intake import Intake
from ingest.journal import Journal
from ingest.notes import stored_notes, write_notes
from ingest.parts import Parts
from ingest.record import NewSeries, Record, StrangerTopic
from ingest.record_bytes import encode_record
from ingest.recovery import recover, seating
from ingest.redelivery import Tail
from ingest.seams import Attendance
from ingest.series import SeriesIndex
from ingest.shed import ShedCounts
from ingest.snapshot import SnapshotFolder
from ingest.stamps import Stamps
from ingest.tick import Tick
from tests.ingest.fuse import Fuse
from tests.ingest.plain import Alarm, PlainProfile, PlainRules
from tests.ingest.redelivering import NOW_US, Broker, Line

told = Table("told", MetaData(), Column("key", String, primary_key=True), Column("times", Integer))


class SqlLedger:
    """Series and alarms in one transaction; counts how often an alarm was committed anew."""

    def __init__(self, engine: Engine, fuse: Fuse) -> None:
        self._engine = engine
        self._fuse = fuse
        self.refuse = 0
        self.strangers: list[StrangerTopic] = []

    def commit(
        self,
        transitions: Sequence[Alarm],
        new_series: Sequence[NewSeries],
        strangers: Sequence[StrangerTopic],
        seq: int,
        freed: Sequence[int] = (),
        notes: Sequence[Note] = (),
    ) -> None:
        self._fuse.pass_by("ledger.before")
        if self.refuse:
            self.refuse -= 1
            raise OperationalError("COMMIT", {}, Exception("database is locked"))
        with writing(self._engine) as connection:
            for slot in freed:
                connection.execute(delete(series).where(series.c.slot == slot))
            for one in new_series:
                values = {"slot": one.slot, "uid": one.uid, "channel": one.channel, "metric": one.metric}
                connection.execute(insert_new(connection, series).values(created_us=NOW_US, **values))
            write_notes(connection, notes)
            for key in transitions:
                connection.execute(insert_new(connection, told).values(key=repr(key), times=1))
        self.strangers += strangers
        self._fuse.pass_by("ledger.after")


class DyingJournal(Journal):
    """A journal whose process can die before, amid and after an append."""

    fuse = Fuse()

    def append(self, record: Record) -> bool:
        self.fuse.pass_by("journal.before")
        if self.fuse.step == "journal.torn" and self.fuse.after == 1:
            data = encode_record(record)
            newest = max(self._folder.glob("*.journal"))
            with newest.open("ab") as file:
                file.write(data[: len(data) // 2])
        self.fuse.pass_by("journal.torn")
        shed = super().append(record)
        self.fuse.pass_by("journal.after")
        return shed


class Desk:
    """Inputs that people gave: an `Inbox` which, like SQL, gives all it has to a fresh reader."""

    def __init__(self, rows: list[EngineInput], fuse: Fuse) -> None:
        self._rows, self._fuse, self._given = rows, fuse, 0

    def take(self) -> list[EngineInput]:
        self._fuse.pass_by("inputs")
        taken, self._given = self._rows[self._given :], len(self._rows)
        return taken


class House:
    """What outlives a process: folder, database, broker; and the process that runs in it now."""

    rules_type: type[PlainRules] = PlainRules
    profile_type: type[PlainProfile] = PlainProfile
    reserve_bytes = 0
    ballast_bytes = 0

    def __init__(
        self, folder: Path, *, devices: int = 3, segment_bytes: int = 4096, max_bytes: int = 10_000_000
    ) -> None:
        self.folder = folder
        self.segment_bytes, self.max_bytes = segment_bytes, max_bytes
        self.broker = Broker()
        self.inputs: list[EngineInput] = []
        self.engine = open_database(f"sqlite:///{folder / 'house.db'}")
        metadata.create_all(self.engine)
        told.metadata.create_all(self.engine)
        for number in range(1, devices + 1):
            self.register(f"d{number}")

    def register(self, uid: str) -> None:
        with writing(self.engine) as connection:
            row = {
                "uid": uid,
                "kind": "smoke",
                "profile": "plain",
                "registered_us": 1,
                "registered_by": "test",
            }
            connection.execute(insert(device).values(**row))

    def start(
        self,
        fuse: Fuse | None = None,
        batch: int = 4,
        snapshot_s: float = 20.0,
        quarantine: int | None = None,
    ) -> Tick[Alarm]:
        """A fresh process over what the last one left: recovery, then ready for ticks."""
        self.fuse = fuse or Fuse()
        DyingJournal.fuse = self.fuse
        snapshots = SnapshotFolder(self.folder / "snapshots")
        snapshot = snapshots.load()
        self.journal = DyingJournal(
            self.folder / "journal",
            segment_bytes=self.segment_bytes,
            max_bytes=self.max_bytes,
            at_least=snapshot.seq + 1 if snapshot else 1,
            reserve_bytes=self.reserve_bytes,
        )
        with reading(self.engine) as connection:
            self.index = SeriesIndex(connection, slot_of_seat=seating(snapshot))
        self.profile = self.profile_type()
        decoder = Decoder([self.profile], self.index, max_payload_bytes=1024)
        self.intake = Intake(
            self.index, decoder, Stamps(self.index), DeadLetters(self.engine), heard=self.heard()
        )
        self.rules = self.rules_type(self.fuse)
        self.ledger = SqlLedger(self.engine, self.fuse)
        self.line = Line(self.broker, self.fuse, batch)
        self.shed = ShedCounts(self.engine, self.index.uid_of)
        self.ballast = Ballast(self.folder / "ballast", self.ballast_bytes)
        self.ballast.keep()
        freeing = Freeing(self.index, self.intake.stamps, self.rules, quarantine=quarantine or 0)
        self.parts: Parts[Alarm] = Parts(
            self.line, Tail(), self.intake, self.journal, self.rules, self.ledger,
            Desk(self.inputs, self.fuse), snapshots,
            freeing if quarantine else None, self.shed, self.ballast, presence=self.presence(),
        )  # fmt: skip
        self.recovered = recover(snapshot, self.folder / "journal", self.parts)
        with reading(self.engine) as connection:
            notes = stored_notes(connection)
        self.intake.remember(notes)
        if isinstance(self.profile, Learning):
            self.profile.remember([one for one in notes if one.profile == self.profile.name])
        return Tick(
            self.parts,
            last_input_id=self.recovered.last_input_id,
            clock_us=lambda: self.line.now_us,
            snapshot_s=snapshot_s,
            wait=lambda _: None,
        )

    def heard(self) -> Heard | None:
        """What keeps what devices say of themselves; here nobody asks."""
        return None

    def presence(self) -> Attendance | None:
        """What tells a new process who was away; here nobody asks."""
        return None

    def stop(self) -> None:
        """The process is gone: its files are closed, nothing else happens."""
        self.parts.snapshots.wait()
        self.journal.close()

    def run(self, tick: Tick[Alarm], most: int = 1000) -> None:
        """Ticks until nothing is left to do."""
        for _ in range(most):
            rests = not tick.run_once(1.0) and not tick.stalled
            if rests and not self.broker.waiting and not self.broker.again:
                return
        raise AssertionError("the tick never came to rest")

    def alarms(self) -> list[str]:
        with reading(self.engine) as connection:
            return sorted(connection.scalars(select(told.c.key)))
