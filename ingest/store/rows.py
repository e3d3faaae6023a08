"""Points as rows of the embedded store's file: cut into days, cells and blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ingest.store.block import encode_block
from ingest.store.layout import DAY_NS, DONE, NARROW, WIDE
from ingest.store.merging import Merge
from ingest.store.points import Points

Row = tuple[int, int, int, int, int, int, int, int, int, int, bytes]


def by_day(points: Points) -> Iterator[Points]:
    """Points of each UTC day, in the order they have."""
    if not len(points):
        return
    if points.ts_ns.min() // DAY_NS == points.ts_ns.max() // DAY_NS:
        yield points
        return
    days = points.ts_ns // DAY_NS
    for day in np.unique(days).tolist():
        yield points[days == day]


def merged_rows(points: Points, merge: Merge, born: int, block: int) -> list[Row]:
    """Points of one cell after a merge: in the next tier, or below. `born` is that of the oldest."""
    if not merge.down:
        return list(rows_of(points, merge.cell.width, merge.tier + 1, born, block))
    return list(rows_of(points, NARROW, 0 if merge.cell.width == WIDE else DONE, born, block))


def rows_of(points: Points, width: int, tier: int, born: int, block: int) -> Iterator[Row]:
    """Rows of blocks of points of one day: cut where cells end, and within where a block is full."""
    if not len(points):
        return
    day = int(points.ts_ns[0]) // DAY_NS
    cells = points.slot // width
    cuts = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(points)]
    for begin, end in pairwise(cuts):
        pieces = -(-(end - begin) // block)
        for a, b in pairwise(begin + (end - begin) * piece // pieces for piece in range(pieces + 1)):
            part = points[a:b]
            yield (
                day, width, int(cells[a]), tier, born, b - a,
                int(part.slot[0]), int(part.slot[-1]), int(part.ts_ns.min()), int(part.ts_ns.max()),
                encode_block(part),
            )  # fmt: skip
