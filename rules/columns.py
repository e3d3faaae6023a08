"""Quick ways with columns of state: few numpy calls, for one costs as much as some hundred entries, and few
places in memory, for a reading's state is hardly ever in a cache."""

from __future__ import annotations

from functools import cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int16, UInt8
from rules.rounds import Rows

EIGHT: Final = 8
_EACH_BYTE: Final = np.uint64(0x0101010101010101)
_TOP: Final = np.uint64(56)

N = TypeVar("N", bound=np.generic)


def trues(eights: Bool) -> UInt8:
    """How many are true in each row of (n, 8): the bytes of a word, added up by one multiplication.

    A sum over rows so short costs some 50 ns a row.
    """
    words = np.ascontiguousarray(eights).view(np.uint64).reshape(-1)
    counted: UInt8 = ((words * _EACH_BYTE) >> _TOP).astype(np.uint8)
    return counted


def of_rule(numbers: NDArray[N], rule: Int16) -> NDArray[N]:
    """A rule's number for each pair: one for all where there is one rule, which is the usual case."""
    return numbers if len(numbers) == 1 else numbers.take(rule)


def take_rows(column: NDArray[N], at: Rows) -> NDArray[N]:
    """`column[at]` of a contiguous one of two dimensions, a copy: each row as one thing, which is quicker."""
    width = column.shape[1]
    rows = column.view(_whole(column.dtype.itemsize * width)).reshape(-1).take(at)
    return rows.view(column.dtype).reshape(-1, width)


def put_rows(column: NDArray[N], at: Rows, rows: NDArray[N]) -> None:
    """`column[at] = rows` of two dimensions and one type, `column` contiguous: row by row, as is quicker."""
    whole = _whole(column.dtype.itemsize * column.shape[1])
    column.view(whole).reshape(-1)[at] = np.ascontiguousarray(rows).view(whole).reshape(-1)


@cache
def _whole(width: int) -> np.dtype[np.void]:
    return np.dtype((np.void, width))
