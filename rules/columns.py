"""Quick ways with columns of state: few numpy calls, for one costs as much as some hundred entries, and few
places in memory, for a reading's state is hardly ever in a cache."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, UInt8
from rules.rounds import Rows

EIGHT: Final = 8
_EACH_BYTE: Final = np.uint64(0x0101010101010101)
_TOP: Final = np.uint64(56)

_LINE: Final = 64
"""Bytes of a cache line."""

N = TypeVar("N", bound=np.generic)


def column_of(start: np.generic | NDArray[Any], length: int) -> NDArray[Any]:
    """So many of `start`. The first begins with a cache line, so that rows of a line, or of half of one, lie
    in no more lines than need be."""
    size = length * start.nbytes
    room = np.empty(size + _LINE, np.uint8)
    skip = -room.ctypes.data % _LINE
    column: NDArray[Any] = room[skip : skip + size].view(start.dtype).reshape(length, *start.shape)
    column[:] = start
    return column


def longer(column: NDArray[Any], start: np.generic | NDArray[Any], more: int) -> NDArray[Any]:
    """`column` with so many of `start` behind it."""
    grown = column_of(start, len(column) + more)
    grown[: len(column)] = column
    return grown


def trues(eights: Bool) -> UInt8:
    """How many are true in each row of (n, 8): the bytes of a word, added up by one multiplication.

    A sum over rows so short costs some 50 ns a row.
    """
    words = np.ascontiguousarray(eights).view(np.uint64).reshape(-1)
    counted: UInt8 = ((words * _EACH_BYTE) >> _TOP).astype(np.uint8)
    return counted


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
