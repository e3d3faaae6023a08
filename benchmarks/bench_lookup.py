"""`gengfu bench lookup`: what it costs to find a message's series, and to follow a registry that changes.

The code is the service's, without its parsing: topic → device → row → series, for messages of four readings
from random devices, in batches as ticks make them. All devices were heard once before: series, topics,
stamps and rule state are there, as in a service that has run for a day. Memory is the growth of resident
pages by all that; the registry itself lies in a SQLite file.
"""

from __future__ import annotations

import gc
import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from msgspec import Struct
from sqlalchemy import Connection, Engine, insert, update

from devices.database import open_database, reading, writing
from devices.model import Int16, Int32, Metric
from devices.profiles.profile import Decoded
from devices.profiles.sources import Sources
from devices.schema import device, metadata, registry_change, series
from gengfu.live_rules import LiveRules
from ingest.following import Following, apply_changes
from ingest.series import SeriesIndex
from ingest.stamps import Arrivals, Stamps

METRICS: Final = (Metric.CURRENT, Metric.CURRENT_RESIDUAL, Metric.VOLTAGE, Metric.POWER_ACTIVE)
TICK_MESSAGES: Final = (50, 100, 200)
"""Messages in a tick of 5 ms at 10,000, 20,000 and 40,000 messages a second."""
MANY: Final = 100_000
_CHUNK: Final = 10_000
_NOW_US: Final = 1_790_000_000_000_000
_LONGEST_S: Final = 120.0


class LookupFigures(Struct, frozen=True):
    """What `gengfu bench lookup --json` prints. Times of messages are the thread's CPU time, at the largest
    batch: at saturation, as the design's budget means it; `us_per_message_by_batch` has the smaller ones,
    where what a call costs whatever its size is shared by fewer messages.

    `follow_…_ms` is what the tick's thread is held up by: in all for one changed device, and at most at once
    for `follow_many` devices in one change, which took `follow_100k_s` from commit to the last one applied.
    """

    devices: int
    messages: int
    lookup_us_per_message: float
    of_which_topic_us: float
    of_which_slots_us: float
    bytes_per_series: float
    start_s: float
    follow_one_ms: float
    follow_100k_max_tick_ms: float
    follow_100k_s: float
    follow_many: int
    us_per_message_by_batch: dict[str, float]


class _Held:
    """What the ingest process holds in memory, as far as it concerns looking up."""

    def __init__(self, engine: Engine) -> None:
        started = time.perf_counter()
        with reading(engine) as connection:
            self.index = SeriesIndex(connection)
        self.rules = LiveRules(self.index.table())
        self.start_s = time.perf_counter() - started
        self.sources = Sources(("",))
        self.stamps = Stamps(self.index)

    def find(self, topics: list[str], metric: Int16) -> tuple[Int32, float, float]:
        """The slots of four readings a message, and the seconds that topics and slots took."""
        index, clock = self.index, time.thread_time
        started = clock()
        self.sources.start_tick()
        number = self.sources.recall(topics)
        remembered = number.tolist()
        topic_s = clock() - started
        source, group = np.array(remembered, np.intp), np.arange(len(topics)).repeat(len(METRICS))
        channel = np.zeros(len(source), np.intp)
        started = clock()
        row = self.sources.rows(source, channel, index)[group]
        slots = index.slots_of(index.seats_for(row, metric))
        slots_s = clock() - started
        self.sources.end_tick()
        return slots, topic_s, slots_s

    def adopt(self) -> None:
        """What the tick does with a changed registry."""
        if self.index.has_changed:
            changed = self.index.take_changed()
            self.index.standing(changed)
            self.rules.adopt(self.index.table(), changed)


def run_bench(devices: int, messages: int) -> LookupFigures:
    """The whole measurement; about two minutes at a million devices."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'registry.db'}")
        _write_registry(engine, devices)
        gc.collect()
        before = _resident_bytes()
        held = _Held(engine)
        _hear_all(held, devices)
        gc.collect()
        bytes_per_series = (_resident_bytes() - before) / (devices * len(METRICS))
        gc.freeze()
        by_batch = {batch: _look_up(held, devices, messages, batch) for batch in TICK_MESSAGES}
        one_ms = _follow_one(engine, held)
        many = min(MANY, devices)
        max_ms, many_s = _follow_many(engine, held, many)
        engine.dispose()
    topic, slots = by_batch[max(by_batch)]
    return LookupFigures(
        devices=devices,
        messages=messages * len(TICK_MESSAGES),
        lookup_us_per_message=round(topic + slots, 3),
        of_which_topic_us=round(topic, 3),
        of_which_slots_us=round(slots, 3),
        bytes_per_series=round(bytes_per_series, 1),
        start_s=round(held.start_s, 1),
        follow_one_ms=round(one_ms, 3),
        follow_100k_max_tick_ms=round(max_ms, 2),
        follow_100k_s=round(many_s, 2),
        follow_many=many,
        us_per_message_by_batch={str(batch): round(sum(us), 3) for batch, us in by_batch.items()},
    )


def _uid(number: int) -> str:
    return f"own:meter-{number:07d}"


def _topic(number: int) -> str:
    """A string of its own, as it comes from the wire."""
    return f"gengfu/meter-{number:07d}/readings"


def _write_registry(engine: Engine, devices: int) -> None:
    """Devices of one change and their series, as if heard before."""
    metadata.create_all(engine)
    for start in range(0, devices, 50_000):
        numbers = range(start, min(start + 50_000, devices))
        with writing(engine) as connection:
            change = _change(connection)
            connection.execute(insert(device), [_device(n, change) for n in numbers])
            connection.execute(insert(series), [row for n in numbers for row in _series(n)])


def _change(connection: Connection) -> int:
    values = {"at_us": _NOW_US, "by": "bench", "what": "devices"}
    change: int = connection.execute(
        insert(registry_change).values(values).returning(registry_change.c.id)
    ).scalar_one()
    return change


def _device(number: int, change: int) -> dict[str, object]:
    return {
        "id": number + 1,
        "uid": _uid(number),
        "kind": "electrical",
        "profile": "own",
        "breaker_a": 25.0,
        "registered_us": _NOW_US,
        "registered_by": "bench",
        "change_id": change,
    }


def _series(number: int) -> Iterator[dict[str, object]]:
    for n, metric in enumerate(METRICS):
        yield {
            "slot": number * len(METRICS) + n + 1,
            "uid": _uid(number),
            "channel": "",
            "metric": int(metric),
            "created_us": _NOW_US,
        }


def _hear_all(held: _Held, devices: int) -> None:
    """Every device once, a reading of each metric, with a sequence number."""
    for start in range(0, devices, _CHUNK):
        numbers = range(start, min(start + _CHUNK, devices))
        count = len(numbers)
        held.sources.start_tick()
        source = np.array([held.sources.meet(_topic(n), _uid(n)) for n in numbers], np.intp)
        row = held.sources.rows(source, np.zeros(count, np.intp), held.index)
        held.sources.end_tick()
        readings = count * len(METRICS)
        decoded = Decoded(
            row=row.repeat(len(METRICS)),
            metric=_metrics(count),
            observed_us=np.full(readings, _NOW_US, np.int64),
            value=np.ones(readings),
            quality=np.zeros(readings, np.uint32),
            message=np.arange(count, dtype=np.int32).repeat(len(METRICS)),
            seq=np.ones(count, np.int64),
            rejected=[],
            strangers=[],
        )
        zeros = np.zeros(count, np.uint32)
        arrived = Arrivals(_NOW_US, zeros.astype(np.uint16), zeros, np.zeros(count, np.bool_), queued=False)
        held.stamps.stamp(decoded, arrived)


def _metrics(messages: int) -> Int16:
    return np.tile(np.array(METRICS, np.int16), messages)


def _look_up(held: _Held, devices: int, messages: int, batch: int) -> tuple[float, float]:
    """Microseconds a message for topics and for slots, in batches of random devices."""
    chosen, metric = np.random.default_rng(batch), _metrics(batch)
    topic_s = slots_s = 0.0
    ticks = max(1, messages // batch)
    for tick in range(-10, ticks):
        numbers = chosen.integers(devices, size=batch).tolist()
        topics = [_topic(n) for n in numbers]
        slots, one_s, other_s = held.find(topics, metric)
        assert slots[0] == numbers[0] * len(METRICS) + 1
        if tick >= 0:
            topic_s, slots_s = topic_s + one_s, slots_s + other_s
    return topic_s / (ticks * batch) * 1e6, slots_s / (ticks * batch) * 1e6


def _alter(engine: Engine, upto: int) -> None:
    with writing(engine) as connection:
        values = {"breaker_a": 16.0, "change_id": _change(connection)}
        connection.execute(update(device).where(device.c.id <= upto).values(values))


def _follow_one(engine: Engine, held: _Held) -> float:
    """The median of 20 changes of one device, in milliseconds of the tick's thread."""
    following = Following(engine, held.index.registry_version, look_s=0.01)
    following.start()
    took = []
    for _ in range(20):
        _alter(engine, 1)
        worst_ms, _seconds = _until_followed(held, following, held.index.registry_version + 1)
        took.append(worst_ms)
    following.stop()
    return sorted(took)[len(took) // 2]


def _follow_many(engine: Engine, held: _Held, devices: int) -> tuple[float, float]:
    """The longest hold-up of a tick in milliseconds, and the seconds until all were applied."""
    _alter(engine, devices)
    following = Following(engine, held.index.registry_version)
    following.start()
    worst_ms, seconds = _until_followed(held, following, held.index.registry_version + 1)
    following.stop()
    return worst_ms, seconds


def _until_followed(held: _Held, following: Following, version: int) -> tuple[float, float]:
    started, worst_s = time.monotonic(), 0.0
    while held.index.registry_version < version:
        if time.monotonic() - started > _LONGEST_S:
            raise TimeoutError(f"the registry was not followed within {_LONGEST_S:.0f} s")
        begun = time.perf_counter()
        if apply_changes(held.index, following):
            held.adopt()
            worst_s = max(worst_s, time.perf_counter() - begun)
        time.sleep(0.001)
    return worst_s * 1000, time.monotonic() - started


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096
