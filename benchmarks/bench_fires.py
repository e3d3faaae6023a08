"""`gengfu bench fires`: whether the analogue smoke rule (S8) speaks before real detectors did in real fires.

It reads the recordings of NIST TN 1455-1 from a folder that is given: `SDC02.csv.gz` and so on, a row every
2 or 5 seconds with the detectors' own analogue outputs in raw units, and `Activation_Times.csv`, when each
detector sounded. Each channel of which both are there becomes a series of `smoke.density` and goes through
the engine with the shipped rules, all channels of a test at once.

Which column is whose: a detector is named by model and station (`Ion3A`). The digital heads (Ion2, Ion4 and
Pho2, where Ion2 is listed) hang at station B or E and have no analogue column; the columns of station B, and
`Ion1BE`, are then those of the other of the two. The ionisation heads Ion1 and Ion3 fall with smoke, so their
sign is turned; Ion1 is in volts and is taken in millivolts.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.errors import CannotMeasure
from devices.model import Float64, Metric, ReadingBatch, SeriesTable
from gengfu.shipped import shipped_catalogue
from rules.engine import Engine
from rules.transition import To

FOLDER: Final = "nist_smoke_alarms"
FIXED_ON: Final = ("SDC02", "SDC05")
"""The tests on which the numbers of S8 were chosen."""
HELD_OUT: Final = ("SDC07", "SDC10")
"""The tests they were never looked at with."""
RULE: Final = "S8"
IGNITED_K: Final = 20.0
"""How much warmer the thermocouple at the fire is than at the start once something burns (chosen)."""
_FALLING: Final = ("Ion1", "Ion3")
_IN_VOLTS: Final = "Ion1"
_START_US: Final = 1_800_000_000_000_000
_SECOND_US: Final = 1_000_000


class Channel(NamedTuple):
    """An analogue channel and when the detector it belongs to sounded."""

    name: str
    column: str
    sounded_s: float


class Fire(NamedTuple):
    """One test: seconds since its start, columns by name, and its channels."""

    name: str
    seconds: Float64
    columns: Mapping[str, Float64]
    channels: list[Channel]

    @property
    def ignition_s(self) -> float:
        """When the thermocouple at the fire was first so much warmer than at the start."""
        heat = self.columns["TCFIRE"]
        return float(self.seconds[int(np.argmax(heat >= heat[0] + IGNITED_K))])

    def raw(self, channel: Channel) -> Float64:
        """Its values, rising with smoke."""
        value = self.columns[channel.column]
        if channel.name.startswith(_FALLING):
            value = -value
        return value * 1000.0 if channel.name.startswith(_IN_VOLTS) else value


def measure(data: Path) -> dict[str, object]:
    """The figures, test by test. Raises CannotMeasure where a recording is missing or is another."""
    folder = data / FOLDER if (data / FOLDER).is_dir() else data
    sounded = _activations(folder / "Activation_Times.csv")
    tests = {name: judge(_fire(folder, name, sounded)) for name in (*FIXED_ON, *HELD_OUT)}
    return {
        "rule": RULE,
        "fixed_on": _together([tests[name] for name in FIXED_ON]),
        "held_out": _together([tests[name] for name in HELD_OUT]),
        "tests": tests,
    }


def judge(fire: Fire) -> dict[str, Any]:
    """What the rule said of each channel of one fire."""
    raised = first_raised([fire.raw(channel) for channel in fire.channels], fire.seconds)
    told = list(zip(fire.channels, raised, strict=True))
    leads = [channel.sounded_s - at for channel, at in told if at is not None]
    late = {
        channel.name: {"detector_s": channel.sounded_s, "rule_s": at}
        for channel, at in told
        if at is None or at > channel.sounded_s
    }
    return {
        "channels": len(told),
        "in_time": len(told) - len(late),
        "share": round(1 - len(late) / len(told), 3),
        "lead_median_s": median(leads) if leads else None,
        "lead_min_s": min(leads, default=None),
        "lead_max_s": max(leads, default=None),
        "interval_s": float(np.median(np.diff(fire.seconds))),
        "ignition_s": fire.ignition_s,
        "before_ignition": sum(1 for at in raised if at is not None and at < fire.ignition_s),
        "late": late,
        "leads_s": {channel.name: channel.sounded_s - at for channel, at in told if at is not None},
    }


def first_raised(values: Sequence[Float64], seconds: Float64) -> list[float | None]:
    """When the rule was first raised on each of these channels, in seconds; None for never."""
    n = len(values)
    table = SeriesTable.plain(
        1,
        np.array([0] + [Metric.SMOKE_DENSITY] * n, np.int16),
        np.arange(n + 1, dtype=np.int32),
        np.zeros(n + 1, np.int32),
        np.full(n + 1, np.nan),
    )
    engine, first = Engine(shipped_catalogue(), table), dict[int, float]()
    slot = np.arange(1, n + 1, dtype=np.int32)
    for row, second in enumerate(seconds.tolist()):
        at = np.full(n, _START_US + round(second * _SECOND_US), np.int64)
        value = np.array([column[row] for column in values])
        batch = ReadingBatch(int(at[0]), slot, at, np.zeros(n, np.uint16), value, np.zeros(n, np.uint32))
        for one in engine.evaluate(batch, [], batch.received_us):
            if one.rule == RULE and one.to is To.RAISED:
                first.setdefault(one.slot, second)
    return [first.get(number) for number in slot.tolist()]


def channels_of(test: str, columns: Sequence[str], sounded: Mapping[str, float]) -> list[Channel]:
    """The channels of a test that have an analogue column and a time."""
    heads = {name.removeprefix(f"{test}-"): at for name, at in sounded.items() if name.startswith(f"{test}-")}
    digital = {head[-1] for head in heads if head.startswith("Ion2")}
    found = []
    for head, at in heads.items():
        model, station = head[:-1], head[-1]
        if station in digital:
            continue
        names = [f"{model}B", f"{model}BE"] if station in {"B", "E"} else [head]
        found += [Channel(head, name, at) for name in names if name in columns]
    return found


def _together(tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    channels, in_time = (sum(test[key] for test in tests) for key in ("channels", "in_time"))
    leads = [lead for test in tests for lead in test["leads_s"].values()]
    return {
        "channels": channels,
        "in_time": in_time,
        "share": round(in_time / channels, 3),
        "lead_median_s": median(leads) if leads else None,
        "before_ignition": sum(test["before_ignition"] for test in tests),
    }


def _activations(path: Path) -> dict[str, float]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names, seconds = list(csv.reader(file))[:2]
        return dict(zip(names, map(float, seconds), strict=True))
    except (OSError, ValueError) as error:
        raise CannotMeasure(f"{path}: {error}") from None


def _fire(folder: Path, name: str, sounded: Mapping[str, float]) -> Fire:
    path = folder / f"{name}.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            head, *rows = list(csv.reader(file))
        values = np.array([[float(cell or "nan") for cell in row] for row in rows])
    except (OSError, ValueError, EOFError) as error:
        raise CannotMeasure(f"{path}: {error}") from None
    columns = dict(zip(head, values.T, strict=True))
    channels = channels_of(name, head, sounded)
    if not channels or not {"TIME", "TCFIRE"} <= set(columns):
        raise CannotMeasure(f"{path}: is no recording of a fire that is known here")
    return Fire(name, columns["TIME"], columns, channels)
