"""SMS through Tencent Cloud (SMS 2021-01-11, SendSms): an approved template, filled from the message's parts.

Limits: the interface 3,000 calls a second (the vendor's page 55981); to one number by default 1 in 30 s,
5 an hour and 10 a day, which the console changes (the numbers are not verified; the error codes name these
windows). A text with its signature and values has at most 500 characters (page 39023).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alerts.channels.accounts import own_id
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S
from alerts.channels.numbers import NO_NUMBER, e164
from alerts.channels.receipts import Posted
from alerts.channels.templates import Template, for_reader, signed, values_of
from alerts.channels.tencent import TencentApi, TencentKey, refusal
from alerts.channels.tencent_receipts import read_tencent_pull

_SERVICE: Final = "sms"
_VERSION: Final = "2021-01-11"
_SESSION_BYTES: Final = 511
"""SessionContext must stay below 512 bytes (page 55981)."""
_PULL: Final = 100
"""As many as one pull gives."""
_SECOND_US: Final = 1_000_000
_EARLY_US: Final = 60 * _SECOND_US
"""Asked from so long before the sending on: their clock is not ours (chosen)."""
_BACK_US: Final = 7 * 86_400 * _SECOND_US - _EARLY_US
"""As far back as the vendor answers, and a minute less."""


@dataclass(frozen=True, slots=True)
class TencentSmsSettings:
    """`sdk_app_id`, `sign_name` and the templates as in the vendor's console; `english` is for those who
    read English, where there is one."""

    key: TencentKey = field(repr=False)
    sdk_app_id: str
    sign_name: str
    template: Template
    english: Template | None = None
    region: str = "ap-guangzhou"
    base_url: str = "https://sms.tencentcloudapi.com"


class TencentSmsChannel:
    """One SMS for one message. `Accepted.receipt` is the SerialNo that status reports carry as `sid`."""

    def __init__(
        self,
        settings: TencentSmsSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._api = TencentApi(
            settings.base_url, _SERVICE, _VERSION, settings.region, settings.key, timeout_s, clock
        )

    async def send(self, message: Message) -> Outcome:
        """Sends once. Reasons never hold the number."""
        number = e164(message.address)
        if not number:
            return NO_NUMBER
        response = await self._api.call(
            "SendSms", _parameters(self._settings, number, message), urgent=message.urgent
        )
        return response if isinstance(response, Failed) else _status(response)

    async def poll(self, now_us: int) -> Posted | Failed:
        """Status reports since the last time, up to 100, where nothing can come in (PullSmsSendStatus).

        The vendor gives each once, and only to accounts for which it switched pulling on.
        """
        return await self._pull("PullSmsSendStatus", now_us)

    async def poll_replies(self, now_us: int) -> Posted | Failed:
        """Replies since the last time, up to 100, each once (PullSmsReplyStatus)."""
        return await self._pull("PullSmsReplyStatus", now_us)

    async def ask(self, address: str, sent_us: int, now_us: int, *, settled: bool = False) -> Posted | Failed:
        """What became of the SMS to this number since `sent_us`, and what was replied, however often:
        PullSmsSendStatusByPhoneNumber and PullSmsReplyStatusByPhoneNumber, 20 calls a second each, 7 days
        back. `settled`: replies only."""
        parameters = {
            "SmsSdkAppId": self._settings.sdk_app_id,
            "PhoneNumber": e164(address),
            "BeginTime": max(sent_us - _EARLY_US, now_us - _BACK_US) // _SECOND_US,
            "EndTime": now_us // _SECOND_US,
            "Offset": 0,
            "Limit": _PULL,
        }
        if not parameters["PhoneNumber"]:
            return NO_NUMBER
        replies = await self._asked("PullSmsReplyStatusByPhoneNumber", parameters, now_us)
        if settled:
            return replies
        reports = await self._asked("PullSmsSendStatusByPhoneNumber", parameters, now_us)
        if isinstance(replies, Failed) or isinstance(reports, Failed):
            return reports
        return Posted(reports.receipts, replies.replies, reports.unread + replies.unread)

    async def _pull(self, action: str, now_us: int) -> Posted | Failed:
        parameters = {"SmsSdkAppId": self._settings.sdk_app_id, "Limit": _PULL}
        return await self._asked(action, parameters, now_us)

    async def _asked(self, action: str, parameters: Mapping[str, Any], now_us: int) -> Posted | Failed:
        answer = await self._api.call(action, parameters, urgent=False)
        return answer if isinstance(answer, Failed) else read_tencent_pull(answer, now_us)

    async def close(self) -> None:
        """Closes its connections."""
        await self._api.close()


def _parameters(settings: TencentSmsSettings, number: str, message: Message) -> dict[str, Any]:
    chosen = for_reader(settings.template, settings.english, message.language)
    template = signed(chosen, settings.sign_name)
    return {
        "PhoneNumberSet": [number],
        "SmsSdkAppId": settings.sdk_app_id,
        "SignName": settings.sign_name,
        "TemplateId": template.code,
        "TemplateParamSet": list(values_of(template, message.parts)),
        "SessionContext": own_id(message.key, _SESSION_BYTES),
    }


def _status(response: dict[str, Any]) -> Outcome:
    """The vendor answers for each number by itself; there is one."""
    statuses = response.get("SendStatusSet")
    first = statuses[0] if isinstance(statuses, list) and statuses else None
    if not isinstance(first, dict):
        return Failed("the answer names no number")
    code = str(first.get("Code", ""))
    return Accepted(receipt=str(first.get("SerialNo", ""))) if code == "Ok" else refusal(code)
