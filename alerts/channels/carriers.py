"""Which channel carries what: one of each, opened together; and how much each carrier takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from alerts.channels.aliyun_sms import AliyunSmsChannel, AliyunSmsSettings
from alerts.channels.aliyun_voice import AliyunVoiceChannel, AliyunVoiceSettings
from alerts.channels.apprise import AppriseChannel
from alerts.channels.cap import CapChannel, CapSettings
from alerts.channels.channel import Channel
from alerts.channels.dingtalk import DingtalkChannel
from alerts.channels.feishu import FeishuChannel
from alerts.channels.mqtt import MqttChannel, MqttSettings
from alerts.channels.serverchan import ServerchanChannel
from alerts.channels.smtp import SmtpChannel, SmtpSettings
from alerts.channels.tencent_sms import TencentSmsChannel, TencentSmsSettings
from alerts.channels.tencent_voice import TencentVoiceChannel, TencentVoiceSettings
from alerts.channels.unset import UnsetChannel
from alerts.channels.webhook import WebhookChannel
from alerts.channels.wecom_app import WecomAppChannel, WecomAppSettings
from alerts.channels.wecom_bot import WecomBotChannel
from devices.model import Carrier

Account = (
    AliyunSmsSettings
    | AliyunVoiceSettings
    | TencentSmsSettings
    | TencentVoiceSettings
    | WecomAppSettings
    | SmtpSettings
    | MqttSettings
    | CapSettings
)
NEEDING: Final[Mapping[Carrier, str]] = MappingProxyType(
    {
        Carrier.ALIYUN_SMS: "channels.aliyun.sms",
        Carrier.ALIYUN_VOICE: "channels.aliyun.voice",
        Carrier.TENCENT_SMS: "channels.tencent.sms",
        Carrier.TENCENT_VOICE: "channels.tencent.voice",
        Carrier.WECOM_APP: "channels.wecom_app",
        Carrier.SMTP: "channels.smtp",
        Carrier.MQTT: "channels.mqtt",
        Carrier.CAP: "channels.cap",
    }
)
"""Carriers that need an account of the site's, and the table of the configuration that has it."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The site's accounts by carrier; `broken` says of those that cannot be used why, without secrets."""

    by_carrier: Mapping[Carrier, Account] = field(default_factory=dict)
    broken: Mapping[Carrier, str] = field(default_factory=dict)


def open_channels(accounts: Accounts | None = None) -> dict[Carrier, Channel]:
    """A channel for every carrier. Nothing is connected or started yet; `close_channels` when done."""
    opened: dict[Carrier, Channel] = {
        Carrier.WEBHOOK: WebhookChannel(),
        Carrier.APPRISE: AppriseChannel(),
        Carrier.DINGTALK: DingtalkChannel(),
        Carrier.FEISHU: FeishuChannel(),
        Carrier.WECOM_BOT: WecomBotChannel(),
        Carrier.SERVERCHAN: ServerchanChannel(),
    }
    accounts = accounts or Accounts()
    for carrier, table in NEEDING.items():
        account = accounts.by_carrier.get(carrier)
        why = accounts.broken.get(carrier) or f"this site has no [{table}] in its configuration"
        opened[carrier] = UnsetChannel(why) if account is None else _with_account(account)
    return opened


def _with_account(account: Account) -> Channel:
    match account:
        case AliyunSmsSettings():
            return AliyunSmsChannel(account)
        case AliyunVoiceSettings():
            return AliyunVoiceChannel(account)
        case TencentSmsSettings():
            return TencentSmsChannel(account)
        case TencentVoiceSettings():
            return TencentVoiceChannel(account)
        case WecomAppSettings():
            return WecomAppChannel(account)
        case SmtpSettings():
            return SmtpChannel(account)
        case MqttSettings():
            return MqttChannel(account)
        case CapSettings():
            return CapChannel(account)


async def warm_channels(channels: Mapping[Carrier, Channel]) -> None:
    """Starts what takes long to start, before the first alarm needs it."""
    for channel in channels.values():
        if isinstance(channel, AppriseChannel):
            await channel.warm()


async def close_channels(channels: Mapping[Carrier, Channel]) -> None:
    """Closes them all, each whatever happens to the others."""
    for channel in channels.values():
        await channel.close()
