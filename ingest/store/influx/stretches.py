"""Which parts of an outline's span a server is asked for. Pure.

Servers cut time at whole steps, and what they do with a piece that is shorter differs. So one is asked for
whole pieces, and for what is left at an end as a piece of its own length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some pieces of one length side by side; `first` is the number of the first of them in the outline."""

    first: int
    pieces: int
    begin_ns: int
    step_ns: int

    @property
    def end_ns(self) -> int:
        """Before which it ends."""
        return self.begin_ns + self.pieces * self.step_ns


def stretches(from_ns: int, to_ns: int, step_ns: int, first_ns: int, last_ns: int) -> Iterator[Stretch]:
    """What lies in [first_ns, last_ns) of the pieces of `step_ns` from `from_ns` on, to before `to_ns`."""
    begin, end = max(from_ns, first_ns), min(to_ns, last_ns)
    if begin >= end:
        return
    piece = (begin - from_ns) // step_ns
    if cut := (begin - from_ns) % step_ns:
        until = min(begin + step_ns - cut, end)
        yield Stretch(piece, 1, begin, until - begin)
        piece, begin = piece + 1, until
    if whole := (end - begin) // step_ns:
        yield Stretch(piece, whole, begin, step_ns)
        piece, begin = piece + whole, begin + whole * step_ns
    if begin < end:
        yield Stretch(piece, 1, begin, end - begin)
