"""How far apart the readings of a hold may be, and how much of it the gap between two of them makes up.

Nobody has seen what lies in a gap. One that is no longer than reports are meant to be apart counts in full;
one that is longer, of a device that may be silent for so long, counts for no more than half of the hold, and
for nothing unless the readings at both its ends count: what was normal at one end was not seen to last. So a
meter that reports twice a day is not silent for ever: three reports in a row raise, two do not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from devices.model import Bool, Float32, Int64

ENDS: Final = -1
"""The gap ends the hold."""
MINUTE_US: Final = 60_000_000
UNSAID_US: Final = 45 * MINUTE_US
"""A gap counts in full up to this where nobody says how often the device reports (chosen: a meter that
reports by the half-hour. Profiles mostly cannot know how a meter was set. An hour would let two readings be a
hold when our own clock jumps by a time zone)."""
BY_THE_HOUR_US: Final = 150 * MINUTE_US
"""Who may be silent for no longer than this says by it how far apart its reports are (two reports of a meter
that reports by the hour, and half an hour: profile `netvox`). A longer silence says that a device is heard of
by the day, and nothing of how often it reports its values."""
LONGEST_US: Final = 25 * 60 * MINUTE_US
"""How long a device may be silent where nobody says it (as rule C2)."""


def made_up(gap: Int64, max_gap: Int64, silence_s: Float32, hold: Int64, both: Bool) -> Int64:
    """How much of a hold of `hold` each gap since the reading before makes up, from 0 to the gap; ENDS where
    the hold does not go on over it.

    `max_gap` is the rule's; `silence_s` is how long the device may be silent, NaN where nobody says. All but
    that is in microseconds, and so is the answer. `both`: where the readings at both ends count.
    """
    silence = silence_s.astype(np.float64) * 1e6
    whole = np.maximum(max_gap, np.where(silence <= BY_THE_HOUR_US, silence, UNSAID_US))
    longest = np.where(hold > 0, np.nan_to_num(silence, nan=LONGEST_US), 0.0)
    part = np.where(gap <= longest, np.where(both, np.minimum(gap, (hold + 1) // 2), 0), ENDS)
    counts: Int64 = np.where(gap <= whole, gap, part)
    counts[gap < 0] = ENDS
    return counts
