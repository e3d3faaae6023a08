"""A site's points as pages ask for them: the newest from the file beside, the rest from the server, and what
there is when the server is away.

A page says what is missing and why; it does not fail, and it does not wait: a server that did not answer is
not asked again for `AWAY_S`. One that refuses a question is asked the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from ingest.store.history import NEWEST_NS, OLDEST_NS, History, Outline, Series, SeriesUnread, lacks_of
from ingest.store.influx.asking import Away
from ingest.store.points import Points

AWAY_S: Final = 10.0
"""How long a server that did not answer is left alone by pages (chosen)."""
T = TypeVar("T")


class Near(History, Protocol):
    """History that knows from when on it is whole, and until when."""

    @property
    def whole_from_ns(self) -> int:
        """From when on every point that came in is there."""

    @property
    def whole_to_ns(self) -> int:
        """What came in from here on may be missing; `NEWEST_NS` where it is up to date."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Points of one series. What is before `whole_from_ns` or from `whole_to_ns` on may be missing, for what
    `lacks` says; empty where nothing is."""

    points: Points
    whole_from_ns: int = OLDEST_NS
    lacks: str = ""
    whole_to_ns: int = NEWEST_NS


@dataclass(frozen=True, slots=True)
class Sketch:
    """An outline of one series, and what may be missing of it, as of `Excerpt`."""

    outline: Outline
    whole_from_ns: int = OLDEST_NS
    lacks: str = ""
    whole_to_ns: int = NEWEST_NS


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest points of several series, by slot; a series without one has none. Where `lacks` says why not
    all is known, one may be missing, or newer."""

    points: Points
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class _Found(Generic[T]):
    """Parts in order of time, and what may be missing, as of `Excerpt`."""

    parts: list[T]
    whole_from_ns: int = OLDEST_NS
    whole_to_ns: int = NEWEST_NS
    lacks: str = ""


class Histories:
    """`far` opens the site's store, `near` the newest points beside it, where there are any. For several
    threads: whatever it opens is closed before it answers.

    Not guaranteed: of the time before `near` stood still, what came in late since. The server has it.
    """

    def __init__(
        self,
        far: Callable[[], History],
        near: Callable[[], Near] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._far, self._near, self._monotonic = far, near, monotonic
        self._away: tuple[float, str] = (float("-inf"), "")

    def excerpt(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Excerpt:
        """The oldest `limit` points in [from_ns, to_ns)."""

        def read(history: History, begin: int, end: int) -> Points:
            return history.read(series, begin, end, limit)

        found = self._parts(read, from_ns, to_ns, 1)
        points = Points.joined(found.parts)[:limit]
        return Excerpt(points, found.whole_from_ns, found.lacks, found.whole_to_ns)

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Sketch:
        """Pieces of `step_ns` from `from_ns` on. Raises ValueError as `History.outline`."""

        def drawn(history: History, begin: int, end: int) -> Outline:
            return history.outline(series, begin, end, step_ns)

        found = self._parts(drawn, from_ns, to_ns, step_ns)
        outline = Outline.joined(found.parts, step_ns)
        return Sketch(outline, found.whole_from_ns, found.lacks, found.whole_to_ns)

    def latest(self, many: Sequence[Series]) -> Newest:
        """The newest point of each, as far as it is known. The server is asked for those that the near one
        does not have, or has from behind a hole; for all where that is not up to date."""
        found, known, trouble = self._latest_near(many)
        rest = [one for one in many if one.slot not in known]
        if not rest:
            return Newest(found)
        try:
            newest, lacks = self._ask_far(lambda far: far.latest(rest))
        except SeriesUnread as error:
            return Newest(found, "; ".join(filter(None, (str(error), trouble))))
        return Newest(newer(found, newest), lacks)

    def _latest_near(self, many: Sequence[Series]) -> tuple[Points, set[int], str]:
        """What the near one has, of which series that is surely the newest, and what went wrong."""
        if not self._near:
            return Points.empty(), set(), ""
        try:
            with closing(self._near()) as near:
                found, begin_ns, end_ns = near.latest(many), near.whole_from_ns, near.whole_to_ns
                if (lacks := lacks_of(near)) or end_ns < NEWEST_NS:
                    return found, set(), lacks or _stands_still(end_ns)
        except SeriesUnread as error:
            return Points.empty(), set(), str(error)
        return found, set(found.slot[found.ts_ns >= begin_ns].tolist()), ""

    def _parts(
        self, ask: Callable[[History, int, int], T], from_ns: int, to_ns: int, step_ns: int
    ) -> _Found[T]:
        """What the near one has of the time in which it is whole, and what the server has of the rest; in
        whole steps from `from_ns`. All that the near one has, where the server says nothing."""
        trouble = ""
        if self._near:
            try:
                with closing(self._near()) as near:
                    return self._of_both(near, ask, from_ns, to_ns, step_ns)
            except SeriesUnread as error:
                trouble = str(error)
        try:
            part, lacks = self._ask_far(lambda far: ask(far, from_ns, to_ns))
        except SeriesUnread as error:
            return _Found([], to_ns, lacks="; ".join(filter(None, (str(error), trouble))))
        return _Found([part], lacks=lacks)

    def _of_both(
        self, near: Near, ask: Callable[[History, int, int], T], from_ns: int, to_ns: int, step_ns: int
    ) -> _Found[T]:
        whole_ns, still_ns = near.whole_from_ns, near.whole_to_ns
        begin, end = in_steps(whole_ns, still_ns, from_ns, to_ns, step_ns)
        parts = [ask(near, begin, end)] if begin < end else []
        if trouble := lacks_of(near):  # it is not known where: then the server is asked for all
            begin, end, parts = to_ns, to_ns, []
        lacks = ""
        try:
            if from_ns < begin:
                old, lacks = self._ask_far(lambda far: ask(far, from_ns, begin))
                parts.insert(0, old)
            if end < to_ns:
                new, later = self._ask_far(lambda far: ask(far, end, to_ns))
                parts, lacks = [*parts, new], lacks or later
        except SeriesUnread as error:
            still = _stands_still(still_ns) if end < to_ns else ""
            lacks = "; ".join(filter(None, (str(error), trouble, still)))
            whole_from_ns = min(whole_ns, to_ns) if whole_ns > from_ns else OLDEST_NS
            return _Found([ask(near, from_ns, to_ns)], whole_from_ns, still_ns, lacks)
        return _Found(parts, lacks=lacks)

    def _ask_far(self, ask: Callable[[History], T]) -> tuple[T, str]:
        """An answer, and what is missing in it."""
        until_s, why = self._away
        if self._monotonic() < until_s:
            raise SeriesUnread(why)
        try:
            with closing(self._far()) as far:
                return ask(far), lacks_of(far)
        except Away as error:
            self._away = self._monotonic() + AWAY_S, str(error)
            raise


def in_steps(whole_ns: int, still_ns: int, from_ns: int, to_ns: int, step_ns: int) -> tuple[int, int]:
    """Which part of [from_ns, to_ns) is in [whole_ns, still_ns), in whole steps from `from_ns`, the last of
    which may end at `to_ns`. Without any, it begins and ends at `to_ns`."""
    begin = from_ns if whole_ns <= from_ns else from_ns + -((from_ns - whole_ns) // step_ns) * step_ns
    end = to_ns if still_ns >= to_ns else from_ns + (still_ns - from_ns) // step_ns * step_ns
    return (begin, end) if begin < end else (to_ns, to_ns)


def newer(one: Points, other: Points) -> Points:
    """Of each series the newest of both; that of `one` where they are as new."""
    points = Points.joined([other, one])
    order = np.lexsort((points.ts_ns, points.slot))  # stable
    last = np.append(points.slot[order][1:] != points.slot[order][:-1], True)
    return points[order[last]] if len(points) else points


def _stands_still(still_ns: int) -> str:
    if still_ns == OLDEST_NS:
        return "the newest points beside the server are not up to date"
    at = datetime.fromtimestamp(still_ns // 10**9, UTC)
    return f"the newest points beside the server end at {at:%FT%TZ}"
