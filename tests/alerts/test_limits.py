"""No stretch of time has more than the carrier takes, and lesser messages leave a reserve to urgent ones."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alerts.limits import KEPT, Allowance, Limit, Limits
from devices.model import Carrier

MINUTE = 60_000_000
CALLS = Limits(address=(Limit(1, 60), Limit(5, 3600), Limit(20, 86_400)))
ROBOT = Limits(address=(Limit(20, 60),))


def allowance(limits: Limits, *, binding: bool = True) -> Allowance:
    return Allowance({Carrier.APPRISE: replace(limits, binding=binding)})


@given(
    st.lists(st.tuples(st.integers(0, 40_000_000), st.booleans(), st.sampled_from("ab")), max_size=200),
    st.integers(1, 8),
)
def test_no_stretch_has_more_than_the_limit(asked: list[tuple[int, bool, str]], count: int) -> None:
    one = allowance(Limits((Limit(count, 60),)))
    sent: dict[str, list[tuple[int, bool]]] = {"a": [], "b": []}
    now_us = 0
    for after_us, urgent, address in asked:
        now_us += after_us
        if one.wait_us(Carrier.APPRISE, address, now_us, urgent=urgent) == 0:
            sent[address].append((now_us, urgent))
    for times in sent.values():
        for at_us, urgent in times:
            before = [t for t, _ in times if at_us - MINUTE < t <= at_us]
            assert len(before) <= count
            assert urgent or len(before) <= Limit(count, 60).for_lesser


@given(st.integers(1, 30), st.integers(0, 59_000_000), st.booleans())
def test_who_waits_as_long_as_told_is_let_through(count: int, late_us: int, urgent: bool) -> None:
    one = allowance(Limits((Limit(count, 60),)))
    while one.wait_us(Carrier.APPRISE, "a", 0, urgent=urgent) == 0:
        pass
    wait_us = one.wait_us(Carrier.APPRISE, "a", late_us, urgent=urgent)
    assert 0 < wait_us <= MINUTE
    assert one.wait_us(Carrier.APPRISE, "a", late_us + wait_us - 1, urgent=urgent) == 1
    assert one.wait_us(Carrier.APPRISE, "a", late_us + wait_us, urgent=urgent) == 0


def test_lesser_messages_leave_three_in_ten_to_urgent_ones() -> None:
    one = allowance(ROBOT)
    assert [one.wait_us(Carrier.APPRISE, "a", 0, urgent=False) for _ in range(15)] == [0] * 14 + [MINUTE]
    assert [one.wait_us(Carrier.APPRISE, "a", 0, urgent=True) for _ in range(7)] == [0] * 6 + [MINUTE]


def test_each_of_several_limits_is_kept_and_a_refused_call_counts_against_none() -> None:
    one = allowance(CALLS)
    called = [m for m in range(120) if one.wait_us(Carrier.APPRISE, "138", m * MINUTE, urgent=True) == 0]
    assert called == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]


def test_one_address_does_not_use_up_anothers_and_the_account_is_shared() -> None:
    one = allowance(Limits(address=(Limit(1, 60),), account=(Limit(2, 60),)))
    assert [one.wait_us(Carrier.APPRISE, who, 0, urgent=True) > 0 for who in "abc"] == [False, False, True]


def test_a_carrier_without_limits_takes_everything() -> None:
    one = allowance(ROBOT)
    assert all(one.wait_us(Carrier.WEBHOOK, "x", 0, urgent=False) == 0 for _ in range(1000))


def test_a_clock_that_was_put_back_blocks_nobody() -> None:
    one = allowance(Limits((Limit(1, 60),)))
    assert one.wait_us(Carrier.APPRISE, "a", 10 * MINUTE, urgent=True) == 0
    assert one.wait_us(Carrier.APPRISE, "a", 5 * MINUTE, urgent=True) == 0


def test_what_is_remembered_is_bounded_and_the_last_used_stays() -> None:
    one = allowance(Limits((Limit(1, 60),)))
    for n in range(KEPT + 10):
        one.wait_us(Carrier.APPRISE, str(n), 0, urgent=True)
    assert one.wait_us(Carrier.APPRISE, str(KEPT + 9), 1, urgent=True) > 0
    assert one.wait_us(Carrier.APPRISE, "0", 1, urgent=True) == 0


def test_a_fire_asks_a_carrier_that_only_refuses_and_lesser_messages_wait() -> None:
    one = allowance(CALLS, binding=False)
    assert one.wait_us(Carrier.APPRISE, "138", 0, urgent=False) == 0
    assert one.wait_us(Carrier.APPRISE, "138", 1_000_000, urgent=True) == 0
    assert one.wait_us(Carrier.APPRISE, "138", 2_000_000, urgent=False) == 59_000_000


def test_what_never_reached_the_carrier_does_not_count() -> None:
    one = allowance(Limits((Limit(1, 60),)))
    assert one.wait_us(Carrier.APPRISE, "a", 5, urgent=True) == 0
    one.give_back(Carrier.APPRISE, "a", 5)
    assert one.wait_us(Carrier.APPRISE, "a", 6, urgent=True) == 0
    one.give_back(Carrier.APPRISE, "a", 5)
    assert one.wait_us(Carrier.APPRISE, "a", 7, urgent=True) > 0
