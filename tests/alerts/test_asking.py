from __future__ import annotations

from itertools import pairwise

import pytest

from alerts.asking import first_ask_us, next_ask_us
from devices.model import Carrier

MINUTE = 60_000_000
ASKED = [Carrier.ALIYUN_SMS, Carrier.ALIYUN_VOICE, Carrier.TENCENT_SMS]


@pytest.mark.parametrize("carrier", ASKED)
def test_a_message_is_asked_about_ever_less_often_and_no_more_after_three_days(carrier: Carrier) -> None:
    asked, at_us = [], first_ask_us(carrier, 0)
    while at_us is not None:
        asked.append(at_us)
        at_us = next_ask_us(carrier, 0, at_us)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) < 10 and all(gap > 0 for gap in gaps)
    assert asked[0] <= 4 * MINUTE and asked[-1] < 72 * 60 * MINUTE


@pytest.mark.parametrize("carrier", [one for one in Carrier if one not in ASKED])
def test_others_are_not_asked_about_one_message(carrier: Carrier) -> None:
    assert first_ask_us(carrier, 0) is None


def test_after_an_absence_it_is_asked_once() -> None:
    assert next_ask_us(Carrier.ALIYUN_SMS, 0, 10 * MINUTE) == 15 * MINUTE
