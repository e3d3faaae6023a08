"""A broker that redelivers, and a process's line to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.source import Progress, RawBatch
from tests.ingest.fuse import Fuse

NOW_US = 1_790_000_000_000_000


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
