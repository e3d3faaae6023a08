"""Times in payloads → microseconds UTC. What is no time becomes `NONSENSE_US`, never an exception."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from devices.model import Int64, Quality, UInt32
from devices.profiles.compiling.compiled import Clock
from devices.profiles.values.iso_texts import instants

NONSENSE_US: Final = 1
"""Stands for a time that was given and means nothing; far outside every clock window, so it is flagged.
0 would say that no time was given."""
TEXT_MAX: Final = 64
"""Characters of a time as text (chosen: more than any format writes)."""
_LARGEST: Final = (1 << 63) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_TIMES: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}\.[0-9]{0,20}")
_TZ_ASSUMED: Final = int(Quality.TZ_ASSUMED)
_NONSENSE: Final = (NONSENSE_US, 0)


def read_time(clock: Clock, raw: object) -> tuple[int, int]:
    """Microseconds since 1970 UTC, or `NONSENSE_US`, and quality bits (TZ_ASSUMED). Never raises."""
    at: Clock | None = clock
    while at is not None:
        read = _read(at, raw)
        if read[0] != NONSENSE_US:
            return read
        at = at.then
    return _NONSENSE


def read_times(clock: Clock, raw: Sequence[Any] | NDArray[Any]) -> tuple[Int64, UInt32]:
    """The same for many at once: an array of int64 or float64, or any sequence of values.

    Fast for numbers, and for ISO texts of one length such as `2026-01-31T12:00:00.123Z`.
    """
    if isinstance(raw, np.ndarray) and clock.format in _TIMES and raw.dtype.kind in "if":
        return _numbers(clock, raw)
    each: Sequence[Any] = raw.tolist() if isinstance(raw, np.ndarray) else raw
    if clock.format == "iso" and each and all(type(text) is str for text in each):
        return _iso_texts(clock, each)
    return _one_by_one(clock, each)


def epoch_ms(value: object) -> int:
    """Milliseconds since 1970 as a number."""
    if type(value) is not int and type(value) is not float:
        return NONSENSE_US
    us = int(value * 1000) if abs(value) <= _LARGEST else 0
    return us if us and -_LARGEST <= us <= _LARGEST else NONSENSE_US


def epoch_ms_of(ms: Int64) -> Int64:
    """The same for whole numbers that are not negative."""
    us: Int64 = np.where((ms > 0) & (ms <= _LARGEST // 1000), ms * 1000, NONSENSE_US)
    return us


def iso(text: str) -> int:
    """ISO 8601 with an offset or Z; without one it could be any zone, which is nonsense."""
    try:
        instant = datetime.fromisoformat(text)
        return round(instant.timestamp() * 1e6) or NONSENSE_US if instant.tzinfo else NONSENSE_US
    except (ValueError, OverflowError):
        return NONSENSE_US


def _read(clock: Clock, raw: object) -> tuple[int, int]:
    if clock.format in _TIMES:
        us = _number_us(raw, _TIMES[clock.format])
        return _sane(clock, us, 0)
    if type(raw) is not str or len(raw) > TEXT_MAX:
        return _NONSENSE
    try:
        text = raw.strip()
        if clock.format == "iso":
            instant = datetime.fromisoformat(text)
        else:
            instant = datetime.strptime(text, clock.format)  # noqa: DTZ007 - the zone is the clock's
        if instant.tzinfo is not None:
            return _sane(clock, (instant - _EPOCH) // _US, 0)
        if clock.zone is None:
            return _NONSENSE
        local_us = (instant.replace(tzinfo=UTC) - _EPOCH) // _US
        us = local_us - _offset_us(clock.zone, local_us // 60_000_000)
        return _sane(clock, us, _TZ_ASSUMED if clock.assumed else 0)
    except (ValueError, OverflowError):
        return _NONSENSE


def _sane(clock: Clock, us: int, quality: int) -> tuple[int, int]:
    return (us, quality) if clock.earliest_us <= us <= _LARGEST and us > NONSENSE_US else _NONSENSE


def _number_us(raw: object, times: int) -> int:
    """A number, or text that is one, in µs; whole numbers exactly, others to the nearest."""
    if type(raw) is str:
        text = raw.strip()
        if _WHOLE.fullmatch(text):
            return int(text) * times
        raw = float(text) if _DECIMAL.fullmatch(text) else None
    if type(raw) is int:
        return raw * times
    if type(raw) is float and abs(raw) < _LARGEST:
        return round(raw * times)
    return 0


@lru_cache(maxsize=4096)
def _offset_us(zone: ZoneInfo, local_minute: int) -> int:
    """How far a zone's clocks are ahead of UTC at a local minute: since 1972 zones change on whole ones."""
    local = datetime(1970, 1, 1) + timedelta(minutes=local_minute)  # noqa: DTZ001 - local by its meaning
    offset = local.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else offset // _US


def _numbers(clock: Clock, raw: NDArray[Any]) -> tuple[Int64, UInt32]:
    """Numbers of the clock's unit."""
    times = _TIMES[clock.format]
    with np.errstate(all="ignore"):
        if raw.dtype.kind == "i":
            whole = raw.astype(np.int64)
            us = np.where(np.abs(whole) <= _LARGEST // times, whole * times, 0)
        else:
            exact = np.rint(raw * times)
            us = np.where(np.abs(exact) < float(_LARGEST), exact, 0.0).astype(np.int64)
    quality = np.zeros(len(us), np.uint32)
    sane = (us >= clock.earliest_us) & (us > NONSENSE_US)
    if clock.then is not None:
        for n in np.flatnonzero(~sane).tolist():
            us[n], quality[n] = read_time(clock.then, raw[n].item())
        return us, quality
    return np.where(sane, us, NONSENSE_US), quality


def _iso_texts(clock: Clock, texts: Sequence[str]) -> tuple[Int64, UInt32]:
    """Texts: those of the first one's form together, others one by one."""
    us, local = instants(texts)
    quality = np.zeros(len(us), np.uint32)
    if local and clock.zone is not None:
        minute, place = np.unique(us // 60_000_000, return_inverse=True)
        offsets = np.array([_offset_us(clock.zone, each) for each in minute.tolist()], np.int64)
        us = np.where(us != 0, us - offsets[place], 0)
        quality[:] = _TZ_ASSUMED if clock.assumed else 0
    elif local:
        us[:] = 0
    for n in np.flatnonzero((us < clock.earliest_us) | (us <= NONSENSE_US)).tolist():
        us[n], quality[n] = read_time(clock, texts[n])
    return us, quality


def _one_by_one(clock: Clock, raw: Sequence[Any]) -> tuple[Int64, UInt32]:
    read = [read_time(clock, one) for one in raw]
    return np.array([us for us, _ in read], np.int64), np.array([bits for _, bits in read], np.uint32)
