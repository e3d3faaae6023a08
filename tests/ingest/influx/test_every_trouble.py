"""Any order of outages, deaths on both sides, and a journal that is full: the counts are equal to the last
point, for every device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.store.influx.settling import SETTLED_S
from ingest.store.influx.writer import InfluxWriter
from ingest.store.road import BATCH_RECORDS
from tests.ingest.influx.forgetful import Clock, Forgetful
from tests.ingest.influx.house import House, Room, expected
from tests.ingest.influx.reading_lines import Line
from tests.series_servers import Row

DEVICES = 3
WAITS = ("dies", "starts", "stands_still")
OTHERS = ("empty", "snapshot", "restart", "page", "lost", "shy_ticks")
STEPS = st.one_of(
    st.tuples(st.just("ticks"), st.integers(1, 60)),
    st.tuples(st.just("seconds"), st.integers(1, 30)),
    st.tuples(st.just("writes"), st.integers(1, 4)),
    st.tuples(st.sampled_from((*WAITS, *OTHERS)), st.just(1)),
)
Step = tuple[str, int]
STOOD_STILL = [("stands_still", 1), ("seconds", 30), ("starts", 1), ("writes", 1)]
"""And is seen alive before it had time to keep anything."""
GAP_WAITS = [("lost", 1), *[("seconds", 5), ("writes", 1)] * 10]
"""The newest is there, what is left of an outage is not, and time goes by."""
SILENT_DAYS = [("empty", 1), ("seconds", 5), ("writes", 1)] * 10
"""Nothing to write, and nobody there to take it."""


NARROW = Room(segment_bytes=4_000, max_bytes=32_000, reserve_bytes=64_000)
"""Full after some sixty ticks."""
OUTAGE = [("ticks", 5), ("writes", 2), ("dies", 1), ("ticks", 90), ("writes", 1)]
BACK = [("starts", 1), *[("writes", 4), ("ticks", 3), ("seconds", 5), ("snapshot", 1)] * 12]


def rows(lines: Iterable[Line]) -> set[Row]:
    """Each value once, without qualities."""
    return {
        Row(line.measurement, tuple(line.tags.items()), name, value, line.ts_ns)
        for line in lines
        for name, value in line.fields.items()
        if not name.endswith("_quality")
    }


class Trouble:
    """A house, its writer, and a server that befalls what a step says."""

    def __init__(self, folder: Path, *, room: bool = True) -> None:
        self.clock = Clock()
        self.house = House(folder, DEVICES, Room() if room else replace(NARROW, clock=self.clock))
        self.server = Forgetful(self.clock)
        self.writer = self._writer()

    def _writer(self) -> InfluxWriter:
        return self.house.writer(self.server, SETTLED_S, self.clock)

    def befalls(self, what: str, n: int) -> None:
        if what == "ticks":
            self.ticks(n)
        elif what == "empty":
            self.house.tick_without_points()
        elif what == "seconds":
            self.server.passes(n)
        elif what == "writes":
            self.writes(n)
        elif what == "snapshot":
            self.house.snapshot()
        elif what == "restart":
            self.writer.close()
            self.writer = self._writer()
        elif what == "page":
            self.server.page = not self.server.page
        elif what == "lost":
            self.server.answers_are_lost = not self.server.answers_are_lost
        elif what == "shy_ticks":
            self.server.shy = True
            self.house.tick(n)
            self.writes(1)
            self.server.shy = False
        else:
            getattr(self.server, what)()

    def ticks(self, n: int) -> None:
        """As ingest does, which makes a snapshot when the reserve is half used."""
        for _ in range(n):
            if self.house.journal.is_pressed:
                self.house.snapshot()
            self.house.tick()
            self.server.passes(0.1)

    def writes(self, loads: int) -> None:
        for _ in range(loads):
            self.writer.run_once()
            self.server.passes(0.5)

    def ends(self) -> None:
        """The server is well, and after a while the journal needs nothing of what it was given. Then it dies
        once more."""
        self.server.starts()
        self.server.answers_are_lost = False
        for _ in range(300):
            self.writes(1)
        assert self.writer.behind == 0
        self.server.dies()
        self.writer.close()
        self.house.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=40))
@example([("ticks", 1), ("writes", 2), *STOOD_STILL, ("dies", 1)])
@example([("ticks", 1), ("writes", 1), ("dies", 1), *SILENT_DAYS])
@example([("ticks", 1), ("writes", 1), ("dies", 1), ("page", 1), *[("seconds", 5), ("writes", 1)] * 10])
@example([("shy_ticks", 1), ("dies", 1)])
@example([("ticks", 3 * BATCH_RECORDS), ("writes", 1), *GAP_WAITS, ("restart", 1), ("lost", 1)])
def test_whatever_befalls_server_and_writer_every_point_is_kept(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    trouble = Trouble(tmp_path_factory.mktemp("house"))
    with capture_logs():
        for what, n in steps:
            trouble.befalls(what, n)
        trouble.ends()
    house = trouble.house
    assert rows(trouble.server.kept) == expected(house, "smoke") | expected(house, "electrical")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=10, max_size=50))
@example([*OUTAGE, *BACK])
@example([*OUTAGE, ("restart", 1), ("ticks", 90), *BACK, ("restart", 1), *OUTAGE, *BACK])
def test_where_the_journal_is_full_too_all_is_kept_but_what_is_counted_as_shed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    trouble = Trouble(tmp_path_factory.mktemp("house"), room=False)
    with capture_logs():
        for what, n in steps:
            trouble.befalls(what, n)
        trouble.ends()
    house = trouble.house
    assert rows(trouble.server.kept) == expected(house, "smoke") | expected(house, "electrical")


def test_shed_is_what_comes_while_the_journal_is_full_and_neither_before_nor_after(tmp_path: Path) -> None:
    """One span; what waited then is stored, and so is what comes as soon as there is room again."""
    trouble = Trouble(tmp_path, room=False)
    with capture_logs():
        for what, n in [*OUTAGE, *BACK]:
            trouble.befalls(what, n)
        newest = trouble.house.ticks - 1
        trouble.ends()
    shed = sorted(trouble.house.shed)
    assert shed == list(range(shed[0], shed[-1] + 1))
    assert shed[0] > 30 and shed[-1] < newest - 10
