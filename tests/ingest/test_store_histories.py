"""What pages are told of a site's points: by the file beside, by the server, and when that is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric
from ingest.store.histories import AWAY_S, Histories, in_steps, newer
from ingest.store.history import NEWEST_NS, Outline, Series, SeriesUnread, outline_of
from ingest.store.influx.asking import Away, TooMuch
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
    whole_to_ns: int = NEWEST_NS
    lacks: str = ""
    answers: bool = True
    refuses: dict[int, SeriesUnread] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def open(self) -> Store:
        if not self.answers:
            self.opened += 1
            self.closed += 1
            raise Away("http://s: no answer")
        self.opened += 1
        return self

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        self.asked.append((from_ns, to_ns))
        if series.slot in self.refuses:
            raise self.refuses[series.slot]
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


def test_what_came_since_the_near_one_stood_still_is_the_servers(site: Site) -> None:
    site.near.holds, site.near.whole_to_ns = points(1, 50, 60), 70
    site.far.holds = points(1, *range(0, 110, 10))
    assert site.times(0, 100) == list(range(0, 100, 10))
    assert site.far.asked == [(0, 50), (70, 100)]
    assert site.times(50, 70) == [50, 60]
    assert len(site.far.asked) == 2
    assert site.histories.excerpt(METER, 50, 100).lacks == ""


def test_where_the_near_one_stands_still_and_the_server_is_away_that_is_said(site: Site) -> None:
    site.near.whole_to_ns, site.far.answers = 70, False
    found = site.histories.excerpt(METER, 50, 100)
    assert found.points.ts_ns.tolist() == [50, 60, 70, 80, 90], "and all that there is is shown"
    assert found.whole_to_ns == 70
    assert (
        found.lacks == "http://s: no answer; the newest points beside the server end at 1970-01-01T00:00:00Z"
    )


def test_an_outline_changes_hands_again_where_the_near_one_ends(site: Site) -> None:
    site.near.whole_to_ns = 95
    sketch = site.histories.outline(METER, 0, 100, 30)
    assert site.far.asked == [(0, 60), (90, 100)]
    assert sketch.outline.begin_ns.tolist() == [0, 30, 60], "the server has nothing of 90 here"


def test_the_newest_is_the_newer_of_both_where_the_near_one_stands_still(site: Site) -> None:
    site.near.whole_to_ns = 70
    site.near.holds = Points.joined([points(1, 60), points(2, 65)])
    site.far.holds = Points.joined([points(1, 60, 99), points(2, 5)])
    found = site.histories.latest([METER, OTHER])
    assert dict(zip(found.points.slot.tolist(), found.points.ts_ns.tolist(), strict=True)) == {1: 99, 2: 65}
    assert found.lacks == ""
    site.far.answers = False
    found = site.histories.latest([METER, OTHER])
    assert sorted(found.points.ts_ns.tolist()) == [60, 65]
    assert found.lacks.startswith("http://s: no answer; the newest points beside the server end at")


def test_the_newest_from_before_a_hole_is_not_believed(site: Site) -> None:
    site.near.holds = points(1, 40)
    assert site.histories.latest([METER]).points.ts_ns.tolist() == [80]


def test_one_series_that_is_refused_keeps_no_other_from_being_asked(site: Site) -> None:
    site.far.refuses = {1: TooMuch("http://s: answers with more than 1 byte")}
    site.far.holds = points(2, 10)
    assert "more than" in site.histories.excerpt(METER, 0, 40).lacks
    found = site.histories.excerpt(OTHER, 0, 40)
    assert (found.points.ts_ns.tolist(), found.lacks) == ([10], "")


def test_damage_near_is_the_servers_to_mend_and_is_said_where_it_is_away(site: Site) -> None:
    site.near.lacks = "recent.db: damaged"
    assert site.histories.excerpt(METER, 50, 90).points.ts_ns.tolist() == [50, 60, 70, 80]
    assert site.histories.excerpt(METER, 50, 90).lacks == ""
    assert site.far.asked[0] == (50, 90)
    assert site.histories.latest([METER]).points.ts_ns.tolist() == [90], "the newer of both"
    site.far.answers = False
    assert site.histories.excerpt(METER, 50, 90).lacks == "http://s: no answer; recent.db: damaged"
    assert site.histories.latest([METER]).lacks == "http://s: no answer; recent.db: damaged"


def test_damage_in_the_sites_store_is_said(site: Site) -> None:
    site.far.lacks = "points.db: damaged"
    assert site.histories.excerpt(METER, 0, 100).lacks == "points.db: damaged"
    assert Histories(site.far.open).latest([METER]).lacks == "points.db: damaged"


@given(*[st.integers(-20, 120)] * 4, st.integers(1, 40))
def test_whatever_is_asked_each_moment_is_one_stores(
    whole: int, still: int, begin: int, length: int, step: int
) -> None:
    """And it is the near one's only where that is whole."""
    end = begin + abs(length)
    first, last = in_steps(whole, still, begin, end, step)
    assert begin <= first <= last <= end
    assert first == last or (whole <= first and last <= still)
    assert (first - begin) % step == 0 or first == end
    assert (last - begin) % step == 0 or last == end
    if whole <= begin and still >= end:
        assert (first, last) == (begin, end) or begin == end


def test_of_two_newest_the_newer_is_taken() -> None:
    both = newer(points(1, 5), Points.joined([points(1, 4), points(2, 3)]))
    assert list(zip(both.slot.tolist(), both.ts_ns.tolist(), strict=True)) == [(1, 5), (2, 3)]
    assert len(newer(Points.empty(), Points.empty())) == 0
