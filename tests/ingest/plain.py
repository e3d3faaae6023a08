"""A plain profile and a plain engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, Metric, Quality, ReadingBatch, SeriesTable
from devices.profiles.profile import Decoded, Points, Reason, Rejected, StrangerReading
from tests.ingest.fuse import Fuse

METRICS = {
    "smoke": Metric.SMOKE_ALARM,
    "test": Metric.SMOKE_TEST,
    "amps": Metric.CURRENT,
    "temp": Metric.TEMPERATURE,
}

Alarm = tuple[int, int, int]
"""What the plain engine raises: slot, observed_us, nudge_ns."""


class PlainProfile:
    """Topic `t/UID`, payload `{"smoke": 1, "test": 0, "amps": 2.5, "at": µs, "seq": 7}`; anything else is
    refused.

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
