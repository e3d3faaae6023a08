"""Arrays that grow together: state by slot, by row, by device window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Shape = DTypeLike | tuple[DTypeLike, int]
"""The dtype of a column, or dtype and width where each entry is a small array."""


class Columns:
    """Named arrays of one length; new entries are zero. Growing doubles, so appending costs O(1) amortised.

    What `[]` returns is a view of the present length: fetch it again after `grow`.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._length = 0
        self._arrays: dict[str, NDArray[Any]] = {name: _zeros(shape, 16) for name, shape in shapes.items()}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name][: self._length]

    def grow(self, length: int) -> None:
        """Makes all columns at least `length` long."""
        if length <= self._length:
            return
        capacity = len(next(iter(self._arrays.values())))
        if length > capacity:
            for name, old in self._arrays.items():
                new = np.zeros((max(length, 2 * capacity), *old.shape[1:]), old.dtype)
                new[: self._length] = old[: self._length]
                self._arrays[name] = new
        self._length = length

    def clear(self, entries: NDArray[np.int32]) -> None:
        """Sets these entries to zero in all columns."""
        for array in self._arrays.values():
            array[entries] = 0

    def snapshot(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Copies of all columns under `prefix` and their names."""
        return {prefix + name: self[name].copy() for name in self._arrays}

    def restore(self, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes the columns of a snapshot. Raises KeyError where one is missing."""
        taken = {name: arrays[prefix + name].copy() for name in self._arrays}
        self._length = len(next(iter(taken.values())))
        self._arrays = {
            name: array.astype(self._arrays[name].dtype, copy=False) for name, array in taken.items()
        }


def _zeros(shape: Shape, length: int) -> NDArray[Any]:
    if isinstance(shape, tuple):
        dtype, width = shape
        return np.zeros((length, width), dtype)
    return np.zeros(length, shape)
