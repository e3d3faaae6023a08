"""What an account was granted, in the place of what its carrier says of itself."""

from __future__ import annotations

import pytest

from alerts.channels.intake import LIMITS
from alerts.limits import Allowance, Limit
from devices.model import Carrier
from gengfu.channel_limits import limits_of
from gengfu.config_channels import Channels
from gengfu.config_file import ConfigError, parse_config

GRANTED = """
[channels.limits.aliyun_voice]
address = [{ most = 3, per_s = 60 }, { most = 20, per_s = 3600 }, { most = 60, per_s = 86400 }]
[channels.limits.dingtalk]
address = [{ most = 40, per_s = 60 }]
account = [{ most = 100, per_s = 60 }]
"""
NOW = 1_700_000_000_000_000


def test_a_limit_takes_the_place_of_that_of_its_carrier_and_no_other() -> None:
    limits = limits_of(parse_config(GRANTED, "x").channels)
    assert limits[Carrier.ALIYUN_VOICE].address == (Limit(3, 60), Limit(20, 3600), Limit(60, 86_400))
    assert not limits[Carrier.ALIYUN_VOICE].binding
    robots = limits[Carrier.DINGTALK]
    assert (robots.address, robots.account, robots.binding) == ((Limit(40, 60),), (Limit(100, 60),), True)
    assert limits[Carrier.FEISHU] == LIMITS[Carrier.FEISHU]
    assert limits_of(Channels()) == LIMITS


def test_what_the_carrier_says_stays_for_stretches_that_are_not_named() -> None:
    said = "[channels.limits.aliyun_voice]\naddress = [{ most = 10, per_s = 3600 }]\n"
    voice = limits_of(parse_config(said, "x").channels)[Carrier.ALIYUN_VOICE]
    assert voice.address == (Limit(1, 60), Limit(10, 3600), Limit(20, 86_400))


A_DAY = [
    (Carrier.DINGTALK, "address", 2_880),
    (Carrier.FEISHU, "address", 14_400),
    (Carrier.WECOM_BOT, "address", 2_880),
    (Carrier.WECOM_APP, "address", 2_400),
    *((carrier, "account", 480) for carrier, limits in LIMITS.items() if limits.binding),
]


@pytest.mark.parametrize(("carrier", "key", "most"), A_DAY)
def test_a_limit_of_ones_own_for_a_day_holds_up_no_fire(carrier: Carrier, key: str, most: int) -> None:
    said = f"[channels.limits.{carrier}]\n{key} = [{{ most = {most}, per_s = 86400 }}]\n"
    one = Allowance(limits_of(parse_config(said, "x").channels))
    every_us = 4_000_000  # slowly enough for what the carriers say of a minute and an hour
    told = [one.wait_us(carrier, "a", NOW + n * every_us, urgent=True) for n in range(most + 10)]
    assert told == [0] * (most + 10)
    hours_us = one.wait_us(carrier, "a", NOW + (most + 10) * every_us, urgent=False)
    assert hours_us > 3_600_000_000  # the day is full: lesser ones wait


def test_the_part_for_fires_stays_of_every_limit() -> None:
    one = Allowance(limits_of(parse_config(GRANTED, "x").channels))
    robot = Carrier.DINGTALK, "https://robot.example"
    taken = [one.wait_us(*robot, NOW + n, urgent=False) == 0 for n in range(40)]
    assert taken.count(True) == 28
    assert [one.wait_us(*robot, NOW + 50 + n, urgent=True) == 0 for n in range(13)].count(True) == 12


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("dingtalk.address = [{ most = 1, per_s = 60 }]",
         "`channels.limits.dingtalk.address[0].most`: lets 1 through in 60 s; the carrier says 20 of itself,"
         " 2 to 2000 are allowed"),
        ("dingtalk.address = [{ most = 20, per_s = 60 }, { most = 2, per_s = 86400 }]",
         "address[1].most`: lets 2 through in 86400 s; the carrier says 28800 of itself, 2880 to 1000000"),
        ("wecom_app.address = [{ most = 100, per_s = 86400 }]", "24000 of itself, 2400 to"),
        ("wecom_app.account = [{ most = 20, per_s = 86400 }]",
         "account[0].most`: lets 20 through in 86400 s; 480 and more are allowed"),
        ("dingtalk.address = [{ most = 2001, per_s = 60 }]", "lets 2001 through in 60 s"),
        ("aliyun_voice.address = [{ most = 101, per_s = 60 }]", "lets 101 through in 60 s"),
        ("aliyun_sms.address = [{ most = 4, per_s = 86400 }]", "5 to 5000 are allowed"),
        ("dingtalk.account = [{ most = 19, per_s = 60 }]", "lets 19 through in 60 s; 20 and more"),
        ("dingtalk.account = [{ most = 1, per_s = 6 }]", "lets 1 through in 6 s; 2 and more"),
        ("dingtalk.account = [{ most = 50, per_s = 9 }, { most = 60, per_s = 9 }]", "each `per_s` once"),
        ("dingtalk.address = [{ most = 0, per_s = 60 }]", "key `channels.limits.dingtalk.address[0].most`"),
        ("dingtalk.address = [{ most = 5, per_s = 86401 }]", "`channels.limits.dingtalk.address[0].per_s`"),
        ("webhook.address = []", "unknown key `channels.limits.webhook`; allowed here: dingtalk"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(said: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(f"[channels.limits]\n{said}\n", "gengfu.toml")
    assert why in str(refused.value)
