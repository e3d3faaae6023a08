"""Parts of the tick with a watch before them, and a source without a broker: what `bench tick` is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np

from devices.model import Int64
from gengfu.clock import now_us
from ingest import wire
from ingest.packets import Received
from ingest.record import Record
from ingest.record_bytes import encode_record
from ingest.seams import Spool
from ingest.source import Progress, RawBatch
from simulators.forms import forms_of
from simulators.mix import parse_mix
from simulators.stencil import FIRST_SEQ, make_stencil

T = TypeVar("T")

READ_BYTES: Final = 1 << 16
PACKET_IDS: Final = 10_000
"""They come round as with our Receive Maximum."""
_LONGEST_PACKET: Final = 1 << 19


@dataclass(slots=True)
class Watch:
    """Exclusive CPU time by stage, in ns: a stage's time ends where it calls another."""

    spent_ns: dict[str, int] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _since_ns: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What happens inside is of this stage."""
        self._switch()
        self._open.append(name)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def _switch(self) -> None:
        now = time.thread_time_ns()
        if self._open:
            name = self._open[-1]
            self.spent_ns[name] = self.spent_ns.get(name, 0) + now - self._since_ns
        self._since_ns = now


class Timed:
    """Stands before a part of the tick; methods named in `stages` are measured, all else is the part's."""

    __slots__ = ("_part", "_stages", "_watch")

    def __init__(self, part: object, watch: Watch, **stages: str) -> None:
        self._part, self._watch, self._stages = part, watch, stages

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        found = getattr(self._part, name)
        stage = self._stages.get(name)
        return found if stage is None else self._timed(found, stage)

    def _timed(self, method: Callable[..., T], stage: str) -> Callable[..., T]:
        def measured(*args: object, **named: object) -> T:
            with self._watch.stage(stage):
                return method(*args, **named)

        return measured


class Feed:
    """A `TickSource` of one packet-filled read after another."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._wire = wire.Wire(_LONGEST_PACKET)
        self._commits = 0
        self.data = b""

    @property
    def progress(self) -> Progress:
        """Everything committed is confirmed."""
        return Progress(1, self._commits, self._commits)

    def poll(self, timeout_s: float) -> RawBatch | None:
        """What lies in `data`, in pieces as a socket gives them."""
        with self._watch.stage("wire"):
            got = Received()
            for start in range(0, len(self.data), READ_BYTES):
                got.extend(self._wire.feed(self.data[start : start + READ_BYTES]))
            return RawBatch(
                received_us=now_us(),
                epoch=1,
                topics=got.topics,
                payloads=got.payloads,
                packet_ids=got.packet_ids,
                retain=got.retain,
                dup=got.dup,
                queued=False,
            )

    def commit(self, raw: RawBatch) -> None:
        """Encodes the acknowledgements."""
        with self._watch.stage("acknowledge"):
            wire.pubacks(raw.packet_ids)
            self._commits += 1

    def tend(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to end."""


class TwiceEncoded:
    """The journal, and beside it how long encoding its records takes alone."""

    __slots__ = ("_spool", "_watch", "sync_wall_ns")

    def __init__(self, spool: Spool, watch: Watch) -> None:
        self._spool, self._watch = spool, watch
        self.sync_wall_ns = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        return getattr(self._spool, name)

    def append(self, record: Record) -> None:
        """As the journal; first the record is encoded, for the clock only."""
        with self._watch.stage("encode_alone"):
            encode_record(record)
        started = time.perf_counter_ns()
        with self._watch.stage("journal"):
            self._spool.append(record)
        self.sync_wall_ns += time.perf_counter_ns() - started


class Packets:
    """Reads of so many messages; the devices take turns, each with its next number."""

    def __init__(self, devices: int, mix: str) -> None:
        self._devices, self._mix = devices, parse_mix(mix)
        self._stencil = make_stencil(1)
        self._sent = 0

    def take(self, count: int) -> bytes:
        """The next messages, encoded, with the time of now."""
        number: Int64 = np.arange(self._sent, self._sent + count)
        self._sent += count
        devices, seqs = number % self._devices, FIRST_SEQ + number // self._devices
        ids = number % PACKET_IDS + 1
        at_ms = np.full(count, now_us() // 1000)
        forms = forms_of(devices, seqs, self._mix)
        return bytes(self._stencil.batch(forms, devices, ids, at_ms, seqs).octets)
