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


def test_a_list_takes_the_place_of_that_of_its_carrier_and_no_other() -> None:
    limits = limits_of(parse_config(GRANTED, "x").channels)
    assert limits[Carrier.ALIYUN_VOICE].address == (Limit(3, 60), Limit(20, 3600), Limit(60, 86_400))
    assert not limits[Carrier.ALIYUN_VOICE].binding
    robots = limits[Carrier.DINGTALK]
    assert (robots.address, robots.account, robots.binding) == ((Limit(40, 60),), (Limit(100, 60),), True)
    assert limits[Carrier.FEISHU] == LIMITS[Carrier.FEISHU]
    assert limits_of(Channels()) == LIMITS


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
         "lets 1 through in 60 s; the carrier says 20 of itself, 2 to 2000 are allowed"),
        ("dingtalk.address = [{ most = 2001, per_s = 60 }]", "lets 2001 through in 60 s"),
        ("dingtalk.address = [{ most = 50, per_s = 1 }]", "lets 3000 through in 60 s"),
        ("aliyun_voice.address = [{ most = 9, per_s = 60 }]", "lets 540 through in 3600 s"),
        ("dingtalk.account = [{ most = 19, per_s = 60 }]", "lets 19 through in a minute; 20 and more"),
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
