"""How much each carrier takes, as it says itself; what is not here takes everything.

Sources: the page or code named in the docstring of each channel. Robots that are asked too often are held for
minutes, and a WeCom application's messages beyond its limit vanish: these limits bind fires too. Telephone
carriers refuse what is too much for the account, so a fire asks them, and goes on by the next way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alerts.limits import Limit, Limits
from devices.model import Carrier

_MINUTE: Final = 60.0
_HOUR: Final = 3_600.0
_DAY: Final = 86_400.0

LIMITS: Final[Mapping[Carrier, Limits]] = MappingProxyType(
    {
        Carrier.DINGTALK: Limits(address=(Limit(20, _MINUTE),), binding=True),
        Carrier.FEISHU: Limits(address=(Limit(5, 1.0), Limit(100, _MINUTE)), binding=True),
        Carrier.WECOM_BOT: Limits(address=(Limit(20, _MINUTE),), binding=True),
        Carrier.WECOM_APP: Limits(address=(Limit(30, _MINUTE), Limit(1_000, _HOUR)), binding=True),
        Carrier.ALIYUN_SMS: Limits(address=(Limit(50, _DAY),)),
        Carrier.ALIYUN_VOICE: Limits(address=(Limit(1, _MINUTE), Limit(5, _HOUR), Limit(20, _DAY))),
        Carrier.TENCENT_SMS: Limits(address=(Limit(1, 30.0), Limit(5, _HOUR), Limit(10, _DAY))),
        Carrier.TENCENT_VOICE: Limits(address=(Limit(1, 30.0), Limit(2, 10 * _MINUTE), Limit(3, _DAY))),
    }
)
"""Tencent's limit of one call a number between 22:00 and 08:00 is not kept here: its refusal leads on to the
contact's next way."""
