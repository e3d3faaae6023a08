from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.handover import Handover
from alerts.patience import LOOKS, Patience
from devices.model import Medium


def send(number: int, n: int = 1) -> Handover:
    return Handover(number, n, "", 1, 1, 1, Medium.SMS, 1, "", "", 0, 0)


def test_a_send_is_slow_once_and_not_before_it_was_seen_at_so_many_looks() -> None:
    patience = Patience()
    found = [patience.look([send(1)]) for _ in range(3 * LOOKS)]
    assert [number for number, slow in enumerate(found, 1) if slow] == [LOOKS]


def test_another_try_of_the_same_message_is_another_send() -> None:
    patience = Patience()
    for _ in range(LOOKS - 1):
        assert patience.look([send(1)]) == []
    assert patience.look([send(1, n=2)]) == []


@given(st.lists(st.sets(st.integers(1, 5)), max_size=40))
def test_each_stretch_under_way_is_told_at_its_fourth_look_and_never_again(looks: list[set[int]]) -> None:
    patience, lasted = Patience(), dict[int, int]()
    for under_way in looks:
        found = {one.notification_id for one in patience.look(map(send, under_way))}
        lasted = {number: lasted.get(number, 0) + 1 for number in under_way}
        assert found == {number for number, times in lasted.items() if times == LOOKS}
