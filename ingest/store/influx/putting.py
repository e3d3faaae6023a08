"""Getting a body into a server: whole, or without the values that it refuses, each of them named. Pure but
for what it is given to post with.

Whatever a server says of the rest of a body that it refuses is not believed: at their limits on series
InfluxDB 1.6 and 1.8 say that one line was dropped and drop others with it (measured). Only a body that was
taken is stored. So a refused body is halved, and a value that is refused alone is a suspect until it is known
that who refused it takes others. So n refused values cost some 3.6 n requests: therefore series that a server
does not take at all are remembered for a while, and set apart where a body is refused; and of what is older
than it keeps the boundary is found first.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.store.influx.cutting import halves_of, series_of, values_of
from ingest.store.influx.expiry import Expiry
from ingest.store.influx.server import Later, Post, Refused, Taken
from ingest.store.influx.suspects import Suspects

OF_THE_SERIES: Final = re.compile(r"field type conflict|limit exceeded")
"""Words of InfluxDB that are about a series, whatever its next value will be."""
REMEMBERED_S: Final = 300.0
"""How long a refused series is set apart (chosen); and only from bodies in which something is refused, so
that none is lost once the server takes it."""
MOST_REMEMBERED: Final = 1_000_000
SILENCES: Final = 2
"""A body that gets no answer so often in a row may be too long for the line or the server: it is cut."""
SHORT_BYTES: Final = 16_000
"""No shorter than half of this for silence (chosen: at four requests at once a line of 17 kbit/s takes these
in time, and after an outage they cost little)."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of one value that the server does not take, and its words."""

    line: bytes
    why: str


class Outcasts:
    """Series that the server does not take. For several threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[bytes, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def note(self, refused: RefusedLine) -> None:
        """Remembers its series, where that is what is refused."""
        if OF_THE_SERIES.search(refused.why):
            with self._lock:
                if len(self._until) >= MOST_REMEMBERED:
                    self._until.clear()
                self._until[series_of(refused.line)] = self._monotonic() + REMEMBERED_S, refused.why

    def apart(self, lines: bytes) -> tuple[bytes, list[RefusedLine]]:
        """The lines without values of such series, and those."""
        if not self._until:
            return lines, []
        kept: list[bytes] = []
        out: list[RefusedLine] = []
        for line in lines.splitlines(keepends=True):
            judged = [(one, self._why(one)) for one in values_of(line)]
            bad = [RefusedLine(one, why) for one, why in judged if why]
            out += bad
            kept += [one for one, why in judged if not why] if bad else [line]
        return b"".join(kept), out

    def _why(self, value: bytes) -> str:
        """Why its series was refused not long ago; empty where it was not."""
        until_s, why = self._until.get(series_of(value), (0.0, ""))
        return why if until_s > self._monotonic() else ""


@dataclass(frozen=True, slots=True)
class _Part:
    lines: bytes
    cut_out: bool = False
    """Of what was refused: series that are not taken were set apart from it already, or are looked for."""

    def cut(self, *, cut_out: bool) -> list[_Part]:
        """Both halves, or what cannot be cut; the first is last."""
        return [_Part(half, cut_out) for half in reversed(halves_of(self.lines))]


class Putting:
    """One body on its way: what has not been taken of it, and what is refused. It can be gone on with.

    `taken`: whether the server took anything of it. `was_long`: whether it was cut because nobody answered.
    """

    def __init__(self, lines: bytes) -> None:
        self.refused: list[RefusedLine] = []
        self.taken = self.was_long = False
        self._waiting = [_Part(lines)]
        self._suspects = Suspects()
        self._silences = 0

    @property
    def done(self) -> bool:
        """Whether all of it is in the server, but for what is refused."""
        return not self._waiting and not self._suspects

    def go_on(self, post: Post, outcasts: Outcasts) -> Later | None:
        """Posts, in halves where something is refused, until each value that is refused stands alone.

        Later: something was not answered, or whoever answers takes nothing at all (`denied`). The next call
        posts it again, in halves where it has been silent for long; a point that is written twice is the
        same point.
        """
        while not self.done:
            judge = self._suspects.is_due(nothing_else=not self._waiting)
            later = self._judge(post, outcasts) if judge else self._put(post, outcasts)
            if later:
                return later
        return None

    def _put(self, post: Post, outcasts: Outcasts) -> Later | None:
        part = self._waiting.pop()
        answer = post(part.lines)
        if isinstance(answer, Later):
            self._waiting += self._for_the_next_time(part, answer)
            return answer
        self._silences = 0
        if isinstance(answer, Taken):
            self.taken = True
        else:
            self._waiting += self._without_refused(part, answer, outcasts, post)
        return None

    def _judge(self, post: Post, outcasts: Outcasts) -> Later | None:
        """One request about the suspects."""
        verdict = self._suspects.ask(post)
        if isinstance(verdict, Later):
            return verdict
        for line, why in verdict.guilty:
            self.refused.append(RefusedLine(line, why))
            outcasts.note(self.refused[-1])
        self.refused += [RefusedLine(line, why) for line, why in verdict.known]
        if verdict.free:
            self._waiting.append(_Part(verdict.free))
        return None if verdict.deaf is None else Later(verdict.deaf, denied=True)

    def _for_the_next_time(self, part: _Part, answer: Later) -> list[_Part]:
        self._silences += not answer.denied
        if self._silences < SILENCES or len(part.lines) <= SHORT_BYTES:
            return [part]
        self._silences, self.was_long = 0, True
        return part.cut(cut_out=part.cut_out)

    def _without_refused(self, part: _Part, answer: Refused, outcasts: Outcasts, post: Post) -> list[_Part]:
        """What of it is posted next."""
        if expired := _expired(part.lines, answer, post):
            rest, out = expired
            self.refused += out
            return [_Part(rest, part.cut_out)] if rest else []
        if not part.cut_out:
            rest, out = outcasts.apart(part.lines)
            if out:
                self._suspects.add_known((one.line, one.why) for one in out)
                return [_Part(rest, cut_out=True)] if rest else []
        halves = part.cut(cut_out=True)
        if len(halves) > 1:
            return halves
        self._suspects.add(part.lines)
        return []


def _expired(lines: bytes, answer: Refused, post: Post) -> tuple[bytes, list[RefusedLine]] | None:
    """The lines that are not too old for the server, and the values that are; None where it is not that.

    The boundary is looked for anew each time: somebody may have moved it back.
    """
    expiry = Expiry()
    if not expiry.is_why(answer) or lines.count(b"\n") < 2:
        return None
    expiry.learn(lines, post)
    rest = expiry.apart(lines)
    old = [line for line in lines.splitlines(keepends=True) if expiry.apart(line) == b""]
    why = sys.intern(answer.why)
    return (rest, [RefusedLine(one, why) for line in old for one in values_of(line)]) if old else None
