"""What pages are told of a site's points: by the file beside, by the server, and when that is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from devices.model import Metric
from ingest.store.histories import AWAY_S, Histories
from ingest.store.history import Outline, Series, SeriesUnread, outline_of
from ingest.store.points import Points

METER = Series(1, "own:m", "l1", Metric.CURRENT)
OTHER = Series(2, "own:n", "", Metric.SMOKE_ALARM)


def points(slot: int, *times: int) -> Points:
    n = len(times)
    return Points(
        np.full(n, slot, np.int32), np.array(times, np.int64), np.array(times, float), np.zeros(n, np.uint32)
    )


@dataclass
class Store:
    """A store in memory: what it holds, whether it answers, and what it was asked."""

    holds: Points
    whole_from_ns: int = 0
    answers: bool = True
    asked: list[tuple[int, int]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def open(self) -> Store:
        if not self.answers:
            self.opened += 1
            self.closed += 1
            raise SeriesUnread("http://s: no answer")
        self.opened += 1
        return self

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        self.asked.append((from_ns, to_ns))
        mine = self.holds[self.holds.slot == series.slot]
        return mine[(mine.ts_ns >= from_ns) & (mine.ts_ns < to_ns)][:limit]

    def latest(self, many: Sequence[Series]) -> Points:
        return Points.joined([self.holds[self.holds.slot == one.slot][-1:] for one in many])

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        return outline_of(self.read(series, from_ns, to_ns), from_ns, to_ns, step_ns)

    def close(self) -> None:
        self.closed += 1


class Site:
    """A server with all there is, and the newest beside it, whole from 50 on, with a piece of before."""

    def __init__(self) -> None:
        self.far = Store(points(1, *range(0, 90, 10)))
        self.near = Store(points(1, 40, *range(50, 100, 10)), whole_from_ns=50)
        self.now_s = 0.0
        self.histories = Histories(self.far.open, self.near.open, lambda: self.now_s)

    def times(self, from_ns: int, to_ns: int) -> list[int]:
        found: list[int] = self.histories.excerpt(METER, from_ns, to_ns).points.ts_ns.tolist()
        return found


@pytest.fixture
def site() -> Site:
    return Site()


def test_what_is_near_is_not_asked_of_the_server(site: Site) -> None:
    found = site.histories.excerpt(METER, 50, 100)
    assert found.points.ts_ns.tolist() == [50, 60, 70, 80, 90]
    assert found.lacks == ""
    assert site.far.opened == 0


def test_what_is_older_comes_from_the_server_and_each_point_once(site: Site) -> None:
    assert site.times(0, 100) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert site.far.asked == [(0, 50)]
    assert site.times(0, 30) == [0, 10, 20]
    assert site.histories.excerpt(METER, 0, 100, limit=3).points.ts_ns.tolist() == [0, 10, 20]


def test_without_the_server_all_that_is_near_is_shown_and_what_may_be_missing_is_said(site: Site) -> None:
    site.far.answers = False
    found = site.histories.excerpt(METER, 0, 100)
    assert found.points.ts_ns.tolist() == [40, 50, 60, 70, 80, 90]
    assert (found.whole_from_ns, found.lacks) == (50, "http://s: no answer")


def test_a_server_that_is_away_is_left_alone_for_a_while(site: Site) -> None:
    site.far.answers = False
    for _ in range(5):
        site.histories.excerpt(METER, 0, 100)
    assert site.far.opened == 1
    site.now_s, site.far.answers = AWAY_S, True
    assert site.times(0, 20) == [0, 10]


def test_an_outline_changes_hands_between_pieces(site: Site) -> None:
    sketch = site.histories.outline(METER, 0, 100, 30)
    assert sketch.outline.begin_ns.tolist() == [0, 30, 60, 90]
    assert sketch.outline.count.tolist() == [3, 3, 3, 1]
    assert sketch.outline.mean.tolist() == [10.0, 40.0, 70.0, 90.0]
    assert site.far.asked == [(0, 60)], "the piece in which the near one begins is the server's"


def test_the_newest_is_near_and_of_silent_series_far(site: Site) -> None:
    site.far.holds = Points.joined([site.far.holds, points(2, 5)])
    found = site.histories.latest([OTHER, METER])
    assert dict(zip(found.points.slot.tolist(), found.points.ts_ns.tolist(), strict=True)) == {1: 90, 2: 5}
    site.far.answers = False
    found = site.histories.latest([OTHER, METER])
    assert found.points.slot.tolist() == [1]
    assert found.lacks == "http://s: no answer"


def test_where_nothing_is_near_the_server_is_asked_for_all(site: Site) -> None:
    site.near.answers = False
    assert site.times(0, 100) == list(range(0, 90, 10))
    site.far.answers = False
    found = site.histories.excerpt(METER, 0, 100)
    assert (len(found.points), found.whole_from_ns) == (0, 100)
    assert found.lacks == "http://s: no answer; http://s: no answer"


def test_a_site_without_a_server_has_one_store() -> None:
    store = Store(points(1, 10, 20))
    histories = Histories(store.open)
    assert histories.excerpt(METER, 0, 100).points.ts_ns.tolist() == [10, 20]
    store.answers = False
    assert histories.outline(METER, 0, 100, 10).lacks == "http://s: no answer"


def test_whatever_was_opened_is_closed(site: Site) -> None:
    site.times(0, 100)
    site.histories.outline(METER, 0, 100, 10)
    site.histories.latest([METER, OTHER])
    for store in (site.near, site.far):
        assert store.opened == store.closed > 0
