"""Which time a chart shows and in how many pieces: functions of the incident's times and `now`."""

from __future__ import annotations

from typing import Final, NamedTuple

PIECES: Final = 300
"""Of a chart (chosen: a piece is some pixels wide, and an answer some 10 kB)."""
HOURS: Final = (1, 6, 24, 168)
"""What may be asked for instead of the time around the event."""
_S: Final = 1_000_000_000
_HOUR: Final = 3600 * _S
BEFORE_NS: Final = 2 * _HOUR
"""Shown before the event (chosen)."""
AFTER_NS: Final = _HOUR
"""Shown after the end of the incident (chosen)."""


class Span(NamedTuple):
    """From `from_ns` to before `to_ns`, in pieces of `step_ns`: whole seconds, as `from_ns` is whole steps,
    so that pieces stay the same from one look to the next."""

    from_ns: int
    to_ns: int
    step_ns: int


def span_of(opened_us: int, closed_us: int | None, now_us: int, hours: int | None = None) -> Span:
    """Around the event: from BEFORE_NS before it was opened to now, or to AFTER_NS after it was closed.

    With `hours` the last so many; of a closed incident those that end a twelfth of it after its end, at most
    AFTER_NS, so that the event is among them.
    """
    opened, now = opened_us * 1000, now_us * 1000
    after = AFTER_NS if hours is None else min(AFTER_NS, hours * _HOUR // 12)
    end = min(now, closed_us * 1000 + after) if closed_us else now
    begin = opened - BEFORE_NS if hours is None else end - hours * _HOUR
    end = max(end, begin + _S)
    step = max(-((begin - end) // PIECES), _S)
    step = -(-step // _S) * _S
    begin = begin // step * step
    return Span(begin, end, step)
