"""A site's points as pages ask for them: the newest from the file beside, the rest from the server, and what
there is when the server is away.

A page says what is missing and why; it does not fail, and it does not wait: a server that did not answer is
not asked again for `AWAY_S`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from ingest.store.history import History, Outline, Series, SeriesUnread
from ingest.store.points import Points

AWAY_S: Final = 10.0
"""How long a server that did not answer is left alone by pages (chosen)."""
_OLDEST: Final = -(2**63)
T = TypeVar("T")


class Near(History, Protocol):
    """History that knows from when on it is whole."""

    @property
    def whole_from_ns(self) -> int:
        """From when on every point that came in is there."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Points of one series. What is before `whole_from_ns` may be missing, for what `lacks` says; empty where
    nothing is."""

    points: Points
    whole_from_ns: int = _OLDEST
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Sketch:
    """An outline of one series, and what may be missing of it, as of `Excerpt`."""

    outline: Outline
    whole_from_ns: int = _OLDEST
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest points of several series, by slot; a series without one has none, or `lacks` says why it is
    not known."""

    points: Points
    lacks: str = ""


class Histories:
    """`far` opens the site's store, `near` the newest points beside it, where there are any. For several
    threads: whatever it opens is closed before it answers."""

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

        parts, whole_from_ns, lacks = self._parts(read, from_ns, to_ns, 1)
        return Excerpt(Points.joined(parts)[:limit], whole_from_ns, lacks)

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Sketch:
        """Pieces of `step_ns` from `from_ns` on. Raises ValueError as `History.outline`."""

        def drawn(history: History, begin: int, end: int) -> Outline:
            return history.outline(series, begin, end, step_ns)

        parts, whole_from_ns, lacks = self._parts(drawn, from_ns, to_ns, step_ns)
        return Sketch(Outline.joined(parts, step_ns), whole_from_ns, lacks)

    def latest(self, many: Sequence[Series]) -> Newest:
        """The newest point of each, as far as it is known."""
        found = self._latest_near(many)
        known = set(found.slot.tolist())
        rest = [one for one in many if one.slot not in known]
        if not rest:
            return Newest(found)
        try:
            return Newest(Points.joined([found, self._ask_far(lambda far: far.latest(rest))]))
        except SeriesUnread as error:
            return Newest(found, str(error))

    def _latest_near(self, many: Sequence[Series]) -> Points:
        if self._near:
            try:
                with closing(self._near()) as near:
                    return near.latest(many)
            except SeriesUnread:
                pass  # the server has them too
        return Points.empty()

    def _parts(
        self, ask: Callable[[History, int, int], T], from_ns: int, to_ns: int, step_ns: int
    ) -> tuple[list[T], int, str]:
        """What the server has of the time before the near one is whole, and what that has of the rest; in
        whole steps from `from_ns`. All that the near one has, where the server says nothing."""
        lacks = ""
        if self._near:
            try:
                with closing(self._near()) as near:
                    return self._of_both(near, ask, from_ns, to_ns, step_ns)
            except SeriesUnread as error:
                lacks = str(error)
        try:
            return [self._ask_far(lambda far: ask(far, from_ns, to_ns))], _OLDEST, ""
        except SeriesUnread as error:
            return [], to_ns, "; ".join(filter(None, (str(error), lacks)))

    def _of_both(
        self, near: Near, ask: Callable[[History, int, int], T], from_ns: int, to_ns: int, step_ns: int
    ) -> tuple[list[T], int, str]:
        whole_ns = near.whole_from_ns
        steps = max(-((from_ns - whole_ns) // step_ns), 0) if whole_ns > from_ns else 0
        cut = min(from_ns + steps * step_ns, to_ns)
        if cut <= from_ns:
            return [ask(near, from_ns, to_ns)], _OLDEST, ""
        try:
            old = self._ask_far(lambda far: ask(far, from_ns, cut))
        except SeriesUnread as error:
            return [ask(near, from_ns, to_ns)], min(whole_ns, to_ns), str(error)
        return [old, *([ask(near, cut, to_ns)] if cut < to_ns else [])], _OLDEST, ""

    def _ask_far(self, ask: Callable[[History], T]) -> T:
        until_s, why = self._away
        if self._monotonic() < until_s:
            raise SeriesUnread(why)
        try:
            with closing(self._far()) as far:
                return ask(far)
        except SeriesUnread as error:
            self._away = self._monotonic() + AWAY_S, str(error)
            raise
