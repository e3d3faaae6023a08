"""Recordings of ordinary life as readings: plugs of two collections and one home's meter.

Nothing of it is in the repository: the files are read from a folder that is given. Every device becomes a
meter with `power.active` in watts and `current`, the power divided by 230 V; it hangs on a circuit of its own
in a dwelling of its own. Wall time is taken for UTC, so that nights are where they were.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.errors import CannotMeasure
from devices.model import Float64, Int64

PLUG_A: Final = 16.0
"""The circuit that a plug is taken to hang on."""
HOME_A: Final = 63.0
"""The breaker of the whole home (chosen: the next size above the 49 A that it draws at most)."""
STEP_S: Final = 10
"""Seconds of which a plug's readings a second are averaged (chosen: what meters report at their busiest)."""
_DAY_S: Final = 86_400
_DATED: Final = re.compile(r"[_ ]?\d{4}\.\d\d\.\d\d\.csv$")
_EPOCH_ORDINAL: Final = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


class Meter(NamedTuple):
    """One device's readings in the order of time; `rated_a` is its breaker."""

    uid: str
    rated_a: float
    at_us: Int64
    watts: Float64


def plugs_by_second(folder: Path) -> list[Meter]:
    """tracebase: `share.tar.gz`, files `dd/mm/yyyy hh:mm:ss;watts;watts`, one a device and day."""
    parts: dict[str, list[tuple[Int64, Float64]]] = {}
    for name, text in _members(folder / "share.tar.gz"):
        kind, file = name.split("/")[-2:]
        uid = f"{kind}:{_DATED.sub('', file).strip('_')}"
        parts.setdefault(uid, []).append(_averaged(*_by_second(name, text)))
    return [_joined(uid, some) for uid, some in sorted(parts.items())]


def plugs_by_minute(folder: Path) -> list[Meter]:
    """appliance_malfunction: the days labelled normal, files `ctime,activePower` once a minute."""
    parts: dict[str, list[tuple[Int64, Float64]]] = {}
    for name, text in _members(folder / "share.tar.gz"):
        if "/Normal/" in name:
            parts.setdefault(name.split("/")[-3], []).append(_by_minute(name, text))
    return [_joined(uid, some) for uid, some in sorted(parts.items())]


def home(folder: Path) -> list[Meter]:
    """household_d202: `share.csv.gz`, kWh of each quarter of an hour, read at its end."""
    path = folder / "share.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = [(row["DATE"], row["END TIME"], float(row["USAGE"])) for row in csv.DictReader(file)]
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise CannotMeasure(f"{path}: {error}") from None
    at = np.array([_minutes_us(f"{day} {end}", "%m/%d/%y %H:%M") for day, end, _ in rows], np.int64)
    watts = np.array([usage for *_, usage in rows]) * 4000.0
    one = _joined("d202", [(at + 60_000_000, watts)])
    return [one._replace(rated_a=HOME_A)]


def _members(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.endswith(".csv") else None
                if file is not None:
                    yield member.name, file.read().decode("utf-8-sig")
    except (OSError, EOFError, tarfile.TarError, UnicodeDecodeError) as error:
        raise CannotMeasure(f"{path}: {error}") from None


def _by_second(name: str, text: str) -> tuple[Int64, Float64]:
    days: dict[str, int] = {}
    seconds, watts = [], []
    try:
        for line in text.splitlines():
            day = line[:10]
            start = days.get(day)
            if start is None:
                start = days[day] = _day_s(day)
            seconds.append(start + int(line[11:13]) * 3600 + int(line[14:16]) * 60 + int(line[17:19]))
            watts.append(float(line[20 : line.index(";", 20)]))
    except ValueError as error:
        raise CannotMeasure(f"{name}: {error}") from None
    return np.array(seconds, np.int64), np.array(watts)


def _averaged(seconds: Int64, watts: Float64) -> tuple[Int64, Float64]:
    """The means of every STEP_S seconds in which there is a reading, at their ends."""
    step, inverse = np.unique(seconds // STEP_S, return_inverse=True)
    mean = np.bincount(inverse, watts) / np.bincount(inverse)
    return (step + 1) * (STEP_S * 1_000_000), mean


def _by_minute(name: str, text: str) -> tuple[Int64, Float64]:
    try:
        table = csv.DictReader(io.StringIO(text))
        rows = [(row["ctime"], float(row["activePower"])) for row in table if row["activePower"]]
        at = np.array([_minutes_us(when, "%m/%d/%Y %H:%M") for when, _ in rows], np.int64)
    except (KeyError, ValueError, TypeError) as error:
        raise CannotMeasure(f"{name}: {error}") from None
    return at, np.array([power for _, power in rows])


def _joined(uid: str, parts: list[tuple[Int64, Float64]]) -> Meter:
    """All parts in the order of time, of every moment the first reading."""
    at, first = np.unique(np.concatenate([one for one, _ in parts]), return_index=True)
    return Meter(uid, PLUG_A, at, np.concatenate([watts for _, watts in parts])[first])


def _minutes_us(text: str, form: str) -> int:
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()) * 1_000_000


def _day_s(text: str) -> int:
    day, month, year = map(int, text.split("/"))
    return (datetime(year, month, day, tzinfo=UTC).toordinal() - _EPOCH_ORDINAL) * _DAY_S
