"""Means and medians in whole numbers, so that grouping cannot matter: for kernels with a long memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.model import Float64, Int64, UInt16

N = TypeVar("N", bound=np.generic)

UNKNOWN: Final = 65_535
"""What stands for a mean that is not known, where means are kept as uint16; it sorts behind all others."""
_MOST: Final = 1e9
"""Values beyond are cut to it, so that a sum of a million of them is still a whole number of 64 bits."""


def thousandths(value: Float64) -> Int64:
    """Each value in thousandths of its unit, rounded half to even; beyond ±10⁹ units cut to that. No NaN."""
    whole: Int64 = np.rint(np.minimum(np.maximum(value, -_MOST), _MOST) * 1000).astype(np.int64)
    return whole


def rounded(total: Int64, parts: Int64) -> Int64:
    """`total` divided by `parts`, rounded half to even; `parts` above 0."""
    whole = total // parts
    twice = 2 * (total - whole * parts)
    up: Int64 = (twice > parts) | ((twice == parts) & ((whole & 1) == 1))
    return whole + up


def kept(total: Int64, parts: Int64) -> UInt16:
    """`rounded`, cut to 0 ... 65,534: what is kept of a mean."""
    return np.minimum(np.maximum(rounded(total, parts), 0), UNKNOWN - 1).astype(np.uint16)


def middle(several: NDArray[Any]) -> tuple[NDArray[np.intp], Int64, Int64]:
    """Of each row: how many are known, and the middle two of them, which are one for an odd number.

    Not known is the largest number of the type. The middle of a row without any is not known either.
    """
    ordered = np.sort(several, axis=1)
    number = np.count_nonzero(several != np.iinfo(several.dtype).max, axis=1)
    row = np.arange(len(several))
    lower = ordered[row, np.maximum(number - 1, 0) >> 1]
    upper = ordered[row, np.minimum(number >> 1, several.shape[1] - 1)]
    return number, lower.astype(np.int64), upper.astype(np.int64)


def lowest_three(six: Sequence[NDArray[N]]) -> tuple[NDArray[N], NDArray[N], NDArray[N]]:
    """The three lowest of six columns, line by line, in order: without a sort of each line, which costs some
    25 ns."""
    least, most = np.minimum, np.maximum
    a, b, c = least(six[0], six[5]), least(six[1], six[3]), least(six[2], six[4])
    d, e, f = most(six[1], six[3]), most(six[2], six[4]), most(six[0], six[5])
    b, c, d = least(b, c), most(b, c), least(d, e)
    a, d, c = least(a, d), most(a, d), least(c, f)
    a, b, c = least(a, b), most(a, b), least(c, d)
    return a, least(b, c), most(b, c)


def moved_on(days: NDArray[Any], by: Int64, next_day: NDArray[Any]) -> NDArray[Any]:
    """Each row (one place a day, the newest last) `by` days later, one or more: `next_day` is the first of
    the new ones, the others are unknown."""
    size = days.shape[1]
    moved = np.full_like(days, UNKNOWN)
    moved[:, :-1] = days[:, 1:]
    moved[:, -1] = next_day
    far = np.flatnonzero(by > 1)
    if len(far):
        place = np.arange(size) + by[far, None] - 1
        moved[far] = np.where(
            place < size, np.take_along_axis(moved[far], np.minimum(place, size - 1), axis=1), UNKNOWN
        )
    return moved
