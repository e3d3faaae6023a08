"""A call that reads a text, through Tencent Cloud (VMS 2020-09-02, SendTtsVoice).

Limits (the vendor's page 1128/38004): to one number 1 call in 30 s, 2 in 10 min, 3 a day, and 1 between
22:00 and 08:00; a site must ask the vendor to raise them, or a second night alarm reaches nobody by voice.
The account 5 calls a second at first, 40 at most (the interface says 20). A text has at most 350 characters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from alerts.channels.accounts import own_id
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S
from alerts.channels.numbers import NO_NUMBER, e164
from alerts.channels.templates import Template, for_reader, values_of
from alerts.channels.tencent import TencentApi, TencentKey

_SERVICE: Final = "vms"
_VERSION: Final = "2020-09-02"
_SESSION_BYTES: Final = 511
_PLAYS: Final = (1, 3)
_IN_ALL: Final = 350


@dataclass(frozen=True, slots=True)
class TencentVoiceSettings:
    """`sdk_app_id` and the templates as in the vendor's voice console. `plays` is held between 1 and 3."""

    key: TencentKey = field(repr=False)
    sdk_app_id: str
    template: Template
    english: Template | None = None
    plays: int = 3
    region: str = "ap-guangzhou"
    base_url: str = "https://vms.tencentcloudapi.com"


class TencentVoiceChannel:
    """One call for one message. `Accepted.receipt` is the CallId that the callbacks carry as `callid`."""

    def __init__(
        self,
        settings: TencentVoiceSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._api = TencentApi(
            settings.base_url, _SERVICE, _VERSION, settings.region, settings.key, timeout_s, clock
        )

    async def send(self, message: Message) -> Outcome:
        """Asks for one call. Reasons never hold the number."""
        number = e164(message.address)
        if not number:
            return NO_NUMBER
        response = await self._api.call(
            "SendTtsVoice", _parameters(self._settings, number, message), urgent=message.urgent
        )
        if isinstance(response, Failed):
            return response
        status = response.get("SendStatus")
        if not isinstance(status, dict):
            return Failed("the answer names no call")
        return Accepted(receipt=str(status.get("CallId", "")))

    async def close(self) -> None:
        """Closes its connections."""
        await self._api.close()


def _parameters(settings: TencentVoiceSettings, number: str, message: Message) -> dict[str, Any]:
    approved = for_reader(settings.template, settings.english, message.language)
    template = replace(approved, in_all=min(approved.in_all, _IN_ALL))
    return {
        "CalledNumber": number,
        "VoiceSdkAppid": settings.sdk_app_id,
        "TemplateId": template.code,
        "TemplateParamSet": list(values_of(template, message.parts)),
        "PlayTimes": min(max(settings.plays, _PLAYS[0]), _PLAYS[1]),
        "SessionContext": own_id(message.key, _SESSION_BYTES),
    }
