"""The two forms that each source's messages are tried with, and the names that they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32, Int64

_NONE: Final = -1
Int8 = NDArray[np.int8]


class SourceForms:
    """3 bytes a source, 11 where messages name their device. The two forms change places when only the second
    one fits, twice in a row."""

    def __init__(self) -> None:
        self._first = np.full(256, _NONE, np.int8)
        self._second = np.full(256, _NONE, np.int8)
        self._missed = np.zeros(256, np.uint8)
        self._names: Int64 | None = None

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics or devices from now on."""
        which: Any = (
            slice(None) if sources is None else [one for one in sources if 0 <= one < len(self._first)]
        )
        self._first[which] = self._second[which] = _NONE
        self._missed[which] = 0
        if self._names is not None:
            self._names[which] = 0

    def drop(self, form: int) -> None:
        """No source has this form any more."""
        self._first[self._first == form] = _NONE
        self._second[self._second == form] = _NONE

    def first(self, source: Int32) -> Int8:
        """The form that each source is tried with first, negative for none. Negative sources have none."""
        self._grow(int(source.max()) + 1)
        form: Int8 = self._first.take(source, mode="clip")
        form[source < 0] = _NONE
        return form

    def second(self, source: Int32) -> Int8:
        """The form that each is tried with when the first did not fit."""
        form: Int8 = self._second[source]
        return form

    def names(self, source: Int32) -> Int64 | None:
        """The number of the names that each source's messages say; None where none of any says some."""
        return None if self._names is None else self._names[source]

    def first_fits(self, source: Int32) -> None:
        """The first form of these sources fitted."""
        self._missed[source] = 0

    def second_fits(self, source: Int32) -> None:
        """The second form of these sources fitted where the first did not."""
        self._missed[source] += 1
        often = source[self._missed[source] > 1]
        if len(often):
            first = self._first[often]
            self._first[often], self._second[often] = self._second[often], first
            self._missed[often] = 0

    def met(self, source: int, form: int) -> None:
        """A source that has no form has this one."""
        self._grow(source + 1)
        if self._first[source] == _NONE:
            self._first[source] = form

    def has(self, source: int, form: int, names: int) -> None:
        """A message of this source had the form, and said these names (0: none)."""
        self.met(source, form)
        if self._first[source] != form:
            self._second[source] = form
        if names:
            if self._names is None:
                self._names = np.zeros(len(self._first), np.int64)
            self._names[source] = names

    def _grow(self, sources: int) -> None:
        more = sources - len(self._first)
        if more > 0:
            more = max(more, len(self._first))
            self._first = np.concatenate([self._first, np.full(more, _NONE, np.int8)])
            self._second = np.concatenate([self._second, np.full(more, _NONE, np.int8)])
            self._missed = np.concatenate([self._missed, np.zeros(more, np.uint8)])
            if self._names is not None:
                self._names = np.concatenate([self._names, np.zeros(more, np.int64)])


def grouped(form: Int8) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each form that is not negative, and the places where it stands, in order."""
    if len(form) and form[0] >= 0 and (form == form[0]).all():  # the usual tick
        yield int(form[0]), np.arange(len(form))
        return
    order = np.argsort(form, kind="stable")
    ordered = form[order]
    starts = [*np.flatnonzero(np.diff(ordered, prepend=_NONE - 1)).tolist(), len(form)]
    for start, end in pairwise(starts):
        if ordered[start] >= 0:
            yield int(ordered[start]), order[start:end]
