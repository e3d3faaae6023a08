"""Sums of pieces of time by MetricsQL (`/api/v1/query_range`). Pure: the words to ask with, and what is said.

A window there is (at - length, at] in whole milliseconds, so that of a piece is looked at a millisecond
before the piece ends. Windows are moved into the year 1970 with `offset`: near its own present a server puts
older values in place of those it takes for unfinished (`-search.latencyOffset`). Numbers of seconds are cut
to whole milliseconds, 1.001 to 1000 of them: a quarter of one is added.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from ingest.store.pieces import MS, Sums

LONGEST_STEP_MS: Final = 50 * 366 * 86_400_000
"""Between two windows of one question (chosen; servers take 100 years)."""
_AT_S: Final = 20_000_000
"""When the first window is looked at: 292 years later, the longest span, is still a time there."""
_OF: Final = {
    "count": "sum(count_over_time(v[{0}ms] offset {1}ms))",
    "doubtful": "sum(count_over_time(q[{0}ms] offset {1}ms))",
    "total": "sum(sum_over_time(v[{0}ms] offset {1}ms))",
    "least": "min(min_over_time(v[{0}ms] offset {1}ms))",
    "most": "max(max_over_time(v[{0}ms] offset {1}ms))",
}


def asked(values: str, qualities: str, begin_ns: int, step_ms: int, pieces: int) -> dict[str, str]:
    """The question for pieces from the first millisecond in `begin_ns` on, longer ones than `LONGEST_STEP_MS`
    one at a time. `values` and `qualities` select what it is of."""
    first_ms = whole_ms(begin_ns) + step_ms - 1
    back_ms = _AT_S * 1000 - first_ms
    parts = ", ".join(
        f'label_set({text.format(step_ms, back_ms)}, "of", "{name}")' for name, text in _OF.items()
    )
    return {
        "query": f"WITH (v = {values}, q = {qualities}) union({parts})",
        "start": str(_AT_S),
        "end": _seconds(_AT_S * 1000 + (pieces - 1) * step_ms),
        "step": _seconds(min(step_ms, LONGEST_STEP_MS)),
        "nocache": "1",
    }


def told(said: bytes, step_ms: int) -> list[Sums]:
    """What the answer says, each sum by itself. Raises ValueError, LookupError or TypeError."""
    return [_sums(one, step_ms) for one in msgspec.json.decode(said)["data"]["result"]]


def _sums(one: dict[str, Any], step_ms: int) -> Sums:
    name = one["metric"]["of"]
    if name not in _OF:
        raise ValueError(f"{name}: not asked for")
    after_s = np.array([at for at, _ in one["values"]], np.float64) - _AT_S
    piece = np.rint(after_s * 1000 / step_ms).astype(np.int64)
    return Sums.of(piece, **{name: np.array([float(number) for _, number in one["values"]])})


def whole_ms(at_ns: int) -> int:
    """The first whole millisecond that is not before."""
    return -(-at_ns // MS)


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}25"
