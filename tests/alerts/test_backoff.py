from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.backoff import delay_s

P0, P1, P2 = 1, 2, 3
ranks = st.integers(0, 4)


def total_s(rank: int) -> float:
    delays: list[float] = []
    while (delay := delay_s(rank, len(delays) + 1)) is not None:
        delays.append(delay)
    return sum(delays)


def test_an_urgent_message_is_tried_again_after_2_4_8_15_and_then_every_30_s() -> None:
    assert [delay_s(P0, n) for n in range(1, 8)] == [2, 4, 8, 15, 30, 30, 30]


def test_an_urgent_message_is_tried_for_half_an_hour() -> None:
    assert 1800 <= total_s(P0) < 1860


def test_lesser_messages_are_tried_less_often_and_for_longer() -> None:
    assert total_s(P2) > total_s(P1) > total_s(P0)


@given(ranks, st.integers(1, 20))
def test_the_lesser_the_severity_the_longer_the_wait(rank: int, attempts: int) -> None:
    worse, lesser = delay_s(rank, attempts), delay_s(rank + 1, attempts)
    assert worse is not None and lesser is not None and worse <= lesser


@given(ranks, st.integers(1, 20), st.floats(0, 1e9))
def test_a_providers_wish_never_shortens_the_wait_and_is_bounded(
    rank: int, attempts: int, wish: float
) -> None:
    plain, asked = delay_s(rank, attempts), delay_s(rank, attempts, wish)
    assert plain is not None and asked is not None
    assert plain <= asked <= max(plain, 3600)


def test_a_fire_waits_a_minute_at_most_for_a_provider() -> None:
    assert delay_s(P0, 1, 7.0) == 7
    assert delay_s(P0, 1, 3600.0) == 60
    assert delay_s(P2, 1, 3600.0) == 3600
