"""A small house for a tick: a broker that redelivers, a plain profile, a plain engine, a ledger on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, open_database, reading, writing
from devices.model import Bool, EngineInput, Int32, Metric, Quality, ReadingBatch, SeriesTable
from devices.profiles.profile import Decoded, Learning, Note, Points, Reason, Rejected, StrangerReading
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
from ingest.source import Progress, RawBatch
from ingest.stamps import Stamps
from ingest.tick import Tick

NOW_US = 1_790_000_000_000_000
METRICS = {"smoke": Metric.SMOKE_ALARM, "amps": Metric.CURRENT, "temp": Metric.TEMPERATURE}
told = Table("told", MetaData(), Column("key", String, primary_key=True), Column("times", Integer))
Alarm = tuple[int, int, int]
"""What the plain engine raises: slot, observed_us, nudge_ns."""


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Fuse:
    """Burns through when `step` is passed for the `after`-th time."""

    step: str = ""
    after: int = 1

    def pass_by(self, step: str) -> None:
        if step == self.step:
            self.after -= 1
            if self.after == 0:
                raise Killed(step)


class PlainProfile:
    """Topic `t/UID`, payload `{"smoke": 1, "amps": 2.5, "at": µs, "seq": 7}`; anything else is refused.

    A fire in what is refused is a reading all the same.
    """

    name = "plain"
    version = 1
    filters: tuple[str, ...] = ("t/#",)

    def matches(self, topic: str) -> bool:
        return topic.startswith("t/")

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        rows: list[tuple[int, int, int, float, int, int]] = []
        seq = np.full(len(topics), -1, np.int64)
        rejected, strangers = [], []
        for i, (topic, payload) in enumerate(zip(topics, payloads, strict=True)):
            quality = 0
            try:
                body = msgspec.json.decode(payload, type=dict[str, float])
            except msgspec.DecodeError as error:
                rejected.append(Rejected(i, Reason.NOT_JSON, str(error)))
                if b'"smoke": 1' not in payload:
                    continue
                body, quality = {"smoke": 1.0}, int(Quality.SUSPECT)
            uid = topic[2:]
            row = points.row(uid, "")
            at = int(body.get("at", 0))
            for name, metric in METRICS.items():
                if name in body and row < 0:
                    strangers.append(StrangerReading(i, uid, "", metric, float(body[name]), at, quality))
                elif name in body:
                    rows.append((row, metric, at, body[name], quality, i))
            seq[i] = int(body.get("seq", -1))
        columns = list(zip(*rows, strict=True)) or [()] * 6
        kinds = (np.int32, np.int16, np.int64, np.float64, np.uint32, np.int32)
        arrays: list[Any] = [np.array(c, kind) for c, kind in zip(columns, kinds, strict=True)]
        row, metric, observed_us, value, quality, message = arrays
        return Decoded(row, metric, observed_us, value, quality, message, seq, rejected, strangers)


class PlainRules:
    """Raises an alarm where a smoke flag becomes 1; forgets nothing."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._on: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._smoke: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self.inputs: list[int] = []
        self.texts: list[str] = []

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        on = np.zeros(len(table), np.bool_)
        on[: len(self._on)] = self._on[: len(on)]
        self._on, self._smoke = on, table.metric == Metric.SMOKE_ALARM

    def forget(self, slots: Int32) -> None:
        self._on[slots[slots < len(self._on)]] = False

    def holds(self, slots: Int32) -> Bool:
        return self._on[slots]

    due_us = 1 << 62
    """Nothing of these comes by time alone."""

    def advance(self, now_us: int) -> list[Alarm]:
        return []

    def change(self, text: str, now_us: int) -> list[Alarm]:
        self.texts.append(text)
        return []

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Alarm]:
        self._fuse.pass_by("evaluate")
        self.inputs += [one.id for one in inputs]
        raised = []
        for slot, value, at, nudge in zip(
            *(a.tolist() for a in (batch.slot, batch.value, batch.observed_us, batch.nudge_ns)), strict=True
        ):
            if self._smoke[slot]:
                if value == 1.0 and not self._on[slot]:
                    raised.append((slot, at, nudge))
                self._on[slot] = value == 1.0
        return raised

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {"on": self._on.copy(), "inputs": np.array(self.inputs, np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._on[: len(state["on"])] = state["on"]
        self.inputs = state["inputs"].tolist()


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


@dataclass
class Message:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass
class Broker:
    """Outlives the process: what is not acknowledged comes again, with DUP, on the next connection."""

    waiting: list[Message] = field(default_factory=list)
    inflight: dict[int, Message] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)
    epoch: int = 0
    packet_id: int = 0
    lose_acks: bool = False

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self.waiting.append(Message(topic, payload, qos, retain))

    def connect(self) -> None:
        self.epoch += 1
        self.again = list(self.inflight)


class Line:
    """One process's connection to the broker: a `TickSource`."""

    def __init__(self, broker: Broker, fuse: Fuse, batch: int) -> None:
        self._broker, self._fuse, self._batch = broker, fuse, batch
        self.now_us = NOW_US
        self.step_us = 1_000_003
        self._commits = 0
        self.tended = 0
        broker.connect()

    @property
    def progress(self) -> Progress:
        return Progress(0, self._commits, 0)

    def poll(self, timeout_s: float) -> RawBatch | None:
        self._fuse.pass_by("poll")
        broker = self._broker
        self.now_us += self.step_us
        out: list[tuple[int, Message, bool]] = []
        while len(out) < self._batch and broker.again:
            packet_id = broker.again.pop(0)
            out.append((packet_id, broker.inflight[packet_id], True))
        while len(out) < self._batch and broker.waiting:
            message = broker.waiting.pop(0)
            broker.packet_id += message.qos
            packet_id = broker.packet_id * message.qos
            if message.qos:
                broker.inflight[packet_id] = message
            out.append((packet_id, message, False))
        if not out:
            return None
        return RawBatch(
            received_us=self.now_us,
            epoch=broker.epoch,
            topics=[m.topic for _, m, _ in out],
            payloads=[m.payload for _, m, _ in out],
            packet_ids=[packet_id for packet_id, _, _ in out],
            retain=[m.retain for _, m, _ in out],
            dup=[dup for _, _, dup in out],
            queued=False,
        )

    def commit(self, raw: RawBatch) -> None:
        self._fuse.pass_by("ack.before")
        if raw.epoch != self._broker.epoch:
            return
        self._commits += 1
        for packet_id in raw.packet_ids:
            self._broker.inflight.pop(packet_id, None)
        self._fuse.pass_by("ack.after")

    def tend(self) -> None:
        self.tended += 1

    def close(self) -> None:
        pass


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
