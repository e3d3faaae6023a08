"""What a test of a contact says, and by which ways it may go. Pure.

A test is marked as one in its first word and says nothing that an alarm says, nor that all is well: it may
meet a fire that nobody knows of yet. Where a provider reads out or
sends a text that it approved, the fixed part of that text must not say it either: else the way takes no test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.aliyun_voice import AliyunVoiceSettings
from alerts.channels.carriers import NEEDING, Accounts
from alerts.channels.tencent_sms import TencentSmsSettings
from alerts.channels.tencent_voice import TencentVoiceSettings
from alerts.evidence import CHINESE, Both
from alerts.ways import is_waking
from devices.model import Carrier, Medium
from devices.people import Way

MARK: Final[Both] = ("【测试】", "TEST. ")
"""What a test begins with."""
_TEXT: Final[Both] = (
    "{site}通知测试：只看本条能否送到您，无需回应。",
    "{site} checks that its messages reach you. It asks for nothing.",
)
_MONTHLY: Final[Both] = ("（每月一次）", " (once a month)")
_WHAT: Final[Both] = ("通知测试", "a check that messages reach you")
_DO: Final[Both] = ("本条无需回应。", "This asks for nothing.")
_ANSWER: Final = {Medium.VOICE: ("如方便请按1", "Press 1 if you like")}
"""A key is pressed in the one call. An SMS asks for no reply: it may be read when a fire has begun, and a
reply does not say what it answers."""
_ALARMING: Final = re.compile(
    r"火|烟|警|险情|危险|撤离|逃生|求助|误报|\b(?:fire|smoke|alarm|alert|danger|emergency|evacuat\w*)",
    re.IGNORECASE,
)
_QUIET_CARRIERS: Final = frozenset(
    {
        Carrier.SMTP,
        Carrier.APPRISE,
        Carrier.DINGTALK,
        Carrier.FEISHU,
        Carrier.WECOM_BOT,
        Carrier.WECOM_APP,
        Carrier.SERVERCHAN,
        Carrier.ALIYUN_SMS,
        Carrier.TENCENT_SMS,
    }
)
"""Carriers of monthly tests. A webhook may switch anything on, a topic sounds a siren, a platform that takes
CAP may act: what is behind them is not ours to try unasked. Calls wake people: never by voice either."""


def words_of_test(site: str, language: str, *, monthly: bool) -> str:
    """The whole text of a test."""
    pick = language != CHINESE
    text = _TEXT[pick].format(site=site)
    return MARK[pick] + (text[:-1] + _MONTHLY[pick] + text[-1] if monthly else text)


def parts_of_test(site: str, language: str, medium: Medium, since: str) -> dict[str, str]:
    """Its pieces, by the names of `alerts.channels.channel.PARTS`; `since` is the local time. `drill` marks
    it for what understands exercises, `test` for what understands tests."""
    pick = language != CHINESE
    parts = {
        "what": MARK[pick] + _WHAT[pick],
        "where": site,
        "since": since,
        "do": _DO[pick],
        "drill": MARK[pick],
        "test": "yes",
    }
    answer = _ANSWER.get(medium)
    return {**parts, "answer": answer[pick] if answer else ""}


def is_silent(way: Way) -> bool:
    """Whether a test by this way wakes nobody by day and switches nothing on."""
    return way.medium is not Medium.VOICE and way.carrier in _QUIET_CARRIERS


def bars(way: Way, refused: Mapping[Carrier, str], *, named: bool) -> str:
    """Why this way takes no test, in words; empty where it does. `refused` are carriers and why
    (`refused_carriers`); `named`: somebody named this very channel."""
    if way.carrier is Carrier.CAP:
        return "platforms and stations that take CAP get no test"
    if way.carrier is Carrier.MQTT and not named:
        return "it would sound a siren; name the channel with --channel to test it"
    return refused.get(way.carrier, "")


def report_way(ways: Iterable[Way], refused: Mapping[Carrier, str]) -> Way | None:
    """The first by which a report of the day may go: no call, no siren, no text with an alarm's words."""
    fit = (way for way in ways if not is_waking(way) and not bars(way, refused, named=False))
    return next(fit, None)


def uncarried(accounts: Accounts) -> frozenset[Carrier]:
    """Carriers that need an account of the site's and have none that can be used."""
    return frozenset(carrier for carrier in NEEDING if carrier not in accounts.by_carrier)


def refused_carriers(accounts: Accounts) -> dict[Carrier, str]:
    """Carriers by which no test goes here, and why."""
    refused = {
        carrier: accounts.broken.get(carrier, f"this site has no [{NEEDING[carrier]}]")
        for carrier in uncarried(accounts)
    }
    for carrier, account in accounts.by_carrier.items():
        if isinstance(
            account, AliyunSmsSettings | AliyunVoiceSettings | TencentSmsSettings | TencentVoiceSettings
        ):
            texts = [one.text for one in (account.template, account.english) if one]
            if word := next(filter(None, map(alarming_word, texts)), ""):
                refused[carrier] = f"the provider's approved text says {word!r}, which no test may say"
    return refused


def alarming_word(text: str) -> str:
    """The first word of an alarm in a text; empty without one."""
    match = _ALARMING.search(text)
    return match[0] if match else ""
