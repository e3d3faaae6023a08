"""How long InfluxDB 2 keeps what: readings as they came, and mean, least and most of each minute and hour.
Pure: what there is gives the requests that are missing.

What 1.x has as retention policies of a database are buckets here: the site's own, where points are written,
and two that are named after it. Tasks of the server fill these, and come back over the last hour, for what
came late. Fields are called as on 1.x (`mean_voltage`); of quality there are no averages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ingest.store.influx.flux import literal
from ingest.store.influx.layout import Kept, seconds
from ingest.store.influx.reading_points import MEASUREMENTS
from ingest.store.influx.words import QUALITY

BUCKETS: Final = "/api/v2/buckets"
TASKS: Final = "/api/v2/tasks"
ACTIVE: Final = "active"
LEAST_S: Final = 3600
"""What InfluxDB 2 keeps at least."""
_TASKS: Final = {"minutes": ("1m", "1h"), "hours": ("1h", "25h")}
"""How long a piece is, which is how often the task runs, and how far it comes back."""
_FUNCTIONS: Final = ("mean", "min", "max")
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that is there; `keeps_s` 0 is for ever."""

    id: str
    keeps_s: int


@dataclass(frozen=True, slots=True)
class Task:
    """A task that is there."""

    id: str
    flux: str
    status: str = ACTIVE


@dataclass(frozen=True, slots=True)
class Found:
    """What an organisation has of ours, by name."""

    org_id: str
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of InfluxDB's API, and what it is for. `right` is what a token needs for it."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any]
    right: str

    @property
    def statement(self) -> str:
        """As somebody is shown it."""
        return f"{self.method} {self.path} {msgspec.json.encode(self.body).decode()}"


def bucket_names(bucket: str) -> dict[str, str]:
    """The three buckets, by what they are called on 1.x: `raw`, `minutes`, `hours`."""
    return {"raw": bucket} | {one: f"{bucket}_{one}" for one in _TASKS}


def task_names(bucket: str) -> dict[str, str]:
    """The two tasks, by the bucket that they fill."""
    return {one: f"gengfu_{bucket}_{one}" for one in _TASKS}


def missing(bucket: str, wanted: Kept, found: Found, *, change: bool) -> tuple[list[Request], list[str]]:
    """The requests that bring the server there, and what differs and is left, in words.

    Without `change` a bucket that keeps for another time stays: shortening one deletes history; and so does a
    task that was written or stopped by somebody. Raises ValueError where a time is none, or below an hour.
    """
    steps: list[Request] = []
    left: list[str] = []
    lengths = {"raw": wanted.raw, "minutes": wanted.minutes, "hours": wanted.hours}
    of_buckets = [
        _bucket(name, lengths[one], found, change=change) for one, name in bucket_names(bucket).items()
    ]
    of_tasks = [_task(bucket, one, found, change=change) for one in _TASKS]
    for step in (*of_buckets, *of_tasks):
        if isinstance(step, Request):
            steps.append(step)
        elif step:
            left.append(step)
    return steps, left


def _bucket(name: str, length: str, found: Found, *, change: bool) -> Request | str:
    wanted_s, there = seconds(length), found.buckets.get(name)
    if 0 < wanted_s < LEAST_S:
        raise ValueError(f"{length!r}: InfluxDB 2 keeps an hour at least")
    what, right = f"bucket {name}: {length}", "write buckets"
    if there is None:
        kept = {"type": "expire", "everySeconds": wanted_s}
        body = {"orgID": found.org_id, "name": name, "retentionRules": [kept]}
        return Request(what, "POST", BUCKETS, body, right)
    if there.keeps_s == wanted_s:
        return ""
    if not change:
        shorter = wanted_s and (wanted_s < there.keeps_s or not there.keeps_s)
        deletes = ", and what is older is deleted" if shorter else ""
        return f"bucket {name} keeps {_told(there.keeps_s)}, not {length}; --change sets it{deletes}"
    kept = {"type": "expire", "everySeconds": wanted_s, "shardGroupDurationSeconds": _piece_s(wanted_s)}
    return Request(what, "PATCH", f"{BUCKETS}/{there.id}", {"retentionRules": [kept]}, right)


def _piece_s(keeps_s: int) -> int:
    """In what pieces the server keeps and deletes it: as it chooses itself for a new bucket. It takes no
    retention that is shorter than a piece."""
    if not keeps_s or keeps_s > 180 * _DAY_S:
        return 7 * _DAY_S
    return _DAY_S if keeps_s >= 2 * _DAY_S else 3600


def _told(keeps_s: int) -> str:
    """`400d`, `36h`, `INF`."""
    if not keeps_s:
        return "INF"
    for letter, unit in (("d", _DAY_S), ("h", 3600)):
        if keeps_s % unit == 0:
            return f"{keeps_s // unit}{letter}"
    return f"{keeps_s}s"


def _task(bucket: str, one: str, found: Found, *, change: bool) -> Request | str:
    name, right = task_names(bucket)[one], "write tasks"
    flux, there = _flux(bucket, one), found.tasks.get(name)
    what = f"task {name}"
    if there is None:
        return Request(what, "POST", TASKS, {"orgID": found.org_id, "flux": flux}, right)
    if there.flux.strip() == flux.strip() and there.status == ACTIVE:
        return ""
    if not change:
        differs = "was stopped" if there.status != ACTIVE else "says something else"
        return f"{what} {differs}; --change sets it right"
    return Request(what, "PATCH", f"{TASKS}/{there.id}", {"flux": flux, "status": ACTIVE}, right)


def _flux(bucket: str, one: str) -> str:
    """The task, with a pipe for each function: so the server works each out where it keeps the points."""
    task = f"{{name: {literal(task_names(bucket)[one])}, every: {_TASKS[one][0]}}}"
    head = f'import "date"\n\noption task = {task}'
    return "\n\n".join((head, *(_pipe(bucket, one, function) for function in _FUNCTIONS))) + "\n"


def _pipe(bucket: str, one: str, function: str) -> str:
    """Pieces begin where they begin by the clock: one that was cut off would stand in the place of the
    whole. Strings of somebody else's in the bucket have no mean, and would end the task."""
    every, back = _TASKS[one]
    start, stop = (f"date.truncate(t: {at}, unit: {every})" for at in (f"-{back}", "now()"))
    measured = " or ".join(f"r._measurement == {literal(name)}" for name in MEASUREMENTS)
    steps = (
        f"from(bucket: {literal(bucket)})",
        f"range(start: {start}, stop: {stop})",
        f"filter(fn: (r) => {measured})",
        f"filter(fn: (r) => r._field !~ /{QUALITY.decode()}$/)",
        f'aggregateWindow(every: {every}, fn: {function}, createEmpty: false, timeSrc: "_start")',
        f'map(fn: (r) => ({{r with _field: "{function}_" + r._field}}))',
        f"to(bucket: {literal(bucket_names(bucket)[one])})",
    )
    return "\n  |> ".join(steps)
