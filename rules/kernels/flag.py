"""The flag kernel: a true flag raises at once and stays raised until a person ends it.

What it promises is life_safety, smoke 1-3, and "reset of a latched alarm" in its table of acts. In short:

* A true flag raises whatever its soft quality; NaN, hard quality and duplicates are not seen at all.
* Aged readings (observed long before they were received) are marked; too old ones are a visit.
* Readings of unknown age (retained, replayed) raise once, and only what we did not know already. On an
  active alarm they change nothing, so that the next live 1 still shows its edge.
* Late readings (a newer one came first) can raise and do nothing else.
* A closed alarm comes back with any true reading of known age, and clears after a stretch of live zeros.
* A reset or close that was made before the newest raise was received ends nothing: it was about another fire.

State: 25 bytes a pair.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    HARD_QUALITY,
    METRIC_BY_NAME,
    Bool,
    EngineInput,
    InputKind,
    Int16,
    Int64,
    Metric,
    Quality,
    ReadingBatch,
    SeriesTable,
    Severity,
    UInt32,
)
from rules import why
from rules.found import Found, by_reading, cleared_by_input
from rules.kernel import ACTIVE, PairKernel
from rules.look import Look
from rules.pairs import Blank
from rules.quantity import Span
from rules.rounds import Rows
from rules.rule import BaseRule
from rules.transition import Mark, To, Transition


class FlagRule(BaseRule, frozen=True, kw_only=True, tag="flag"):
    """A latched alarm on a true flag.

    Older than `late_after` is marked late; older than `visit_after` is a visit of `visit_severity` instead.
    `second_fire_after` is how long the flag must have been 0 before a 1 raises an active alarm again;
    `clear_hold` how long it must be 0 to clear a closed alarm.
    """

    numbers: ClassVar[tuple[str, ...]] = ("late_after", "visit_after", "second_fire_after", "clear_hold")

    metric_name: str
    visit_severity: Severity
    late_after: Span
    visit_after: Span
    second_fire_after: Span
    clear_hold: Span
    isolate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        flags = [name for name, metric in METRIC_BY_NAME.items() if metric.is_flag]
        if self.metric_name not in flags:
            known = "is not a flag" if self.metric_name in METRIC_BY_NAME else "is unknown"
            raise ValueError(f"key `metric`: `{self.metric_name}` {known}; allowed: {', '.join(flags)}")
        if self.visit_severity.rank <= self.severity.rank:
            raise ValueError("key `visit_severity`: a visit must be less severe than `severity`")
        if self.visit_after < self.late_after:
            raise ValueError("key `visit_after`: must not be shorter than `late_after`")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The flag it reads."""
        return (self.metric,)

    @property
    def metric(self) -> Metric:
        """The same, alone."""
        return METRIC_BY_NAME[self.metric_name]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """`isolate`, where it asks for that."""
        return (Mark.ISOLATE,) if self.isolate else ()


_CLOSED: Final = 2
_KNOWN: Final = 4
_ONE: Final = 8
"""With _KNOWN: the newest flag is 1; without _ONE it is 0 since `zero_since_us`."""
_VISITED: Final = 16

_NEVER: Final = -(2**62)
_BLANK: Final[Mapping[str, Blank]] = {
    "status": np.uint8(0),
    "zero_since_us": np.int64(_NEVER),
    "zero_seen_us": np.int64(_NEVER),
    "raised_us": np.int64(_NEVER),
}
"""`zero_seen_us` is the newest live 0 since the alarm was raised; it is kept only while it is active.
`raised_us` is when the reading that raised it last, for the first or a second fire, was received."""

_UNSEEN: Final = int(HARD_QUALITY | Quality.DUPLICATE)
_UNKNOWN_AGE: Final = int(Quality.RETAINED | Quality.REPLAYED)
_LATE: Final = int(Quality.LATE)
_STALE: Final = int(Quality.STALE)
_BACKFILL: Final = int(Quality.BACKFILL)
_QUEUED: Final = int(Quality.QUEUED)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One round as columns: the readings, what they may be used for, and the state they meet."""

    pair: Rows
    rule: Int16
    observed: Int64
    age: Int64
    one: Bool
    unknown_age: Bool
    aged: Bool
    current: Bool
    """Of known age and newest: speaks for now."""
    zero: Bool
    """Current and 0."""
    old_zero: Bool
    """Of unknown age and 0: tells the flag, though not since when."""
    proves: Bool
    """A zero that may clear: not back-filled."""
    status: NDArray[np.uint8]
    zero_since: Int64

    def has(self, bit: int) -> Bool:
        """Which pairs have a bit of status."""
        with_bit: Bool = (self.status & bit) != 0
        return with_bit


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a round says of each pair. `second` is a part of `raised`."""

    raised: Bool
    second: Bool
    visit: Bool
    cleared: Bool
    zero_since: Int64


class FlagKernel(PairKernel[FlagRule]):
    """All flag rules of a catalogue."""

    def __init__(self, rules: Sequence[FlagRule], order: Mapping[str, int], table: SeriesTable) -> None:
        super().__init__(rules, order, _BLANK, table)
        self._visit_after = np.array([rule.visit_after for rule in rules], np.int64)
        self._second_fire_after = np.array([rule.second_fire_after for rule in rules], np.int64)
        self._clear_hold = np.array([rule.clear_hold for rule in rules], np.int64)

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        batch = look.batch
        rows, pair = self.pairs.each(*self.heard(look))
        if not len(rows):
            return []
        hot = (batch.value.take(rows) > 0) | (self.pairs.state["status"].take(pair) != _KNOWN)
        if (
            not hot.any()
        ):  # every flag is 0, was 0, and no alarm is active: nothing to decide, nothing to keep
            return []
        found = []
        mixed: Rows | None = None
        judged = np.flatnonzero(self.pairs.company(pair, hot) & self._is_seen(batch, rows))
        for turn, (some_rows, some_pairs) in enumerate(self.turns(look, rows[judged], pair[judged])):
            if turn:  # some series has several readings in this batch
                mixed = pair[~self._is_plain_one(batch, rows, pair)] if mixed is None else mixed
                if not np.isin(some_pairs, mixed).any():
                    continue
            seen = self._look(batch, some_rows, some_pairs)
            verdict = self._judge(seen)
            self._keep(seen, verdict, batch.received_us)
            told = np.flatnonzero(verdict.raised | verdict.visit | verdict.cleared)
            found += [self._tell(batch, int(some_rows[n]), seen, verdict, int(n)) for n in told]
        return found

    def _is_seen(self, batch: ReadingBatch, rows: Rows) -> Bool:
        seen: Bool = ((batch.quality.take(rows) & _UNSEEN) == 0) & ~np.isnan(batch.value.take(rows))
        return seen

    def _is_plain_one(self, batch: ReadingBatch, rows: Rows, pair: Rows) -> Bool:
        """Live 1s, in order and not old. After the first of them the alarm is active and attended, and those
        that follow in the batch, if there is nothing else of their series, change nothing.

        So a detector that repeats its alarm thousands of times in one batch does not hold up everybody's.
        """
        live = (batch.quality[rows] & (_LATE | _UNKNOWN_AGE | _UNSEEN)) == 0
        fresh = batch.received_us - batch.observed_us[rows] <= self._visit_after[self.pairs.rule[pair]]
        plain: Bool = live & fresh & (batch.value[rows] > 0)
        return plain

    def _look(self, batch: ReadingBatch, rows: Rows, pair: Rows) -> _Seen:
        rule, observed, state = self.pairs.rule[pair], batch.observed_us[rows], self.pairs.state
        quality: UInt32 = batch.quality[rows]
        one = batch.value[rows] > 0
        age = batch.received_us - observed
        unknown_age = (quality & _UNKNOWN_AGE) != 0
        current = ((quality & _LATE) == 0) & ~unknown_age
        says_zero = ~one & ((quality & _STALE) == 0)  # a stale 0 is no 0 (contract 4)
        zero = current & says_zero
        return _Seen(
            pair=pair,
            rule=rule,
            observed=observed,
            age=age,
            one=one,
            unknown_age=unknown_age,
            aged=~unknown_age & (age > self._visit_after[rule]),
            current=current,
            zero=zero,
            old_zero=unknown_age & says_zero,
            proves=zero & ((quality & _BACKFILL) == 0),
            status=state["status"][pair],
            zero_since=state["zero_since_us"][pair],
        )

    def _judge(self, seen: _Seen) -> _Verdict:
        active, closed = seen.has(ACTIVE), seen.has(_CLOSED)
        is_one, is_zero = seen.has(_ONE), seen.has(_KNOWN) & ~seen.has(_ONE)
        attended = active & ~closed
        true = seen.one & ~seen.unknown_age
        live = true & ~seen.aged
        quiet = seen.observed - seen.zero_since
        apart = (quiet >= self._second_fire_after[seen.rule]) | (quiet < 0)  # below 0: our clock was put back
        second = live & attended & seen.current & is_zero & apart
        news = seen.one & seen.unknown_age & ~active & ~is_one
        again = seen.zero & (quiet < 0)
        starts = ((seen.zero | (seen.old_zero & ~active)) & ~is_zero) | again
        zero_since = np.where(starts, seen.observed, seen.zero_since)
        long_enough = seen.observed - zero_since >= self._clear_hold[seen.rule]
        return _Verdict(
            raised=(live & ~attended) | second | news,
            second=second,
            visit=true & seen.aged & ~attended & ~seen.has(_VISITED),
            cleared=seen.proves & active & closed & long_enough,
            zero_since=zero_since,
        )

    def _keep(self, seen: _Seen, verdict: _Verdict, received_us: int) -> None:
        active, raised, cleared = seen.has(ACTIVE), verdict.raised, verdict.cleared
        attended = active & ~seen.has(_CLOSED)
        to_zero = seen.zero | (seen.old_zero & ~active)
        # An aged 1 on an attended alarm is not kept either: a live 1 after it must still show its edge.
        to_one = seen.one & ((seen.current & ~(seen.aged & attended)) | (seen.unknown_age & ~active))
        bits = (
            ((active | raised) & ~cleared, ACTIVE),
            (seen.has(_CLOSED) & ~raised & ~cleared, _CLOSED),
            (seen.has(_KNOWN) | to_one | to_zero, _KNOWN),
            ((seen.has(_ONE) | to_one) & ~to_zero, _ONE),
            ((seen.has(_VISITED) | verdict.visit) & ~seen.zero, _VISITED),
        )
        state, pair = self.pairs.state, seen.pair
        state["status"][pair] = sum(has * np.uint8(bit) for has, bit in bits)
        state["zero_since_us"][pair] = verdict.zero_since
        zero_seen = np.where(seen.proves & active, seen.observed, state["zero_seen_us"][pair])
        state["zero_seen_us"][pair] = np.where(raised, _NEVER, zero_seen)
        state["raised_us"][pair[raised]] = received_us

    def _tell(self, batch: ReadingBatch, row: int, seen: _Seen, verdict: _Verdict, n: int) -> Found:
        number = int(seen.rule[n])
        rule, table, order = self.rules[number], self.pairs.table, self.order[number]
        quiet_us, age_us = int(seen.observed[n] - verdict.zero_since[n]), int(seen.age[n])
        if verdict.cleared[n]:
            said = why.flag_cleared(rule.metric, quiet_us)
            return Found(row, order, by_reading(rule, To.CLEARED, batch, row, table=table, why=said))
        queued = (Mark.QUEUED,) if batch.quality[row] & _QUEUED else ()
        if seen.unknown_age[n]:
            said = why.flag_of_unknown_age(rule.metric)
            marks = (Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN, *queued, *rule.marks)
            transition = by_reading(
                rule,
                To.RAISED,
                batch,
                row,
                table=table,
                why=said,
                age_s=math.nan,
                marks=marks,
            )
            return Found(row, order, transition)
        late = age_us > rule.late_after
        second = (Mark.SECOND_FIRE,) if verdict.second[n] else ()
        said = why.flag_set(
            rule.metric, age_us if late else None, quiet_us if second and quiet_us >= 0 else None
        )
        severity = rule.visit_severity if verdict.visit[n] else rule.severity
        known = ((Mark.LATE,) if late else ()) + queued + second + rule.marks
        transition = by_reading(
            rule, To.RAISED, batch, row, table=table, why=said,
            severity=severity, marks=known,
        )  # fmt: skip
        return Found(row, order, transition)

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset clears at once; a close clears after long enough zeros, else leaves the alarm closed."""
        number = self.number[given.rule]
        pair = self.pairs.find(given.slot, number)
        if pair < 0:
            return None
        state, rule = self.pairs.state, self.rules[number]
        raised_us = min(int(state["raised_us"][pair]), now_us)  # later: our clock was put back since
        if state["status"][pair] & ACTIVE and given.at_us < raised_us:
            return None
        status = int(state["status"][pair]) & ~_VISITED
        state["status"][pair] = status
        if not status & ACTIVE:
            return None
        said = why.by_person(given.kind)
        if given.kind is InputKind.CLOSE:
            quiet_us = int(state["zero_seen_us"][pair] - state["zero_since_us"][pair])
            if status & _ONE or not status & _KNOWN or quiet_us < rule.clear_hold:
                state["status"][pair] = status | _CLOSED
                return None
            said = why.flag_cleared(rule.metric, quiet_us)
        state["status"][pair] = status & ~(ACTIVE | _CLOSED)
        return cleared_by_input(
            rule, given, slot=given.slot, place=0, table=self.pairs.table, now_us=now_us, why=said
        )
