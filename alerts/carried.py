"""A message as the person reads it by one carrier, with what a provider's approved template fixes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.aliyun_voice import AliyunVoiceSettings
from alerts.channels.carriers import Account
from alerts.channels.templates import Piece, Reading, for_reader, reading_of, signed
from alerts.channels.tencent_sms import TencentSmsSettings
from alerts.channels.tencent_voice import TencentVoiceSettings
from alerts.whole_parts import whole_parts
from devices.model import Carrier


def carried(
    carrier: Carrier,
    account: Account | None,
    message: tuple[str, Mapping[str, str]],
    link: str,
    language: str,
) -> Reading:
    """What is read. `message` is the text and its pieces. Of carriers without templates: the text, then the
    link on a line of its own; a siren gets the text alone."""
    text, parts = message
    filling = whole_parts(parts, text, link, carrier, language)
    match account:
        case AliyunSmsSettings() | TencentSmsSettings():
            template = signed(for_reader(account.template, account.english, language), account.sign_name)
            reading = reading_of(template, filling)
            sign = Piece(f"【{account.sign_name}】")
            return Reading(sign.text + reading.text, (sign, *reading.pieces), reading.exceeding)
        case AliyunVoiceSettings() | TencentVoiceSettings():
            return reading_of(for_reader(account.template, account.english, language), filling)
        case _:
            below = f"\n{link}" if link and carrier is not Carrier.MQTT else ""
            return Reading(text + below, (Piece(text + below, "text"),), ())
