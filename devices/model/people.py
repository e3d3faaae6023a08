"""Severities, and the words for people, places and the ways to reach them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How bad, worst first by `rank`. P0+ is confirmed fire; P3 is maintenance."""

    P0_PLUS = "P0+"
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def rank(self) -> int:
        """0 for P0+ down to 4 for P3: sorts worst first."""
        return _RANKS[self]


_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Role(StrEnum):
    """What a contact is to a place."""

    GRID_WORKER = "grid_worker"
    BUILDING_SECRETARY = "building_secretary"
    MICRO_STATION = "micro_station"
    FIRE_BRIGADE = "fire_brigade"
    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    MAINTENANCE = "maintenance"
    DUTY_DESK = "duty_desk"
    SUPERVISOR = "supervisor"
    VOLUNTEER = "volunteer"


class PlaceKind(StrEnum):
    """A level of the tree a binding can hang on, from the widest to the narrowest.

    `area` covers the five levels city, district, street, community and grid (`AreaLevel`).
    """

    AREA = "area"
    BUILDING = "building"
    STAIR = "stair"
    DWELLING = "dwelling"


class AreaLevel(StrEnum):
    """The five administrative levels, from the top."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


class Medium(StrEnum):
    """How a message meets a person."""

    PUSH = "push"
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"


class Carrier(StrEnum):
    """Which sender in `alerts/channels` carries it."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECOM_BOT = "wecom_bot"
    WECOM_APP = "wecom_app"
    SERVERCHAN = "serverchan"
    ALIYUN_SMS = "aliyun_sms"
    ALIYUN_VOICE = "aliyun_voice"
    TENCENT_SMS = "tencent_sms"
    TENCENT_VOICE = "tencent_voice"
    SMTP = "smtp"
    MQTT = "mqtt"
    CAP = "cap"
