"""Arrival order in a vectorised kernel: a batch is cut into rounds in which each pair occurs once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
"""Indices into a batch or a round."""


def rounds(pair: Rows) -> list[Rows]:
    """Positions in `pair`, cut so that the k-th occurrence of each pair is in the k-th round.

    Within a round arrival order is kept. Usually there is one round; one series n times in a batch makes n,
    and nothing makes none.
    """
    n = len(pair)
    if not n:
        return []
    ordered = np.sort(pair)  # an eighth of the time of the stable argsort, and usually all that is needed
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return [np.arange(n)]
    several = np.zeros(n, np.bool_)
    several[1:] |= same
    several[:-1] |= same
    some = np.sort(np.argsort(pair)[several])  # usually few: the rest of the work is theirs
    occurrence = _occurrence(pair[some])
    later = np.flatnonzero(occurrence)
    first = np.ones(n, np.bool_)
    first[some[later]] = False
    by_round = later[np.argsort(occurrence[later], kind="stable")]
    ends = np.cumsum(np.bincount(occurrence[later])[1:])
    return [np.flatnonzero(first), *np.split(some[by_round], ends[:-1])]


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
