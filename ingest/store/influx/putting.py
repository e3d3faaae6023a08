"""Getting a body into a server: whole, or without the values that it refuses, each of them named. Pure but
for what it is given to post with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.store.influx.server import Answer, Later, Refused

Post = Callable[[bytes], Answer]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of one value that the server does not take, and its words."""

    line: bytes
    why: str


@dataclass(frozen=True, slots=True)
class Put:
    """All is in the server but these."""

    refused: tuple[RefusedLine, ...] = ()


def put(lines: bytes, post: Post) -> Put | Later:
    """Posts lines, in halves where they are refused, until each value that is refused stands alone.

    Whatever a server says of the rest of a body that it refuses is not believed: at their limits on series
    InfluxDB 1.6 and 1.8 say that one line was dropped and drop others with it (measured). Only a body that
    was taken is stored. So n refused values cost some 2 n requests.

    Later: something was not answered, and all of it is to be put again; that does no harm, since a point that
    is written again is the same point.
    """
    refused: list[RefusedLine] = []
    waiting = [lines]
    while waiting:
        part = waiting.pop()
        answer = post(part)
        if isinstance(answer, Later):
            return answer
        if isinstance(answer, Refused):
            halves = _halves(part)
            if len(halves) == 1:
                refused.append(RefusedLine(part, answer.why))
            else:
                waiting += reversed(halves)
    return Put(tuple(refused))


def _halves(lines: bytes) -> list[bytes]:
    """Both halves, cut at the end of a line; of one line with several fields, a line with each half of them.
    As it is where neither is there."""
    middle = lines.find(b"\n", len(lines) // 2) + 1
    if middle in (0, len(lines)):
        middle = lines.rfind(b"\n", 0, max(len(lines) // 2, 1)) + 1
    return [lines[:middle], lines[middle:]] if middle else _halves_of_line(lines)


def _halves_of_line(line: bytes) -> list[bytes]:
    """As `lines` writes them: no field has a space or a comma in it."""
    parts = line.rsplit(b" ", 2)
    fields = parts[1].split(b",") if len(parts) == 3 else []
    if len(fields) < 2:
        return [line]
    head, _, end = parts
    middle = len(fields) // 2
    return [b"%s %s %s" % (head, b",".join(half), end) for half in (fields[:middle], fields[middle:])]
