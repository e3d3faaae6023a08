"""SMS through Aliyun (Dysmsapi 2017-05-25, SendSms): an approved template, filled from the message's parts.

Limits (the vendor's page 2881383): one template to one number at most 50 notices in 24 h, counted from
sending; the interface 5,000 calls a second. The number of OutId bytes is not verified; 255 are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerts.channels.accounts import own_id
from alerts.channels.aliyun import AliyunApi, AliyunKey, places_filled
from alerts.channels.aliyun_receipts import read_aliyun_details
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S
from alerts.channels.numbers import NO_NUMBER, domestic
from alerts.channels.receipts import Posted
from alerts.channels.templates import Template, for_reader, signed

_VERSION: Final = "2017-05-25"
_OUT_ID_BYTES: Final = 255
_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""The vendor's days are China's."""


@dataclass(frozen=True, slots=True)
class AliyunSmsSettings:
    """`sign_name` and the templates are approved by the vendor; `english` is for those who read English,
    where there is one."""

    key: AliyunKey = field(repr=False)
    sign_name: str
    template: Template
    english: Template | None = None
    base_url: str = "https://dysmsapi.aliyuncs.com"


class AliyunSmsChannel:
    """One SMS for one message. `Accepted.receipt` is the BizId that status reports carry."""

    def __init__(
        self,
        settings: AliyunSmsSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._api = AliyunApi(settings.base_url, _VERSION, settings.key, timeout_s, clock)

    async def send(self, message: Message) -> Outcome:
        """Sends once. Reasons never hold the number."""
        number = domestic(message.address)
        if not number:
            return NO_NUMBER
        answer = await self._api.call(
            "SendSms", _parameters(self._settings, number, message), urgent=message.urgent
        )
        if isinstance(answer, Failed):
            return answer
        return Accepted(receipt=str(answer.get("BizId", "")))

    async def poll(self, address: str, receipt: str, sent_us: int, now_us: int) -> Posted | Failed:
        """What became of one SMS, asked for where nothing can come in (QuerySendDetails).

        The vendor answers for one number and day, for 30 days; replies it only posts.
        """
        day = datetime.fromtimestamp(sent_us / 1e6, _ZONE)
        parameters = {
            "PhoneNumber": domestic(address),
            "BizId": receipt,
            "SendDate": f"{day:%Y%m%d}",
            "PageSize": "10",
            "CurrentPage": "1",
        }
        answer = await self._api.call("QuerySendDetails", parameters, urgent=False)
        return answer if isinstance(answer, Failed) else read_aliyun_details(answer, receipt, now_us)

    async def close(self) -> None:
        """Closes its connections."""
        await self._api.close()


def _parameters(settings: AliyunSmsSettings, number: str, message: Message) -> Mapping[str, str]:
    chosen = for_reader(settings.template, settings.english, message.language)
    template = signed(chosen, settings.sign_name)
    parameters = {
        "PhoneNumbers": number,
        "SignName": settings.sign_name,
        "TemplateCode": template.code,
        "OutId": own_id(message.key, _OUT_ID_BYTES),
    }
    if template.variables:
        parameters["TemplateParam"] = places_filled(template, message.parts)
    return parameters
