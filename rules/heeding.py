"""Which metrics which kernels look at: so that a batch is shown to nobody whom it does not concern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Metric
from rules.catalogue import Catalogue
from rules.kernel import PairKernel
from rules.kinds import JUDGED

ONLINE: Final = 1 << 61
"""The bit of `device.online`."""
COMPARED: Final = 1 << 62
"""The bit of metrics whose newest values are kept."""


class Compared(NamedTuple):
    """Metrics of series that are compared with others of their device, and of those others."""

    judged: frozenset[Metric]
    asked: frozenset[Metric]


def compared_in(catalogue: Catalogue) -> Compared:
    """What the rules of a catalogue compare."""
    judged: set[Metric] = set()
    asked: set[Metric] = set()
    for kind, kernel in JUDGED:
        if kernel.compares:
            rules = catalogue.of(kind)
            judged.update(metric for rule in rules for metric in rule.metrics)
            asked.update(kernel.compares if rules else ())
    return Compared(frozenset(judged), frozenset(asked))


def heeds_of(kernels: Sequence[PairKernel[Any]], compared: frozenset[Metric]) -> NDArray[np.int64]:
    """For each metric, a bit for every kernel that looks at it, in their order."""
    heeds = np.zeros(METRIC_LIMIT, np.int64)
    for bit, kernel in enumerate(kernels):
        heeds[list(kernel.metrics)] |= 1 << bit
    heeds[list(compared)] |= COMPARED
    heeds[Metric.DEVICE_ONLINE] |= ONLINE
    return heeds
