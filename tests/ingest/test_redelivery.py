"""The tail finds every message sent again, and takes no new one for an old one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.redelivery import Tail, checksum
from ingest.source import Progress, RawBatch

START = Progress(session=0, commits=0, confirmed=0)


def _raw(*messages: tuple[int, bytes], dup: bool = False, epoch: int = 1) -> RawBatch:
    n = len(messages)
    return RawBatch(
        received_us=0,
        epoch=epoch,
        topics=["t"] * n,
        payloads=[payload for _, payload in messages],
        packet_ids=[packet_id for packet_id, _ in messages],
        retain=[False] * n,
        dup=[dup] * n,
        queued=False,
    )


def _journal(tail: Tail, raw: RawBatch, progress: Progress) -> Progress:
    """One tick: the progress after the commit."""
    split = tail.split(raw, progress)
    after = replace(progress, commits=progress.commits + 1)
    tail.settle(split, after)
    return after


def _new(tail: Tail, raw: RawBatch, progress: Progress) -> list[bool]:
    return [bool(keep) for keep in tail.split(raw, progress).keep]


def test_a_journalled_message_sent_again_is_not_new() -> None:
    tail = Tail()
    after = _journal(tail, _raw((5, b"x"), (6, b"y")), START)
    assert _new(tail, _raw((5, b"x"), (6, b"y"), (7, b"z"), dup=True, epoch=2), after) == [False, False, True]


def test_dup_alone_or_another_payload_is_new() -> None:
    tail = Tail()
    after = _journal(tail, _raw((5, b"x")), START)
    assert _new(tail, _raw((5, b"other"), dup=True), after) == [True]


def test_a_message_without_dup_is_new_and_ends_what_its_id_meant() -> None:
    tail = Tail()
    after = _journal(tail, _raw((5, b"x")), START)
    assert _new(tail, _raw((5, b"x")), after) == [True]
    assert _new(tail, _raw((5, b"x"), dup=True), after) == [True]  # the one above was not journalled


def test_proof_of_arrival_ends_the_entry_but_not_before_what_came_in_front_of_it() -> None:
    tail = Tail()
    after = _journal(tail, _raw((5, b"x")), START)
    proven = replace(after, confirmed=after.commits)
    assert _new(tail, _raw((5, b"x"), dup=True), proven) == [False]
    assert len(tail) == 0
    assert _new(tail, _raw((5, b"x"), dup=True), proven) == [True]


def test_a_newer_commit_outlives_the_proof_of_an_older() -> None:
    tail = Tail()
    after = _journal(tail, _raw((6, b"y")), _journal(tail, _raw((5, b"x")), START))
    proven = replace(after, confirmed=1)
    tail.split(_raw(), proven)
    assert _new(tail, _raw((5, b"x"), (6, b"y"), dup=True), proven) == [True, False]


def test_a_forgotten_session_ends_every_entry() -> None:
    tail = Tail()
    after = _journal(tail, _raw((5, b"x")), START)
    assert _new(tail, _raw((5, b"x"), dup=True), replace(after, session=1)) == [True]


def test_a_tail_rebuilt_from_the_journal_knows_the_same() -> None:
    raw = _raw((5, b"x"), (6, b"y"), (0, b"qos 0"))
    split = Tail().split(raw, START)
    tail = Tail()
    tail.remember(
        np.array([6], np.uint16), np.array([1], np.uint32)
    )  # an older message with an id used again
    tail.remember(split.packet_ids, split.checksums)
    assert _new(tail, _raw((7, b"first"), dup=True), START) == [True]
    again = _raw((5, b"x"), (6, b"y"), (0, b"qos 0"), dup=True)
    assert _new(tail, again, START) == [False, False, True]


def test_the_checksum_is_of_topic_and_payload() -> None:
    assert checksum(["ab"], [b"c"]).tolist() == checksum(["a"], [b"bc"]).tolist()
    assert len(set(checksum(["a", "b", "a"], [b"1", b"1", b"2"]).tolist())) == 3


_ids = st.integers(1, 6)
_payloads = st.sampled_from([b"x", b"y"])


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(_ids, _payloads), unique_by=lambda m: m[0], max_size=4), max_size=8))
def test_whatever_was_journalled_last_under_an_id_is_found_again(
    ticks: list[list[tuple[int, bytes]]],
) -> None:
    tail, progress, last = Tail(), START, dict[int, bytes]()
    for messages in ticks:
        progress = _journal(tail, _raw(*messages), progress)
        last.update(messages)
    every = [(packet_id, payload) for packet_id in range(1, 7) for payload in (b"x", b"y")]
    for message in every:
        fresh = Tail()
        fresh.remember(np.array(list(last), np.uint16), checksum(["t"] * len(last), list(last.values())))
        for one in (tail, fresh):
            known = last.get(message[0]) == message[1]
            split = one.split(_raw(message, dup=True), progress if one is tail else START)
            assert split.keep.tolist() == [not known]
            if message[0] in last:  # a comparison that failed ended the entry: put it back
                payload = last[message[0]]
                one.remember(np.array([message[0]], np.uint16), checksum(["t"], [payload]), progress.commits)
