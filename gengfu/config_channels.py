"""`[channels]`: what the site's accounts with providers are. Secrets lie in files of their own.

A channel whose table is missing carries nothing here; messages through it fail with that reason and go on by
the contact's next way. Chat robots and webhooks need no table: a contact's address says it all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta, Struct, field
from msgspec.structs import fields, replace

Name = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Plays = Annotated[int, Meta(ge=1, le=3)]
Web = Annotated[str, Meta(pattern=r"^https?://\S+\Z")]


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """A place of a template: its `name` in the provider's text, the part of the message that fills it, and
    how many characters it takes."""

    name: Name
    part: Name
    most: Annotated[int, Meta(ge=1, le=500)] = 20


class ApprovedText(Struct, frozen=True, forbid_unknown_fields=True):
    """A text that the provider approved, word for word, with its `code` there. `carries_links`: it was
    approved for values with web addresses."""

    code: Name
    text: Name
    places: tuple[Place, ...]
    carries_links: bool = False


class AliyunSms(Struct, frozen=True, forbid_unknown_fields=True):
    """SMS through Aliyun. `english` is for contacts who read English; without it they get `template`."""

    sign_name: Name
    template: ApprovedText
    english: ApprovedText | None = None
    base_url: Web = "https://dysmsapi.aliyuncs.com"


class AliyunVoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls through Aliyun. `shown_number` is what the phone shows: a number bought there."""

    template: ApprovedText
    english: ApprovedText | None = None
    shown_number: str = ""
    plays: Plays = 3
    base_url: Web = "https://dyvmsapi.aliyuncs.com"


class Aliyun(Struct, frozen=True, forbid_unknown_fields=True):
    """An Aliyun account: an access key, best of a RAM user that may do nothing else."""

    key_id: Name
    key_secret_file: Name
    sms: AliyunSms | None = None
    voice: AliyunVoice | None = None


class TencentSms(Struct, frozen=True, forbid_unknown_fields=True):
    """SMS through Tencent Cloud."""

    app_id: Name
    sign_name: Name
    template: ApprovedText
    english: ApprovedText | None = None
    region: Name = "ap-guangzhou"
    base_url: Web = "https://sms.tencentcloudapi.com"


class TencentVoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Calls through Tencent Cloud."""

    app_id: Name
    template: ApprovedText
    english: ApprovedText | None = None
    plays: Plays = 3
    region: Name = "ap-guangzhou"
    base_url: Web = "https://vms.tencentcloudapi.com"


class Tencent(Struct, frozen=True, forbid_unknown_fields=True):
    """A Tencent Cloud account: an API key, best of a sub-account that may do nothing else."""

    key_id: Name
    key_secret_file: Name
    sms: TencentSms | None = None
    voice: TencentVoice | None = None


class WecomApp(Struct, frozen=True, forbid_unknown_fields=True):
    """An application of the company's in WeCom, that writes to its members."""

    corp_id: Name
    agent_id: Annotated[int, Meta(ge=1)]
    secret_file: Name
    base_url: Web = "https://qyapi.weixin.qq.com"


class Smtp(Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server. `security`: tls (465), starttls (587), or none (25, inside one machine)."""

    host: Name
    sender: Name
    port: Port = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""


class Sirens(Struct, frozen=True, forbid_unknown_fields=True):
    """The broker of the sirens and sounders that a contact's way of carrier `mqtt` names by topic."""

    host: Name
    port: Port = 1883
    user: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    version: Literal["5", "3.1.1"] = "5"
    expiry_s: Annotated[int, Meta(ge=1, le=86_400)] = 300


class Cap(Struct, frozen=True, forbid_unknown_fields=True):
    """Who we are to platforms that take CAP 1.2. `area` is said where an alarm has no place; with `exercise`
    every message is one, for a platform that is tried out. `authorization_file` holds the value of the
    header Authorization."""

    sender: Name
    sender_name: Name
    area: str = ""
    exercise: bool = False
    authorization_file: str = ""


MOST_MESSAGES: Final = 1_000_000
"""What a limit lets through at most (chosen: what says more is no limit)."""


class OwnLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `most` messages in any `per_s` seconds."""

    most: Annotated[int, Meta(ge=1, le=MOST_MESSAGES)]
    per_s: Annotated[int, Meta(ge=1, le=86_400)]


LimitList = Annotated[tuple[OwnLimit, ...], Meta(max_length=6)]


class OwnLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a carrier granted this site: of one address (a robot, a telephone), and of the whole account. What
    the carrier says of itself (`alerts.channels.intake`) stays for every `per_s` that is not named here."""

    address: LimitList = ()
    account: LimitList = ()


class CarrierLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """By carrier; `gengfu.channel_limits` says what is too little and too much."""

    dingtalk: OwnLimits | None = None
    feishu: OwnLimits | None = None
    wecom_bot: OwnLimits | None = None
    wecom_app: OwnLimits | None = None
    aliyun_sms: OwnLimits | None = None
    aliyun_voice: OwnLimits | None = None
    tencent_sms: OwnLimits | None = None
    tencent_voice: OwnLimits | None = None


class Channels(Struct, frozen=True, forbid_unknown_fields=True):
    """The site's accounts with providers, and how much they take."""

    aliyun: Aliyun | None = None
    tencent: Tencent | None = None
    wecom_app: WecomApp | None = None
    smtp: Smtp | None = None
    mqtt: Sirens | None = None
    cap: Cap | None = None
    limits: CarrierLimits = field(default_factory=CarrierLimits)


FILES: Final = ("key_secret_file", "secret_file", "password_file", "ca_file", "authorization_file")
"""Keys that name files; relative ones are taken from the configuration's folder."""
_S = TypeVar("_S", bound=Struct)


def settled_files(table: _S, absolute: Callable[[str], str]) -> _S:
    """`table` and all tables in it with the names of files made absolute; empty ones stay empty."""
    changed: dict[str, object] = {}
    for one in fields(table):
        value = getattr(table, one.name)
        if one.name in FILES:
            changed[one.name] = absolute(value)
        elif isinstance(value, Struct):
            changed[one.name] = settled_files(value, absolute)
    return replace(table, **changed)
