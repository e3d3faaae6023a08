"""Addresses of people as text: one form for look-ups, a masked form for screens. Pure.

An address is a phone number, an e-mail address or a URL of a messaging service.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from devices.model import Carrier

_SERVICE: Final = re.compile(r"[a-z][a-z0-9+.-]*:///*[^\s/]\S*", re.IGNORECASE)
"""A scheme and something behind it; which schemes there are, Apprise knows."""
_PUNCTUATION: Final = re.compile(r"[\s\-‐-―().·]+")
"""What people put between digits: blanks, hyphens and dashes, brackets, dots."""
_PHONE: Final = re.compile(r"\+?\d{3,}")
_CHINA: Final = re.compile(r"^(?:\+86|0086)+")
_TRUNK_ZERO: Final = re.compile(r"^0(?=[1-9]\d{8,}$)")
"""The 0 before an area code, dialled inside the country only: 010-… and +86 10 … are one number."""


_WEB: Final = "http:// or https:// with a host, without blanks"
_NUMBER: Final = "a telephone number of 5 to 15 digits, with + and country code outside mainland China"
ALLOWED: Final = {
    Carrier.WEBHOOK: f"{_WEB}; a key that signs may follow after #",
    Carrier.APPRISE: "scheme://… as Apprise writes its services, without blanks",
    Carrier.DINGTALK: f"the robot's address, {_WEB}; its signing key may follow after #",
    Carrier.FEISHU: f"the bot's address, {_WEB}; its signing key may follow after #",
    Carrier.WECOM_BOT: f"the bot's address, {_WEB}",
    Carrier.WECOM_APP: "the member's account in WeCom: up to 64 letters, digits and . _ - @",
    Carrier.SERVERCHAN: f"the sending address with its key, {_WEB}",
    Carrier.ALIYUN_SMS: _NUMBER,
    Carrier.ALIYUN_VOICE: _NUMBER,
    Carrier.TENCENT_SMS: _NUMBER,
    Carrier.TENCENT_VOICE: _NUMBER,
    Carrier.SMTP: "an e-mail address",
    Carrier.MQTT: "an MQTT topic without + and #, up to 200 bytes",
    Carrier.CAP: _WEB,
}
"""What each carrier takes for an address, in words."""
_MEMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_E_MAIL: Final = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,190}")
_DIGITS: Final = range(5, 16)
"""ITU-T E.164: at most 15 digits. Short numbers of a company have 5 (chosen)."""


def can_carry(carrier: Carrier, address: str) -> bool:
    """Whether the address has the form that the carrier needs. Not whether anybody answers there."""
    return _FORMS.get(carrier, _is_web)(address)


def _is_service(address: str) -> bool:
    return _SERVICE.fullmatch(address) is not None


def _is_number(address: str) -> bool:
    digits = _phone_digits(unicodedata.normalize("NFKC", address).strip())
    return digits is not None and len(digits.lstrip("+")) in _DIGITS


def _is_member(address: str) -> bool:
    return _MEMBER.fullmatch(address) is not None


def _is_e_mail(address: str) -> bool:
    return _E_MAIL.fullmatch(address) is not None


def _is_topic(address: str) -> bool:
    return 0 < len(address.encode()) <= 200 and not set(address) & set("+#\0") and address.isprintable()


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0  # reading it also refuses what is no port
            and not any(letter.isspace() for letter in address)
        )
    except ValueError:
        return False


def normalise_address(text: str) -> str:
    """The one form of an address, for comparing only (never for sending). Idempotent.

    Phone numbers lose punctuation, the Chinese country code in both spellings and the trunk zero; `00`
    before another country becomes `+`. E-mail addresses become lower-case. Of URLs only scheme and host
    become lower-case: paths and tokens may mean something in upper case.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if "://" in plain:
        return _normalise_url(plain)
    digits = _phone_digits(plain)
    if digits is not None:
        return _normalise_phone(digits)
    return plain.lower() if "@" in plain else plain


def _phone_digits(plain: str) -> str | None:
    digits = _PUNCTUATION.sub("", plain)
    return digits if _PHONE.fullmatch(digits) and digits.isascii() else None


def _normalise_phone(digits: str) -> str:
    domestic = _CHINA.sub("", digits)
    if domestic.startswith("00"):
        return "+" + domestic[2:].lstrip("0")
    return _TRUNK_ZERO.sub("", domestic)


def _normalise_url(plain: str) -> str:
    try:
        parts = urlsplit(plain)
    except ValueError:  # such as an unfinished IPv6 host: then it is compared as written
        return plain
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user + at + host.lower()))


def mask(name_or_number: str) -> str:
    """A form for screens and logs that a colleague recognises and a stranger learns nothing from.

    `王小明` → `王**`, `13800001234` → `138****1234`, `a.b@example.org` → `a**@example.org`; of a URL only
    the service remains. Names of one letter and short numbers are hidden whole.
    """
    plain = unicodedata.normalize("NFKC", name_or_number).strip()
    if "://" in plain:
        return plain.split("://", 1)[0] + "://**"
    digits = _phone_digits(plain)
    if digits is not None:
        return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else f"****{digits[-2:]}"
    if "@" in plain:
        user, host = plain.rsplit("@", 1)
        return f"{user[:1]}**@{host}"
    return f"{plain[0]}**" if len(plain) > 1 else "**"


_FORMS: Final = {
    Carrier.APPRISE: _is_service,
    Carrier.WECOM_APP: _is_member,
    Carrier.ALIYUN_SMS: _is_number,
    Carrier.ALIYUN_VOICE: _is_number,
    Carrier.TENCENT_SMS: _is_number,
    Carrier.TENCENT_VOICE: _is_number,
    Carrier.SMTP: _is_e_mail,
    Carrier.MQTT: _is_topic,
}
"""All others take web addresses."""
