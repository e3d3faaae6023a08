"""From `[channels]` of the configuration to what channels take: secrets are read from their files here.

A fault of one account (a secret that cannot be read, a text that does not fit its places) breaks its carriers
and nothing else: people are told by their other ways, and `gengfu check` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from alerts.channels.aliyun import AliyunKey
from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.aliyun_voice import AliyunVoiceSettings
from alerts.channels.cap import CapSettings
from alerts.channels.carriers import Account, Accounts
from alerts.channels.mqtt import MqttSettings
from alerts.channels.smtp import SmtpSettings
from alerts.channels.templates import Template, Variable, faults_of, signed
from alerts.channels.tencent import TencentKey
from alerts.channels.tencent_sms import TencentSmsSettings
from alerts.channels.tencent_voice import TencentVoiceSettings
from alerts.channels.wecom_app import WecomAppSettings
from devices.model import Carrier
from gengfu.config_channels import Aliyun, ApprovedText, Cap, Channels, Sirens, Smtp, Tencent, WecomApp

_LONGEST_SECRET: Final = 4_096
_CALL_CHARS: Final = 350
"""Characters of a call's text with its values (Tencent's limit; taken for Aliyun too, whose is not said)."""


class _Broken(Exception):
    """An account that cannot be used; the text says why, without secrets."""


def accounts_of(channels: Channels, timezone: str) -> Accounts:
    """The accounts, and why some cannot be used. `timezone` is the site's."""
    good: dict[Carrier, Account] = {}
    broken: dict[Carrier, str] = {}
    for carrier, table, make in _makers(channels, timezone):
        try:
            good[carrier] = make()
        except _Broken as fault:
            broken[carrier] = f"[{table}]: {fault}"
    return Accounts(good, broken)


_Maker = tuple[Carrier, str, Callable[[], Account]]


def _makers(channels: Channels, timezone: str) -> Iterator[_Maker]:
    if channels.aliyun:
        yield from _aliyun(channels.aliyun)
    if channels.tencent:
        yield from _tencent(channels.tencent)
    if wecom := channels.wecom_app:
        yield Carrier.WECOM_APP, "channels.wecom_app", lambda: _wecom(wecom)
    if smtp := channels.smtp:
        yield Carrier.SMTP, "channels.smtp", lambda: _smtp(smtp)
    if sirens := channels.mqtt:
        yield Carrier.MQTT, "channels.mqtt", lambda: _sirens(sirens)
    if cap := channels.cap:
        yield Carrier.CAP, "channels.cap", lambda: _cap(cap, timezone)


def _aliyun(aliyun: Aliyun) -> Iterator[_Maker]:
    def key() -> AliyunKey:
        return AliyunKey(aliyun.key_id, _secret(aliyun.key_secret_file))

    if sms := aliyun.sms:
        yield Carrier.ALIYUN_SMS, "channels.aliyun.sms", lambda: AliyunSmsSettings(
            key(), sms.sign_name, *_texts(sms.template, sms.english, sms.sign_name), base_url=sms.base_url
        )  # fmt: skip
    if voice := aliyun.voice:
        yield Carrier.ALIYUN_VOICE, "channels.aliyun.voice", lambda: AliyunVoiceSettings(
            key(), *_texts(voice.template, voice.english), voice.shown_number, voice.plays, voice.base_url
        )  # fmt: skip


def _tencent(tencent: Tencent) -> Iterator[_Maker]:
    def key() -> TencentKey:
        return TencentKey(tencent.key_id, _secret(tencent.key_secret_file))

    if sms := tencent.sms:
        yield Carrier.TENCENT_SMS, "channels.tencent.sms", lambda: TencentSmsSettings(
            key(), sms.app_id, sms.sign_name, *_texts(sms.template, sms.english, sms.sign_name),
            sms.region, sms.base_url,
        )  # fmt: skip
    if voice := tencent.voice:
        yield Carrier.TENCENT_VOICE, "channels.tencent.voice", lambda: TencentVoiceSettings(
            key(), voice.app_id, *_texts(voice.template, voice.english), voice.plays, voice.region,
            voice.base_url,
        )  # fmt: skip


def _wecom(wecom: WecomApp) -> WecomAppSettings:
    return WecomAppSettings(
        wecom.corp_id, wecom.agent_id, _secret(wecom.secret_file), wecom.base_url.rstrip("/")
    )


def _smtp(smtp: Smtp) -> SmtpSettings:
    return SmtpSettings(
        host=smtp.host,
        sender=smtp.sender,
        port=smtp.port,
        security=smtp.security,
        user=smtp.user,
        password=_secret(smtp.password_file) if smtp.password_file else "",
        ca_file=smtp.ca_file,
    )


def _sirens(sirens: Sirens) -> MqttSettings:
    return MqttSettings(
        host=sirens.host,
        port=sirens.port,
        user=sirens.user,
        password=_secret(sirens.password_file) if sirens.password_file else "",
        tls=sirens.tls,
        ca_file=sirens.ca_file,
        version=sirens.version,
        expiry_s=sirens.expiry_s,
    )


def _cap(cap: Cap, timezone: str) -> CapSettings:
    return CapSettings(
        sender=cap.sender,
        sender_name=cap.sender_name,
        area=cap.area,
        timezone=timezone,
        exercise=cap.exercise,
        authorization=_secret(cap.authorization_file) if cap.authorization_file else "",
    )


def _texts(
    first: ApprovedText, english: ApprovedText | None, sign_name: str = ""
) -> tuple[Template, Template | None]:
    return _text(first, "template", sign_name), _text(english, "english", sign_name) if english else None


def _text(approved: ApprovedText, key: str, sign_name: str) -> Template:
    """Of a call where there is no signature."""
    variables = tuple(Variable(place.name, place.part, place.most) for place in approved.places)
    template = Template(approved.code, approved.text, variables, approved.carries_links)
    if sign_name:
        faults = faults_of(signed(template, sign_name))
    else:
        template = replace(template, in_all=_CALL_CHARS)
        faults = faults_of(template)
    if faults:
        raise _Broken(f"key `{key}`: {'; '.join(faults)}")
    return template


def _secret(path: str) -> str:
    """The first line of the file."""
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            secret = file.readline(_LONGEST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise _Broken(f"the secret in {path} cannot be read: {said}") from None
    if not secret:
        raise _Broken(f"the file {path} holds no secret")
    return secret
