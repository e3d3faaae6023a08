"""How long the alarm of a single device waits for that of its building."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from devices.model import Bool, Int32, Int64
from rules.kernels.dark import DarkKernel


class Waits(NamedTuple):
    """How long a single alarm of each device waits for that of its building."""

    covered: Bool
    """By the building's, which is active."""
    until_us: Int64
    restless: Bool
    """The wait ends sooner where the building's devices are heard again."""


def waits(dark: DarkKernel, ids: Int32, often: Bool, now_us: int) -> Waits:
    """What single alarms of these silent devices wait for; `often` says which report often."""
    fell = dark.heard.fell_us[ids]
    if dark.rule is None:
        return Waits(np.zeros(len(ids), np.bool_), fell, np.zeros(len(ids), np.bool_))
    building = np.where(often, dark.heard.building[ids], 0)
    part = (building > 0) & (building < len(dark.members))
    building = np.where(part, building, 0)
    covered: Bool = part & dark.covers[building]
    part &= dark.members[building] >= dark.rule.least
    many = dark.silent[building] * 100.0 >= dark.rule.clear_below.value * dark.members[building]
    until = fell + np.where(part, int(dark.rule.settle), 0)
    restless = part & many & (until <= now_us)
    until = np.where(restless, fell + int(dark.rule.patience), until)
    return Waits(covered, until, restless & (until > now_us))
