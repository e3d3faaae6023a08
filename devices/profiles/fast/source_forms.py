"""The forms that each source's messages are tried with, and the names that they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32, Int64

FORMS_A_SOURCE: Final = 4
"""Devices leave out what they do not know and add what is new: a message has one of few sets of keys (chosen;
with two, each message of a detector with four sets went the general way every other time)."""
_NONE: Final = -1
Int8 = NDArray[np.int8]


class SourceForms:
    """At most `FORMS_A_SOURCE` forms for each source, in the order in which they are tried.

    A source's messages are tried with its first form; those that it does not take with the next, and so on.
    A later form that fits twice in a row, where the ones before it did not, changes places with the first. A
    new form takes a free place, else the last one's. 5 bytes a source, 13 where messages name their device.
    """

    def __init__(self) -> None:
        self._forms: NDArray[np.int8] = np.full((FORMS_A_SOURCE, 256), _NONE, np.int8)
        self._missed = np.zeros(256, np.uint8)
        self._names: Int64 | None = None

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics or devices from now on."""
        which: Any = slice(None) if sources is None else [n for n in sources if 0 <= n < len(self._missed)]
        self._forms[:, which] = _NONE
        self._missed[which] = 0
        if self._names is not None:
            self._names[which] = 0

    def drop(self, form: int) -> None:
        """No source has this form any more; what is tried after it moves up."""
        had = (self._forms == form).any(axis=0)
        kept = self._forms[:, had]
        kept[kept == form] = _NONE
        order = np.argsort(kept == _NONE, axis=0, kind="stable")
        self._forms[:, had] = np.take_along_axis(kept, order, axis=0)

    def at(self, rank: int, source: Int32) -> Int8:
        """The form that each source is tried with at this rank (0: first), negative for none. Negative
        sources have none."""
        self._grow(int(source.max()) + 1)
        form: Int8 = self._forms[rank].take(source, mode="clip")
        form[source < 0] = _NONE
        return form

    def names(self, source: Int32) -> Int64 | None:
        """The number of the names that each source's messages say; None where none of any says some."""
        return None if self._names is None else self._names[source]

    def fits(self, rank: int, source: Int32) -> None:
        """The form of that rank fitted a message of each of these sources, where none before it did."""
        if rank == 0:
            self._missed[source] = 0
            return
        self._missed[source] += 1
        often = source[self._missed[source] > 1]
        if len(often):
            first = self._forms[0, often]
            self._forms[0, often], self._forms[rank, often] = self._forms[rank, often], first
            self._missed[often] = 0

    def met(self, source: int, form: int) -> None:
        """A source that has no form has this one."""
        self._grow(source + 1)
        if self._forms[0, source] == _NONE:
            self._forms[0, source] = form

    def has(self, source: int, form: int, names: int) -> None:
        """A message of this source had the form, and said these names (0: none)."""
        self._grow(source + 1)
        known = self._forms[:, source].tolist()
        if form not in known:
            self._forms[known.index(_NONE) if _NONE in known else -1, source] = form
        if names:
            if self._names is None:
                self._names = np.zeros(len(self._missed), np.int64)
            self._names[source] = names

    def _grow(self, sources: int) -> None:
        more = sources - len(self._missed)
        if more > 0:
            more = max(more, len(self._missed))
            none = np.full((FORMS_A_SOURCE, more), _NONE, np.int8)
            self._forms = np.concatenate([self._forms, none], axis=1)
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
