from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from alerts.addresses import Destination
from alerts.handover import Handover
from alerts.line import AT_ONCE, Line, Waiting
from devices.model import Carrier, Medium

WAY = Destination(Carrier.WEBHOOK, "http://x")


def message(number: int, contact: int, rank: int = 1, channel: int = 0) -> Handover:
    """The `number`th to be created, through the contact's only channel unless told."""
    return Handover(
        notification_id=number,
        n=1,
        key=str(number),
        incident_id=1,
        contact_id=contact,
        channel_id=channel or contact,
        medium=Medium.PUSH,
        rank=rank,
        text="",
        link="",
        created_us=number,
        started_us=number,
    )


def line_of(*messages: Handover) -> Line:
    line = Line()
    for one in messages:
        line.join(one, WAY)
    return line


def sent_one_by_one(line: Line) -> list[int]:
    """The numbers in the order in which a single sender takes them."""
    order = []
    while (one := line.take()) is not None:
        order.append(one.handover.notification_id)
        line.end(one)
    return order


def take_one(line: Line) -> int:
    one = line.take()
    assert one is not None
    line.end(one)
    return one.handover.notification_id


def test_every_contacts_first_message_goes_before_anyones_second() -> None:
    line = line_of(message(1, 7), message(2, 7), message(3, 7), message(4, 8), message(5, 9), message(6, 8))
    assert sent_one_by_one(line) == [1, 4, 5, 2, 6, 3]


def test_whoever_comes_later_with_a_first_message_is_next() -> None:
    line = line_of(*(message(n, 7) for n in range(100)))
    for _ in range(40):
        take_one(line)
    line.join(message(100, 8), WAY)
    assert sent_one_by_one(line)[:2] == [100, 40]


def test_a_contact_who_comes_late_with_many_takes_turns_with_those_who_wait() -> None:
    line = line_of(*(message(n, 7) for n in range(100)))
    assert [take_one(line) for _ in range(40)] == list(range(40))
    for n in range(100, 104):
        line.join(message(n, 8), WAY)
    assert [take_one(line) for _ in range(7)] == [100, 40, 101, 41, 102, 42, 103]


def test_a_contact_who_keeps_coming_with_one_message_pushes_nobody_back() -> None:
    line = line_of(message(1, 7), message(2, 7), message(3, 7), message(4, 8))
    taken = []
    for n in range(5, 9):
        taken.append(take_one(line))
        line.join(message(n, 9), WAY)
    assert taken + [take_one(line) for _ in range(4)] == [1, 4, 5, 2, 6, 3, 7, 8]


def test_the_more_severe_goes_first_whoever_it_is_for() -> None:
    assert sent_one_by_one(line_of(message(1, 8), message(2, 7), message(3, 7, rank=0))) == [3, 1, 2]


def test_a_channel_that_is_busy_costs_the_others_nothing() -> None:
    line = line_of(*(message(n, 7) for n in range(50)), message(50, 8))
    taken = [one.handover.notification_id for one in iter(line.take, None) if one]
    assert taken == [0, 50, 1]


def test_the_end_of_a_send_lets_the_channels_first_follow() -> None:
    line = line_of(*(message(n, 7) for n in range(5)))
    first, second = line.take(), line.take()
    assert first and second and line.take() is None
    line.join(message(9, 7, rank=0), WAY)
    line.end(second)
    follower = line.take()
    assert follower is not None and follower.handover.notification_id == 9
    assert line.take() is None


MESSAGES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(1, 2)), max_size=40)


@given(MESSAGES, st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_everything_is_taken_once_and_never_too_many_through_one_channel(
    described: list[tuple[int, int, int]], width: int, share: int, chance: Random
) -> None:
    """Ends come in any order, messages join in between."""
    waiting = [message(n, c, rank, c * 10 + way) for n, (rank, c, way) in enumerate(described)]
    line, under_way, seen = Line(share), list[Waiting](), list[int]()
    while waiting or under_way or len(seen) < len(described):
        if waiting:
            line.join(waiting.pop(0), WAY)
        while len(under_way) < width and (one := line.take()) is not None:
            under_way.append(one)
            seen.append(one.handover.notification_id)
        busy = Counter(one.handover.channel_id for one in under_way)
        assert all(count <= AT_ONCE for count in busy.values()) and len(under_way) <= share
        assert under_way or waiting or len(seen) == len(described)
        if under_way and (not waiting or chance.random() < 0.5):
            line.end(under_way.pop(chance.randrange(len(under_way))))
    assert sorted(seen) == list(range(len(described)))
    assert line.take() is None
    assert not any((line._heap, line._aside, line._under_way, line._last))


@given(MESSAGES)
def test_messages_of_one_contact_and_severity_keep_their_order(described: list[tuple[int, int, int]]) -> None:
    line = line_of(*(message(n, contact, rank) for n, (rank, contact, _) in enumerate(described)))
    by_whom: dict[tuple[int, int], list[int]] = {}
    for n in sent_one_by_one(line):
        by_whom.setdefault(described[n][:2], []).append(n)
    assert all(numbers == sorted(numbers) for numbers in by_whom.values())


SMS = Destination(Carrier.APPRISE, "13900000000")


def test_a_provider_that_does_not_answer_leaves_the_others_their_share() -> None:
    line = Line(share=4)
    for n in range(20):
        line.join(message(n, contact=n), SMS)
    line.join(message(99, contact=99), WAY)
    taken = [one.handover.notification_id for one in iter(line.take, None) if one]
    assert taken == [0, 1, 2, 3, 99]


def test_the_end_of_a_send_lets_the_providers_next_follow() -> None:
    line = Line(share=2)
    for n in range(4):
        line.join(message(n, contact=n), SMS)
    first = line.take()
    assert first and line.take() and line.take() is None
    line.end(first)
    follower = line.take()
    assert follower is not None and follower.handover.notification_id == 2
    assert line.take() is None


def test_web_addresses_of_one_carrier_are_of_different_providers_by_their_host() -> None:
    line = Line(share=1)
    line.join(message(1, 1), Destination(Carrier.WEBHOOK, "http://a.example/x"))
    line.join(message(2, 2), Destination(Carrier.WEBHOOK, "http://b.example/x"))
    line.join(message(3, 3), Destination(Carrier.WEBHOOK, "http://a.example/y"))
    assert [one.handover.notification_id for one in iter(line.take, None) if one] == [1, 2]


def looked_at(line: Line) -> list[int]:
    return [one.handover.notification_id for one in line.give_up()]


def test_who_stands_aside_for_a_provider_that_does_not_answer_is_let_go_at_the_third_look() -> None:
    line = Line(share=1)
    for n in range(4):
        line.join(message(n, contact=n), SMS)
    line.join(message(99, contact=99), WAY)
    hanging = line.take()
    assert hanging and line.take() and line.take() is None
    assert [looked_at(line) for _ in range(4)] == [[], [], [1, 2, 3], []]
    line.end(hanging)
    assert line.take() is None


def test_what_waits_is_all_that_has_not_been_taken_or_let_go() -> None:
    line = line_of(*(message(n, 7) for n in range(5)), message(5, 8))
    seen = [sorted(one.handover.notification_id for one in line.waiting())]
    while line.take():
        seen.append(sorted(one.handover.notification_id for one in line.waiting()))
    assert seen == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4], [2, 3, 4]]
    assert [looked_at(line) for _ in range(3)] == [[], [], [2, 3, 4]]
    assert line.waiting() == []


def test_whoever_answers_now_and_then_keeps_its_line() -> None:
    line = Line(share=1)
    for n in range(20):
        line.join(message(n, contact=n), SMS)
    while one := line.take():
        assert line.take() is None
        assert [looked_at(line) for _ in range(2)] == [[], []]
        line.end(one)


def test_a_later_try_keeps_its_place_behind_a_provider_that_does_not_answer() -> None:
    line = Line(share=1)
    for n in range(5):
        line.join(replace(message(n, contact=n), n=1 + n % 2), SMS)
    first = line.take()
    assert first and line.take() is None
    assert [looked_at(line) for _ in range(3)] == [[], [], [2, 4]]
    line.end(first)
    second = line.take()
    assert second and second.handover.notification_id == 1
    line.end(second)
    third = line.take()
    assert third and third.handover.notification_id == 3
