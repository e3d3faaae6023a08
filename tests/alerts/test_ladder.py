from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.receipts import ReceiptState
from alerts.ladder import Rung, climbed

ACCEPTED = Rung("accepted", 5)
RECEIPTS = st.lists(st.tuples(st.sampled_from(ReceiptState), st.integers(6, 20)), max_size=6)


def after(rung: Rung, receipts: list[tuple[ReceiptState, int]]) -> Rung:
    for receipt, at_us in receipts:
        rung = climbed(rung, receipt, at_us, is_latest=True)
    return rung


@given(RECEIPTS, st.data(), st.sampled_from(["accepted", "waiting", "dead", "sending"]))
def test_whatever_the_order_and_however_often_they_come_receipts_end_on_one_rung(
    receipts: list[tuple[ReceiptState, int]], data: st.DataObject, state: str
) -> None:
    rung = Rung(state, 5 if state == "accepted" else None)
    again = data.draw(st.permutations(receipts))
    end = after(rung, receipts)
    assert after(rung, again)._replace(accepted_us=0) == end._replace(accepted_us=0)
    assert after(end, again)._replace(accepted_us=0) == end._replace(accepted_us=0)


@given(RECEIPTS, st.sampled_from(ReceiptState), st.integers(6, 20))
def test_nobody_climbs_down(receipts: list[tuple[ReceiptState, int]], one: ReceiptState, at_us: int) -> None:
    before = after(ACCEPTED, receipts)
    end = climbed(before, one, at_us, is_latest=True)
    assert (before.delivered_us is None) >= (end.delivered_us is None)
    assert (before.read_us is None) >= (end.read_us is None)
    assert end.read_us is None or end.delivered_us is not None
    assert end.delivered_us is None or end.state == "accepted"


def test_a_call_that_was_picked_up_counts_as_read() -> None:
    assert climbed(ACCEPTED, ReceiptState.ANSWERED, 9, is_latest=True) == Rung("accepted", 5, 9, 9)


def test_that_an_earlier_try_failed_says_nothing_of_the_latest() -> None:
    assert climbed(ACCEPTED, ReceiptState.FAILED, 9, is_latest=False) == ACCEPTED
    assert climbed(ACCEPTED, ReceiptState.FAILED, 9, is_latest=True).state == "undelivered"


@pytest.mark.parametrize("state", ["waiting", "dead", "undelivered"])
def test_a_try_whose_answer_was_lost_and_that_was_delivered_is_not_made_again(state: str) -> None:
    assert climbed(Rung(state), ReceiptState.DELIVERED, 9, is_latest=True) == Rung("accepted", 9, 9)


def test_a_message_under_way_stays_so() -> None:
    rung = climbed(Rung("sending"), ReceiptState.DELIVERED, 9, is_latest=True)
    assert rung == Rung("sending", None, 9)
