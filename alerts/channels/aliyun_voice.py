"""A call that reads a text, through Aliyun (Dyvmsapi 2017-05-25, SingleCallByTts).

Limits (the vendor's page 2680293): to one number 1 call a minute, 5 an hour, 20 in 24 h, each window counted
from its first call, failed calls too; two calls to one number within a second are both refused. The interface
takes 1,000 calls a second. OutId takes 1 to 15 bytes (from memory of the vendor's page; not verified), so
that longer keys are sent as a hash of them. The answer only says that the call will be tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from alerts.channels.accounts import own_id
from alerts.channels.aliyun import AliyunApi, AliyunKey, places_filled
from alerts.channels.aliyun_receipts import read_aliyun_call
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S
from alerts.channels.numbers import NO_NUMBER, domestic
from alerts.channels.receipts import Posted
from alerts.channels.templates import Template, for_reader

_VERSION: Final = "2017-05-25"
OUT_ID_BYTES: Final = 15
_NOTICES: Final = "11000000300006"
"""The vendor's number for calls that bring a notice."""
_PLAYS: Final = (1, 3)
"""How often the vendor plays one text at least and at most."""


@dataclass(frozen=True, slots=True)
class AliyunVoiceSettings:
    """`shown_number`: the bought number that the phone shows; empty uses the vendor's public ones, which
    phones more often take for nuisance. `plays` is held between 1 and 3."""

    key: AliyunKey = field(repr=False)
    template: Template
    english: Template | None = None
    shown_number: str = ""
    plays: int = 3
    base_url: str = "https://dyvmsapi.aliyuncs.com"


class AliyunVoiceChannel:
    """One call for one message. `Accepted.receipt` is the CallId that call reports carry."""

    def __init__(
        self,
        settings: AliyunVoiceSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._api = AliyunApi(settings.base_url, _VERSION, settings.key, timeout_s, clock)

    async def send(self, message: Message) -> Outcome:
        """Asks for one call. Reasons never hold the number."""
        number = domestic(message.address)
        if not number:
            return NO_NUMBER
        answer = await self._api.call(
            "SingleCallByTts", _parameters(self._settings, number, message), urgent=message.urgent
        )
        if isinstance(answer, Failed):
            return answer
        return Accepted(receipt=str(answer.get("CallId", "")))

    async def poll(self, receipt: str, sent_us: int, now_us: int) -> Posted | Failed:
        """What became of one call, asked for where nothing can come in (QueryCallDetailByCallId).

        The vendor knows it 3 to 5 minutes after the call's end, for 24 h from `sent_us`; keys it only posts.
        """
        parameters = {"CallId": receipt, "ProdId": _NOTICES, "QueryDate": str(sent_us // 1000)}
        answer = await self._api.call("QueryCallDetailByCallId", parameters, urgent=False)
        return answer if isinstance(answer, Failed) else read_aliyun_call(answer, receipt, now_us)

    async def close(self) -> None:
        """Closes its connections."""
        await self._api.close()


def _parameters(settings: AliyunVoiceSettings, number: str, message: Message) -> Mapping[str, str]:
    template = for_reader(settings.template, settings.english, message.language)
    parameters = {
        "CalledNumber": number,
        "TtsCode": template.code,
        "PlayTimes": str(min(max(settings.plays, _PLAYS[0]), _PLAYS[1])),
        "OutId": own_id(message.key, OUT_ID_BYTES),
    }
    if settings.shown_number:
        parameters["CalledShowNumber"] = settings.shown_number
    if template.variables:
        parameters["TtsParam"] = places_filled(template, message.parts)
    return parameters
