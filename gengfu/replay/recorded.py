"""From rows of a recording to arrays: which series, at what time, how trustworthy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from devices.model import (
    HARD_QUALITY,
    METRIC_BY_NAME,
    Float64,
    Int32,
    Int64,
    Metric,
    Quality,
    SeriesTable,
    UInt16,
    UInt32,
    in_room,
    phase_of,
)
from gengfu.replay.circuits import Circuits, Facts
from gengfu.replay.reading import Lines, Row, instant_us

COLUMNS: Final = ("device", "channel", "metric", "observed_at", "value")
"""What every line has."""
MORE: Final = ("quality", "unit", "role")
"""What a line may have besides: what `gengfu decode` prints."""
PART: Final = 65_536
"""Rows that are in memory as Python objects at once (chosen)."""
BACK_US: Final = 7 * 86_400 * 1_000_000
"""How far a reading may lie before one that stands above it, as far as a device's clock is believed."""
_MOST_NUDGES: Final = 999
_WORDS: Final = {"true": 1.0, "false": 0.0}
_BY_UNIT: Final = {
    (name, metric.unit, metric.role): metric
    for metric in Metric
    for name in {metric.name_on_wire, metric.quantity}
}


class Recorded(NamedTuple):
    """Readings in the order of the recording, as parallel arrays; see `ReadingBatch`."""

    slot: Int32
    observed_us: Int64
    nudge_ns: UInt16
    value: Float64
    quality: UInt32

    def part(self, start: int, end: int) -> Recorded:
        """Those from `start` to before `end`."""
        chosen = slice(start, end)
        return Recorded(
            self.slot[chosen],
            self.observed_us[chosen],
            self.nudge_ns[chosen],
            self.value[chosen],
            self.quality[chosen],
        )


class Book:
    """The series of a recording and what is known of them; slot 0 is nobody's.

    Places, devices and gateways get ids in the order in which they are named.
    """

    def __init__(self, circuits: Circuits | None = None) -> None:
        self._circuits = circuits or Circuits()
        self._ids: dict[str, dict[str, int]] = {}
        self._slots: dict[tuple[str, str, Metric], int] = {}
        self._device: list[str] = [""]
        self._channel: list[str] = [""]
        self._metric: list[int] = [0]
        self._facts: list[Facts] = [Facts()]
        self._table: SeriesTable | None = None

    def __len__(self) -> int:
        return len(self._device)

    def slot(self, device: str, channel: str, metric: Metric) -> int:
        """The slot of a series; one that was not met yet gets the next."""
        found = self._slots.get((device, channel, metric))
        if found is None:
            found = self._slots[device, channel, metric] = len(self._device)
            self._device.append(device)
            self._channel.append(channel)
            self._metric.append(int(metric))
            self._facts.append(self._circuits.of(device, channel))
        return found

    def id(self, kind: str, code: str) -> int:
        """The id of a device (`device`), or of a place of a kind; 0 for no code."""
        ids = self._ids.setdefault(kind, {})
        return ids.setdefault(code, len(ids) + 1) if code else 0

    def code(self, kind: str, id_: int) -> str:
        """What an id stands for; empty for none."""
        return next((code for code, known in self._ids.get(kind, {}).items() if known == id_), "")

    def device(self, slot: int) -> str:
        """The device of a series."""
        return self._device[slot]

    def channel(self, slot: int) -> str:
        """The channel of a series."""
        return self._channel[slot]

    def devices(self) -> int:
        """How many devices were met."""
        return len(set(self._device)) - 1

    def met(self, kind: str) -> frozenset[str]:
        """The codes of the devices that were met, or of the places of a kind in which they are."""
        codes = self._device if kind == "device" else [getattr(one, kind) for one in self._facts]
        return frozenset(codes) - {""}

    def channels(self) -> dict[str, set[str]]:
        """The channels that were met, by device."""
        found: dict[str, set[str]] = {}
        for device, channel in zip(self._device[1:], self._channel[1:], strict=True):
            found.setdefault(device, set()).add(channel)
        return found

    def table(self) -> SeriesTable:
        """All series met so far, for the engine; the same object while there is no new one."""
        if self._table is None or len(self._table) != len(self):
            self._table = self._built()
        return self._table

    def _built(self) -> SeriesTable:
        facts = self._facts

        def places(kind: str) -> Int32:
            return np.array([self.id(kind, getattr(one, kind)) for one in facts], np.int32)

        metric = np.array(self._metric, np.int16)
        device = np.array([self.id("device", uid) for uid in self._device], np.int32)
        phase = np.array([phase_of(channel) for channel in self._channel], np.uint8)
        return SeriesTable(
            generation=len(self),
            metric=metric,
            device=device,
            dwelling=places("dwelling"),
            reference_a=np.array([one.reference_a for one in facts], np.float64),
            stair=places("stair"),
            building=places("building"),
            area=places("area"),
            parent=np.array([self.id("device", one.parent) for one in facts], np.int32),
            breaker_a=np.array([one.breaker_a for one in facts], np.float32),
            silence_s=np.array([one.silence_s for one in facts], np.float32),
            insulation=np.array([one.insulation for one in facts], np.uint8),
            earthing=np.array([one.earthing for one in facts], np.uint8),
            kind=np.array([one.kind for one in facts], np.uint8),
            phase=phase,
            room=in_room(metric, device, phase),
        )


class Recording:
    """A file's readings as arrays, some thousand at a time. Times without an offset are in `zone`."""

    def __init__(self, path: Path, book: Book, zone: tzinfo) -> None:
        self._lines = Lines(path, COLUMNS, MORE)
        self._book = book
        self._zone = zone
        self._series: dict[tuple[Any, ...], int] = {}
        self._newest: list[tuple[int, float, int]] = []
        """Of each slot the newest time, its value, and how often that time was there."""
        self._latest_us = 0
        self._quality: dict[str, int] = {"": 0}

    def __iter__(self) -> Iterator[Recorded]:
        """Raises RecordingError where a line is wrong."""
        taken: list[_Reading] = []
        for row in self._lines:
            taken.append(self._reading(row))
            if len(taken) == PART:
                yield _columns(taken)
                taken = []
        if taken:
            yield _columns(taken)

    def _reading(self, row: Row) -> _Reading:
        slot = self._slot(row)
        at = self._instant(row["observed_at"])
        value, quality = self._value(row["value"]), self._flags(row.get("quality", ""))
        if math.isnan(value) and not quality & HARD_QUALITY:
            quality |= int(Quality.FAULT)
        if quality & HARD_QUALITY:
            value = math.nan
        newest, before, nudge = self._newest[slot]
        if at < newest:
            return slot, at, 0, value, quality | int(Quality.LATE)
        if at == newest:
            if value == before:
                quality |= int(Quality.DUPLICATE)
            nudge = min(nudge + 1, _MOST_NUDGES)
        else:
            nudge = 0
        self._newest[slot] = at, value, nudge
        return slot, at, nudge, value, quality

    def _slot(self, row: Row) -> int:
        key = row["device"], row["channel"] or "", row["metric"], row.get("unit"), row.get("role") or ""
        try:
            slot = self._series.get(key)
        except TypeError:
            raise self._lines.wrong("device, channel, metric, unit and role are texts") from None
        if slot is None:
            slot = self._series[key] = self._meet(*key)
            self._newest += [_NEVER] * (slot + 1 - len(self._newest))
        return slot

    def _meet(self, device: object, channel: object, metric: object, unit: object, role: object) -> int:
        texts = {"device": device, "channel": channel, "metric": metric, "unit": unit or "", "role": role}
        for column, text in texts.items():
            if not isinstance(text, str) or (column == "device" and not text):
                raise self._lines.wrong("a text is needed", column)
        name, of = str(metric), str(unit or "")
        known = METRIC_BY_NAME.get(name) if unit is None or not of else None
        known = known or _BY_UNIT.get((name, of, str(role)))
        if known is None:
            allowed = ", ".join(METRIC_BY_NAME)
            raise self._lines.wrong(
                f"`{name}` {of} is unknown; allowed: {allowed}".replace("  ", " "), "metric"
            )
        return self._book.slot(str(device), str(channel), known)

    def _instant(self, text: object) -> int:
        try:
            at = instant_us(text, self._zone)
        except ValueError as error:
            raise self._lines.wrong(str(error), "observed_at") from None
        if at < self._latest_us - BACK_US:
            raise self._lines.wrong(
                "more than 7 days before a line above it; sort the lines by observed_at", "observed_at"
            )
        self._latest_us = max(self._latest_us, at)
        return at

    def _value(self, text: object) -> float:
        if text is None or text == "":
            return math.nan
        try:
            value = float(text)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            value = _WORDS.get(str(text).lower(), math.inf)
        if math.isinf(value):
            raise self._lines.wrong(
                f"`{str(text)[:40]}` is no value; a number, true, false or nothing is allowed", "value"
            )
        return value

    def _flags(self, said: object) -> int:
        """`late|queued`, or a list of the names."""
        text = "|".join(map(str, said)) if isinstance(said, list) else str(said or "")
        found = self._quality.get(text)
        if found is None:
            found = 0
            for name in text.split("|"):
                flag = _FLAGS.get(name.strip())
                if flag is None:
                    allowed = ", ".join(_FLAGS)
                    raise self._lines.wrong(f"`{name[:40]}` is unknown; allowed: {allowed}", "quality")
                found |= flag
            if len(self._quality) < _MOST_WORDINGS:
                self._quality[text] = found
        return found


_Reading = tuple[int, int, int, float, int]
_NEVER: Final = (-1, math.nan, 0)
_FLAGS: Final[Mapping[str, int]] = {flag.name.lower(): int(flag) for flag in Quality if flag.name}
_MOST_WORDINGS: Final = 10_000


def _columns(taken: Sequence[_Reading]) -> Recorded:
    slot, at, nudge, value, quality = zip(*taken, strict=True)
    return Recorded(
        np.array(slot, np.int32),
        np.array(at, np.int64),
        np.array(nudge, np.uint16),
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )
