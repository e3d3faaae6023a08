"""When to ask a provider what became of a message: ever less often, for three days. Pure.

Asked are those that answer for one message; others only post. Tencent gives what came in since the last time
as well, so that it is asked about what did not come so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from devices.model import Carrier

_MINUTE_US: Final = 60_000_000
_AFTER_MIN: Final[Mapping[Carrier, tuple[int, ...]]] = MappingProxyType(
    {
        Carrier.ALIYUN_SMS: (1, 2, 5, 15, 60, 360, 1440, 2880, 4310),
        Carrier.ALIYUN_VOICE: (4, 6, 10, 30, 120, 720, 1430),
        Carrier.TENCENT_SMS: (2, 5, 15, 60, 360, 1440, 2880, 4310),
    }
)
"""Minutes after the sending (chosen). A call is known 3 to 5 minutes after its end and for 24 h, an SMS may
be on its way for 72 h; whoever has no receipt by then is asked about no more."""


def first_ask_us(carrier: Carrier, sent_us: int) -> int | None:
    """When to ask first; None for carriers that are not asked for one message."""
    return next_ask_us(carrier, sent_us, sent_us)


def next_ask_us(carrier: Carrier, sent_us: int, now_us: int) -> int | None:
    """When to ask next after now; None when never again. After an absence of ours it is asked once, not once
    for every time that was missed."""
    times = (sent_us + minutes * _MINUTE_US for minutes in _AFTER_MIN.get(carrier, ()))
    return next((at_us for at_us in times if at_us > now_us), None)
