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
    everything = np.arange(n)
    ordered = np.sort(pair)  # an eighth of the time of the stable argsort, and usually all that is needed
    if not (ordered[1:] == ordered[:-1]).any():
        return [everything]
    by_pair = np.argsort(pair, kind="stable")
    first = np.ones(n, np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    occurrence = np.empty(n, np.intp)
    occurrence[by_pair] = everything - np.maximum.accumulate(np.where(first, everything, 0))
    by_round = np.argsort(occurrence, kind="stable")
    ends = np.cumsum(np.bincount(occurrence))
    return np.split(by_round, ends[:-1])
