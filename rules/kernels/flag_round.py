"""One reading of each of many flags at once: what `flag_steps` decides of one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int16, Int64, ReadingBatch, UInt32
from rules.kernel import ACTIVE
from rules.kernels.flag_state import (
    AGELESS,
    BACKFILL,
    CLOSED,
    KNOWN,
    LATE,
    NEVER,
    ONE,
    QUEUED,
    STALE,
    UNKNOWN_AGE,
    VISITED,
    WAITED,
    WAITING,
    Times,
    Told,
    What,
    places,
)
from rules.pairs import Pairs
from rules.rounds import Rows


@dataclass(frozen=True, slots=True)
class _Seen:
    """One round as columns: the readings, what they may be used for, and the state they meet."""

    pair: Rows
    rule: Int16
    observed: Int64
    quality: UInt32
    one: Bool
    unknown_age: Bool
    aged: Bool
    current: Bool
    """Of known age and newest: speaks for now."""
    heard: Bool
    """Of known age, and newest or received when it was said, however late its clock says it is."""
    zero: Bool
    """Current and 0."""
    old_zero: Bool
    """Of unknown age and 0: tells the flag, though not since when."""
    proves: Bool
    """A zero that may clear: not back-filled."""
    status: NDArray[np.uint8]
    zero_since: Int64
    zero_heard: Int64

    def has(self, bit: int) -> Bool:
        """Which pairs have a bit of status."""
        with_bit: Bool = (self.status & bit) != 0
        return with_bit


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a round says of each pair. `second` and `news` are parts of `raised`."""

    raised: Bool
    second: Bool
    news: Bool
    visit: Bool
    cleared: Bool
    again: Bool
    """A second fire by when it was received: a part of `second`."""
    zero_since: Int64
    zero_heard: Int64


def take_round(pairs: Pairs, times: Times, batch: ReadingBatch, rows: Rows, pair: Rows) -> list[Told]:
    """Takes these readings, each pair once; what is to be told of them."""
    seen = _look(pairs, times, batch, rows, pair)
    verdict = _judge(seen, times, batch.received_us)
    _keep(pairs, seen, verdict, batch.received_us)
    told = np.flatnonzero(verdict.raised | verdict.visit | verdict.cleared)
    quiet = seen.observed.take(told) - verdict.zero_since.take(told)
    quiet = np.where(verdict.again.take(told), batch.received_us - seen.zero_heard.take(told), quiet)
    columns = (rows.take(told), pair.take(told), told, quiet)
    return [
        Told(row, one, _what(verdict, n), quiet_us)
        for row, one, n, quiet_us in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _look(pairs: Pairs, times: Times, batch: ReadingBatch, rows: Rows, pair: Rows) -> _Seen:
    rule, observed, state = pairs.rule.take(pair), batch.observed_us.take(rows), pairs.state
    quality: UInt32 = batch.quality.take(rows)
    one = batch.value.take(rows) > 0
    unknown_age = (quality & UNKNOWN_AGE) != 0
    current = ((quality & LATE) == 0) & ~unknown_age
    says_zero = ~one & ((quality & STALE) == 0)  # a stale 0 is no 0 (contract 4)
    zero = current & says_zero
    return _Seen(
        pair=pair,
        rule=rule,
        observed=observed,
        quality=quality,
        one=one,
        unknown_age=unknown_age,
        aged=~unknown_age & (batch.received_us - observed > times.visit_after.take(rule)),
        current=current,
        heard=current | (~unknown_age & ((quality & WAITING) == 0)),
        zero=zero,
        old_zero=unknown_age & says_zero,
        proves=zero & ((quality & BACKFILL) == 0),
        status=state["status"].take(pair),
        zero_since=state["zero_since_us"].take(pair),
        zero_heard=state["zero_heard_us"].take(pair),
    )


def _judge(seen: _Seen, times: Times, received_us: int) -> _Verdict:
    active, closed = seen.has(ACTIVE), seen.has(CLOSED)
    is_one, is_zero = seen.has(ONE), seen.has(KNOWN) & ~seen.has(ONE)
    attended = active & ~closed
    true = seen.one & ~seen.unknown_age
    live = true & ~seen.aged
    quiet = seen.observed - seen.zero_since
    apart = quiet >= times.second_fire_after.take(seen.rule)
    apart |= quiet < 0  # our clock was put back
    again = live & attended & seen.heard & ~seen.current & (seen.zero_heard != NEVER)
    again &= received_us - seen.zero_heard >= times.second_fire_after.take(seen.rule)
    second = (live & attended & seen.current & is_zero & apart) | again
    news = seen.one & seen.unknown_age & ~active & ~is_one
    starts = (seen.zero | (seen.old_zero & ~active)) & ~is_zero
    starts |= seen.zero & (quiet < 0)
    zero_since = np.where(starts, seen.observed, seen.zero_since)
    long_enough = seen.observed - zero_since >= times.clear_hold.take(seen.rule)
    raised = (live & ~attended) | second | news
    return _Verdict(
        raised=raised,
        second=second,
        news=news,
        visit=true & seen.aged & ~attended & ~seen.has(VISITED),
        cleared=seen.proves & active & closed & long_enough,
        again=again,
        zero_since=zero_since,
        zero_heard=_zero_heard(seen, raised | (live & seen.heard), received_us),
    )


def _zero_heard(seen: _Seen, burns: Bool, received_us: int) -> Int64:
    """When the first 0 after the last 1 was received; only of active alarms."""
    began = (seen.zero_heard == NEVER) | (received_us < seen.zero_heard)  # or our clock was put back
    said = seen.heard & ~seen.one & ((seen.quality & STALE) == 0) & seen.has(ACTIVE)
    heard = np.where(said & began, received_us, seen.zero_heard)
    zero_heard: Int64 = np.where(burns, NEVER, heard)
    return zero_heard


def _keep(pairs: Pairs, seen: _Seen, verdict: _Verdict, received_us: int) -> None:
    active, raised, cleared = seen.has(ACTIVE), verdict.raised, verdict.cleared
    attended = active & ~seen.has(CLOSED)
    to_zero = seen.zero | (seen.old_zero & ~active)
    # An aged 1 on an attended alarm is not kept either: a live 1 after it must still show its edge.
    to_one = seen.one & ((seen.current & ~(seen.aged & attended)) | (seen.unknown_age & ~active))
    to_one |= verdict.again
    bits = (
        ((active | raised) & ~cleared, ACTIVE),
        (seen.has(CLOSED) & ~raised & ~cleared, CLOSED),
        (seen.has(KNOWN) | to_one | to_zero, KNOWN),
        ((seen.has(ONE) | to_one) & ~to_zero, ONE),
        ((seen.has(VISITED) | verdict.visit) & ~seen.zero, VISITED),
    )
    state, pair = pairs.state, seen.pair
    state["status"][pair] = sum(has * np.uint8(bit) for has, bit in bits)
    state["zero_since_us"][pair] = verdict.zero_since
    state["zero_heard_us"][pair] = verdict.zero_heard
    zero_seen = np.where(seen.proves & active, seen.observed, state["zero_seen_us"][pair])
    state["zero_seen_us"][pair] = np.where(raised, NEVER, zero_seen)
    if raised.any():
        _keep_fires(pairs, seen, verdict, np.flatnonzero(raised), received_us)


def _keep_fires(pairs: Pairs, seen: _Seen, verdict: _Verdict, raised: Rows, received_us: int) -> None:
    state, pair = pairs.state, seen.pair.take(raised)
    waited = (seen.quality.take(raised) & QUEUED) != 0
    state["raised_us"][pair] = received_us
    state["fire_us"][pair] = seen.observed.take(raised)
    state["place"][pair] = places(pairs.table, pairs.slot.take(pair))
    state["evidence"][pair] = verdict.news.take(raised) * np.uint8(AGELESS) | waited * np.uint8(WAITED)


def _what(verdict: _Verdict, n: int) -> What:
    if verdict.cleared[n]:
        return What.CLEARED
    if verdict.visit[n]:
        return What.VISIT
    if verdict.news[n]:
        return What.OLD
    return What.SECOND if verdict.second[n] else What.RAISED
