"""Arrival order in a vectorised kernel: a batch is cut into rounds in which each pair occurs once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
"""Indices into a batch or a round."""


class Price(NamedTuple):
    """What it costs to take readings, in any unit: a round of them at once; or one after another, for each
    pair and for each reading."""

    round: float
    pair: float
    reading: float

    def rounds(self, sizes: NDArray[np.intp]) -> int:
        """How many of the rounds of these sizes, from the first on, are to be taken at once, so that all is
        cheapest. No round is larger than the one before it."""
        taken = np.arange(len(sizes) + 1)
        pairs = np.append(sizes, 0)
        left = int(sizes.sum()) - np.concatenate(([0], np.cumsum(sizes)))
        return int(np.argmin(self.round * taken + self.pair * pairs + self.reading * left))


def rounds(pair: Rows) -> list[Rows]:
    """Positions in `pair`, cut so that the k-th occurrence of each pair is in the k-th round.

    Within a round arrival order is kept. Usually there is one round; one series n times in a batch makes n,
    and nothing makes none.
    """
    return _cut(pair, len)[0]


def rounds_and_rest(pair: Rows, price: Price) -> tuple[list[Rows], Rows]:
    """As many of these rounds as are worth it, and the positions that are left, in arrival order."""
    return _cut(pair, price.rounds)


def _cut(pair: Rows, worth: Callable[[NDArray[np.intp]], int]) -> tuple[list[Rows], Rows]:
    """The first rounds, so many as are `worth` it by the sizes of all, and the rest."""
    n = len(pair)
    everything, nothing = np.arange(n), np.empty(0, np.intp)
    if not n:
        return [], nothing
    ordered = np.sort(pair)  # an eighth of the time of the stable argsort, and usually all that is needed
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return ([everything], nothing) if worth(np.array([n])) else ([], everything)
    several = np.zeros(n, np.bool_)
    several[1:] |= same
    several[:-1] |= same
    some = np.sort(np.argsort(pair)[several])  # usually few: the rest of the work is theirs
    occurrence = _occurrence(pair[some])
    later = np.flatnonzero(occurrence)
    sizes = np.bincount(occurrence[later])
    sizes[0] = n - len(later)
    count = worth(sizes)
    if not count:
        return [], everything
    first = np.ones(n, np.bool_)
    first[some[later]] = False
    ends = np.cumsum(sizes[1:count])
    by_round = some[later[np.argsort(occurrence[later], kind="stable")]]
    full = int(ends[-1]) if len(ends) else 0
    turns = np.split(by_round[:full], ends[:-1]) if full else []
    return [np.flatnonzero(first), *turns], np.sort(by_round[full:])


def _occurrence(pair: Rows) -> Rows:
    """How many of the same pair stand before each."""
    n = len(pair)
    everything = np.arange(n)
    by_pair = np.argsort(pair, kind="stable")
    ordered = pair[by_pair]
    first = np.ones(n, np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    occurrence = np.empty(n, np.intp)
    occurrence[by_pair] = everything - np.maximum.accumulate(np.where(first, everything, 0))
    return occurrence
