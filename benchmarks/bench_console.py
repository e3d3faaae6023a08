"""`gengfu bench console`: the operators' pages over thousands of open incidents while they change.

The alerts process and the console run as in service on a database of their own. Many pages are held open by a
process of clients, one by a real browser, which tells when it paints and when a line of its board changes.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from benchmarks.console_browser import Held, Watched, watching
from benchmarks.console_changes import Changes, Committed, CommitWatch, newest_change
from benchmarks.console_clients import Clients, Heard, Plan, Report, clients
from benchmarks.console_seen import Shown, waits_us
from benchmarks.console_site import Site, site
from benchmarks.console_town import ACCOUNTS, DESK, PASSWORD, STREETS, street_of
from benchmarks.errors import CannotMeasure
from benchmarks.machine import busy_s, cores, cpu_s, resident_mb
from benchmarks.numbers import percentile_ms, slope_per_min
from gengfu.clock import now_us

LOADS: Final = 10
"""How often the board is loaded for the first paint."""
EVERY_S: Final = 5.0
"""Between two looks at memory."""
WARM_UP_S: Final = 60.0
"""After which the line through the memory begins; of a short run it is a third."""
SETTLE_S: Final = 3.0
"""After the last change, for it to be shown (chosen: ten times what is asked for)."""


class ConsoleFigures(Struct, frozen=True):
    """What `gengfu bench console --json` prints; docs/benchmarks.md says what each key means."""

    first_paint_ms: float
    first_paint_worst_ms: float
    update_p50_ms: float
    update_p99_ms: float
    update_worst_ms: float
    updates: int
    unseen: int
    rss_slope_mb_per_min: float
    rss_mb: float
    page_slope_mb_per_min: float
    page_mb: float
    page_heap_mb: float
    page_nodes: int
    cpu_percent: dict[str, float]
    streams: int
    pages: int
    events: dict[str, int]
    lost: int
    resyncs: int
    heard_least: int
    heard_most: int
    stream_kb_per_s: float
    fetches_per_s: float
    fetch_p99_ms: float
    fetch_failed: int
    made_per_s: float
    committed_per_s: float
    incidents: int
    seconds: float
    cores: int
    database: str


@dataclass(frozen=True, slots=True)
class Course:
    """How the measurement goes. `pages` of the `streams` also ask again for their parts, as a page does."""

    incidents: int = 5_000
    changes_per_s: float = 50.0
    streams: int = 200
    pages: int = 200
    seconds: float = 600.0
    database: str = ""

    @property
    def warm_up_s(self) -> float:
        """From the start of the changes until the memory is judged."""
        return min(WARM_UP_S, self.seconds / 3)


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one moment of the run."""

    at_s: float
    console_mb: float
    page: Held


@dataclass(frozen=True, slots=True)
class Run:
    """What the course of the changes gave. `since_us` is when the page began to be watched."""

    paints_ms: list[float]
    since_us: int
    watched: list[int]
    shown: list[Shown]
    samples: list[Sample]
    cpu_percent: dict[str, float]
    took_s: float
    made: int


def run_bench(course: Course) -> ConsoleFigures:
    """The whole measurement: the seconds and some minutes. Raises CannotMeasure, DidNotHappen."""
    if course.pages > course.streams:
        raise CannotMeasure("more pages than streams")
    with (
        site(course.incidents, course.database) as here,
        watching(here.address, DESK, PASSWORD) as page,
        clients(_plan(course, here)) as others,
    ):
        others.ready()
        first = newest_change(here.engine)
        watch = CommitWatch(here.engine)
        on_board = [one for one in page.watch() if one in here.incidents]  # a fault of the system is nobody's
        if not on_board:
            raise CannotMeasure("the board shows no incident")
        changes = Changes(here.engine, course.changes_per_s, here.incidents, on_board)
        try:
            watch.start()
            changes.start()
            run = _run(here, course, page, others, changes)
        finally:
            changes.close()
            watch.close()
        _check(page, changes, watch)
        return _figures(course, here, run, others.report(), watch.seen, first)


def _plan(course: Course, here: Site) -> Plan:
    logins = [one.login for one in ACCOUNTS]
    return Plan(here.address, logins, PASSWORD, course.streams, course.pages)


def _run(here: Site, course: Course, page: Watched, others: Clients, changes: Changes) -> Run:
    """The first paints, then the updates, then what is still under way."""
    paints = [page.paint_ms() for _ in range(LOADS)]
    since_us, watched = now_us(), page.watch()
    shown, samples = list[Shown](), list[Sample]()
    before, made, start = _spent(here, page, others), changes.made, time.monotonic()
    while (at_s := time.monotonic() - start) < course.seconds:
        samples.append(Sample(at_s, _console_mb(here), page.held()))
        shown += page.take()
        due_s = min(course.seconds, len(samples) * min(EVERY_S, course.seconds / 6))
        time.sleep(max(0.0, start + due_s - time.monotonic()))
    after, took_s = _spent(here, page, others), time.monotonic() - start
    made = changes.made - made
    changes.close()
    time.sleep(SETTLE_S)
    shown += page.take()
    watched = sorted(set(watched).intersection(page.on_board()))  # a new incident pushes the last one off
    percent = {name: round(100 * (after[name] - before[name]) / took_s, 1) for name in before}
    return Run(paints, since_us, watched, shown, samples, percent, took_s, made)


def _spent(here: Site, page: Watched, others: Clients) -> dict[str, float]:
    """CPU seconds by whose they are; `all` are those of the whole machine."""
    return {
        "console": cpu_s(here.console.pid), "alerts": cpu_s(here.alerts.pid), "page": page.cpu_s(),
        "clients": cpu_s(others.pid), "all": busy_s(),
    }  # fmt: skip


def _console_mb(here: Site) -> float:
    if here.console.poll() is not None:
        raise CannotMeasure(f"the console ended with {here.console.returncode}")
    return resident_mb(here.console.pid)


def _check(page: Watched, changes: Changes, watch: CommitWatch) -> None:
    """Raises CannotMeasure where the changes broke off or the page went away."""
    if changes.failed or watch.failed:
        raise CannotMeasure(f"the database: {changes.failed or watch.failed}")
    if not page.is_on_the_board():
        raise CannotMeasure("the browser is not on the board any more")


def _figures(
    course: Course, here: Site, run: Run, report: Report, committed: Sequence[Committed], first: int
) -> ConsoleFigures:
    answers = [one for one in committed if one.at_us >= run.since_us]
    waits, unseen = waits_us(answers, run.shown, frozenset(run.watched))
    if not waits:
        raise CannotMeasure("no update was seen on the page")
    cut = sum(one.cuts for one in report.streams)
    if cut:
        raise CannotMeasure(f"{cut} of {course.streams} streams were cut")
    flat = [one for one in run.samples if one.at_s >= course.warm_up_s]
    events = sum((Counter(one.events) for one in report.streams), Counter[str]())
    expected = expected_of(here, committed, first)
    last = run.samples[-1]
    times = [one.at_s for one in flat]
    return ConsoleFigures(
        first_paint_ms=round(statistics.median(run.paints_ms), 1),
        first_paint_worst_ms=round(max(run.paints_ms), 1),
        update_p50_ms=percentile_ms(waits, 50),
        update_p99_ms=percentile_ms(waits, 99),
        update_worst_ms=percentile_ms(waits, 100),
        updates=len(waits),
        unseen=unseen,
        rss_slope_mb_per_min=_slope(times, [one.console_mb for one in flat]),
        rss_mb=round(last.console_mb, 1),
        page_slope_mb_per_min=_slope(times, [one.page.resident_mb for one in flat]),
        page_mb=round(last.page.resident_mb, 1),
        page_heap_mb=round(last.page.heap_mb, 1),
        page_nodes=last.page.nodes,
        cpu_percent=run.cpu_percent,
        streams=course.streams,
        pages=course.pages,
        events=dict(events),
        lost=lost(report.streams, expected),
        resyncs=events["resync"],
        heard_least=min(sum(one.events.values()) for one in report.streams),
        heard_most=max(sum(one.events.values()) for one in report.streams),
        stream_kb_per_s=round(sum(one.bytes for one in report.streams) / 1e3 / run.took_s, 1),
        fetches_per_s=round(len(report.fetch_ms) / run.took_s, 1),
        fetch_p99_ms=percentile_ms([round(1000 * ms) for ms in report.fetch_ms or [0.0]], 99),
        fetch_failed=report.fetch_failed,
        made_per_s=round(run.made / run.took_s, 1),
        committed_per_s=round(_during(committed, run) / run.took_s, 1),
        incidents=course.incidents,
        seconds=round(run.took_s, 1),
        cores=cores(),
        database=here.engine.dialect.name,
    )


def _during(committed: Sequence[Committed], run: Run) -> int:
    until_us = run.since_us + round(run.took_s * 1e6)
    return sum(run.since_us <= one.at_us < until_us for one in committed)


def _slope(times_s: Sequence[float], values: Sequence[float]) -> float:
    if len(values) < 2:
        raise CannotMeasure("too short a run to judge the memory")
    return round(slope_per_min(times_s, values), 3)


def expected_of(here: Site, committed: Sequence[Committed], first: int) -> dict[int, list[int]]:
    """By street, 0 for all of them: the incidents of the changes after `first`, in order."""
    found: dict[int, list[int]] = {street: [] for street in range(STREETS + 1)}
    for one in committed:
        if one.id > first:
            found[0].append(one.incident_id)
            if one.incident_id in here.incidents:
                found[street_of(here.incidents[one.incident_id])].append(one.incident_id)
    return found


def lost(streams: Sequence[Heard], expected: Mapping[int, Sequence[int]]) -> int:
    """Changes that a stream should have told and did not, over all streams. One that was told to fetch
    everything has missed nothing: it is counted as such. Pure."""
    street = {one.login: one.street for one in ACCOUNTS}
    missing = (
        Counter(expected[street[one.login]]) - Counter(one.changes)
        for one in streams
        if not one.events.get("resync")
    )
    return sum(some.total() for some in missing)
