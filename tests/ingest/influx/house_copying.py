"""A site that ran on the embedded store: its series, hard points of some days, and what a server must hold of
them in the end, worked out point by point."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, insert

from devices import schema
from devices.database import open_database, writing
from devices.model import Metric, Quality
from ingest.store.embedded import EmbeddedStore
from ingest.store.history import Series
from ingest.store.influx.copying import Copying, DayCopied
from ingest.store.influx.copying_sending import Posts
from ingest.store.influx.lines import settled
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.server import Server
from ingest.store.influx.words import field
from ingest.store.layout import DAY_NS
from ingest.store.points import Points
from ingest.store.reader import SeriesReader
from tests.ingest.influx.house import account_at
from tests.series_servers import VICTORIA, Row, SeriesServer

DAY = 20_700
"""The first one, counted from 1970."""
DAYS = 3
MS = 1_000_000
NOBODY = 77
"""A series that no table knows."""
KINDS = {"own:smoke": "smoke", "own:meter": "electrical", "own:楼道 ,=": "other", "own:new": ""}
SERIES = (
    Series(1, "own:smoke", "", Metric.SMOKE_ALARM),
    Series(2, "own:smoke", "", Metric.BATTERY_PCT),
    Series(3, "own:meter", "l1", Metric.CURRENT),
    Series(4, "own:meter", "l1", Metric.VOLTAGE),
    Series(5, "own:meter", "n", Metric.CURRENT),
    Series(1_030, "own:meter", "l2", Metric.CURRENT),
    Series(2_055, "own:楼道 ,=", "", Metric.TEMPERATURE),
    Series(17_000, "own:new", "ch1", Metric.CURRENT),
    Series(40_000, "own:new", "", Metric.VOLTAGE),
)


class Site:
    """Its data folder."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder, self.path = folder, folder / "points.db"
        self.engine: Engine = open_database(url or f"sqlite:///{folder}/gengfu.db")
        if not url:
            schema.metadata.create_all(self.engine)
        own = {"profile": "own", "registered_us": 0, "registered_by": "t"}
        devices = [{"uid": uid, "kind": kind} | own for uid, kind in KINDS.items() if kind]
        rows = [{"slot": s.slot, "uid": s.device, "channel": s.channel, "metric": s.metric} for s in SERIES]
        with writing(self.engine) as connection:
            connection.execute(insert(schema.device), devices)
            connection.execute(insert(schema.series), [row | {"created_us": 0} for row in rows])

    def keep(self, *writes: Points) -> None:
        """In the embedded store, in this order, as the service would."""
        store = EmbeddedStore(self.path, keep_days=100_000)
        for part in writes:
            store.write(part, store.offset + 1)
            store.prune(0)
        store.close()

    @contextmanager
    def copying(
        self,
        server: SeriesServer,
        posts: Posts | None = None,
        *,
        told: list[str] | None = None,
        settled_s: float = 0.0,
        seen_s: float = 30.0,
    ) -> Iterator[Copying]:
        account = account_at(server)
        reader, own = SeriesReader.open(self.path), Server(account, 4)
        copying = Copying(
            reader,
            posts or own,
            lambda: ServerReader.open(account),
            self.engine,
            (told if told is not None else []).append,
            whole_ms=server.kind == VICTORIA,
            settled_s=settled_s,
            seen_s=seen_s,
        )
        try:
            yield copying
        finally:
            copying.close()
            own.close()
            reader.close()

    def copied(
        self,
        server: SeriesServer,
        posts: Posts | None = None,
        *,
        seen_s: float = 30.0,
        shown_at_once: bool = True,
    ) -> list[DayCopied]:
        """All of it, by a process of its own. VictoriaMetrics shows what it took after some seconds, or at
        once, as a test wants it."""
        with ExitStack() as held:
            if shown_at_once and server.kind == VICTORIA:
                held.enter_context(_showing(server))
            copying = held.enter_context(self.copying(server, posts, seen_s=seen_s))
            return list(copying.run(self.days()))

    def days(self) -> list[int]:
        reader = SeriesReader.open(self.path)
        found = reader.days()
        reader.close()
        return found

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _showing(server: SeriesServer) -> Iterator[None]:
    """It shows at once what it took."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(0.2):
            server.post("/internal/force_flush")

    thread = threading.Thread(target=show)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def hard_points(n: int, seed: int = 20261123) -> list[Points]:
    """`n` points in several writes: values of all sorts, NaN, doubtful ones, late ones, some within one
    millisecond, at one time with different values, and again."""
    rng = np.random.default_rng(seed)
    slots = np.array([s.slot for s in SERIES], np.int32)
    slot = rng.choice(slots, n)
    ts_ns = (DAY * DAY_NS // MS + rng.integers(0, DAYS * 86_400_000, n)) * MS
    near = rng.random(n)
    ts_ns[near < 0.05] += rng.integers(0, 1000, n)[near < 0.05] * 1000
    ts_ns[near < 0.02] += rng.integers(0, 3, n)[near < 0.02]
    value = np.round(rng.normal(230, 100, n), 2)
    value[rng.random(n) < 0.03] = np.nan
    value[rng.random(n) < 0.002] = np.inf
    value[rng.random(n) < 0.01] = 0.0
    quality = np.zeros(n, np.uint32)
    quality[np.isnan(value)] = Quality.FAULT
    quality[rng.random(n) < 0.05] |= np.uint32(Quality.TZ_ASSUMED)
    # at the times of others: late, and (which a journal never gives) not
    for share, flag in ((0.05, int(Quality.LATE)), (0.02, 0)):
        at = np.flatnonzero(rng.random(n) < share)
        of = rng.integers(0, n, len(at))
        slot[at], ts_ns[at] = slot[of], ts_ns[of]
        quality[at] |= np.uint32(flag)
    points = Points(slot, ts_ns, value, quality)
    writes = [points[part] for part in np.array_split(np.arange(n), 7)]
    return [*writes, writes[0]]


def wanted(writes: list[Points]) -> dict[tuple[int, int], tuple[float, int]]:
    """Value and quality by slot and nanosecond in the server: points that are there before with series, time
    and value are none; of those left the last of time and arrival has the place."""
    every = Points.joined(writes)
    places = settled(every).tolist()
    seen: set[tuple[int, int, str]] = set()
    rows: list[tuple[int, int, int, float, int, int]] = []
    for n in range(len(every)):
        slot, ts_ns = int(every.slot[n]), int(every.ts_ns[n])
        value, quality = float(every.value[n]) + 0.0, int(every.quality[n])
        if (slot, ts_ns, repr(value)) not in seen:
            seen.add((slot, ts_ns, repr(value)))
            rows.append((slot, ts_ns, n, value, quality, places[n]))
    found: dict[tuple[int, int], tuple[float, int]] = {}
    for slot, _, _, value, quality, place in sorted(rows, key=lambda row: row[:3]):
        found[slot, place] = (value if np.isfinite(value) else np.nan, quality)
    return found


def rows_wanted(writes: list[Points]) -> set[Row]:
    """As the rows of an InfluxDB."""
    named = {s.slot: s for s in SERIES}
    found = set()
    for (slot, ts_ns), (value, quality) in wanted(writes).items():
        one = named[slot]
        tags = (("channel", one.channel),) if one.channel else ()
        row = Row(KINDS[one.device] or "unregistered", (*tags, ("device", one.device)), "", 0, ts_ns)
        name = field(one.metric).decode()
        if not np.isnan(value):
            found.add(Row(row.measurement, row.tags, name, value, ts_ns))
        if quality or np.isnan(value):
            found.add(Row(row.measurement, row.tags, f"{name}_quality", quality, ts_ns))
    return found


def rows_of(server: SeriesServer) -> list[Row]:
    """All that a server has of the site."""
    return [row for kind in ("smoke", "electrical", "other", "unregistered") for row in server.rows(kind)]


def is_copied(server: SeriesServer, writes: list[Points]) -> None:
    """AssertionError where the server has anything else. VictoriaMetrics keeps one of what shares a
    millisecond."""
    if server.kind != VICTORIA:
        rows = rows_of(server)
        assert len(set(rows)) == len(rows)
        assert set(rows) == rows_wanted(writes)
        return
    allowed: dict[tuple[object, ...], set[float]] = {}
    for row in rows_wanted(writes):
        allowed.setdefault((*_place(row), row.time_ns // MS * MS), set()).add(float(row.value))
    found: dict[tuple[object, ...], set[float]] = {}
    for row in rows_of(server):
        found.setdefault((*_place(row), row.time_ns), set()).add(float(row.value))
    assert found.keys() == allowed.keys()
    assert all(values <= allowed[place] for place, values in found.items())


def _place(row: Row) -> tuple[object, ...]:
    return row.measurement, row.tags, row.field
