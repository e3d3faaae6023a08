"""Stamps of whole ticks against a plain reference, and after a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, Quality
from ingest.record import Record
from ingest.stamps import Stamps
from ingest.windows import MEMORY_US, RESEND_MS, WIDTH
from tests.ingest.stamping import DAY, NOW, SECOND, Sent, fresh, new_index, stamp


@dataclass
class Series:
    newest: int = 0
    last: int = 0
    value: float = 0.0
    nudge: int = 0


@dataclass
class Window:
    """Every number with its checksum and the millisecond it was first heard in, since the last restart."""

    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    last: int = 0
    heard: int = 0


def timed(message: Sent, now: int) -> bool:
    return message.at >= 1_577_836_800 * SECOND and now - 7 * DAY <= message.at <= now + 300 * SECOND


class Reference:
    """One reading at a time, in the plainest words."""

    def __init__(self) -> None:
        self.series: dict[tuple[int, int], Series] = {}
        self.windows: dict[int, Window] = {}

    def tick(self, sent: list[Sent], now: int) -> list[tuple[int, float, int, int]]:
        kept = []
        doubles = [s.seq >= 0 and self.seen(s, now) for s in sent]
        for message in (s for s, double in zip(sent, doubles, strict=True) if not double):
            state = self.series.setdefault((message.device, message.metric), Series())
            believed = timed(message, now)
            at, quality = (message.at, 0) if believed else (now, 0)
            if message.at and not believed:
                sane = message.at >= 1_577_836_800 * SECOND
                quality = Quality.CLOCK_SKEW if sane else Quality.CLOCK_INVALID
            if believed and message.seq < 0 and (state.last, state.value) == (at, message.value):
                continue
            newest = state.newest if state.newest <= now + 300 * SECOND else 0
            quality |= Quality.LATE if at < newest else 0
            nudge = state.nudge + 1 if state.last == at else 0
            self.series[message.device, message.metric] = Series(max(newest, at), at, message.value, nudge)
            kept.append((at, message.value, int(quality), nudge))
        return kept

    def seen(self, message: Sent, now: int) -> bool:
        window = self.windows.setdefault(message.device, Window())
        if now - window.heard > MEMORY_US or message.seq <= window.last - WIDTH:
            window.seen.clear()
        elif window.seen.get(message.seq, (-1, 0))[0] == message.checksum:
            age_ms = now // 1000 - window.seen[message.seq][1]
            window.heard = now
            if timed(message, now):
                return True
            if 0 <= age_ms <= RESEND_MS:
                return not (message.metric == Metric.SMOKE_ALARM and message.value > 0)
            window.seen.clear()
        elif message.seq in window.seen:
            window.seen.clear()
        window.last = max(message.seq, window.last) if window.seen else message.seq
        window.seen[message.seq] = (message.checksum, now // 1000)
        window.seen = {seq: known for seq, known in window.seen.items() if seq > window.last - WIDTH}
        window.heard = now
        return False


TIMES = st.sampled_from(
    [0, 0, 5, NOW - 8 * DAY, NOW - 7, NOW - 6, NOW - 5, NOW - 4, NOW + 3, NOW + 900 * SECOND]
)

SEQS = st.one_of(st.just(-1), st.integers(0, 12), st.integers(60, 200))

SENT = st.builds(
    Sent,
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 2.0]),
    TIMES,
    SEQS,
    st.sampled_from([Metric.CURRENT, Metric.SMOKE_ALARM]),
    again=st.integers(0, 1),
)

TICKS = st.lists(
    st.tuples(
        st.lists(SENT, max_size=12),
        st.sampled_from([0, 1, SECOND, 10 * SECOND, 10_001_000, MEMORY_US, MEMORY_US + 1, -DAY]),
    ),
    max_size=8,
)


@given(TICKS)
@settings(max_examples=150, deadline=None)
def test_arrays_say_what_one_reading_at_a_time_says(ticks: list[tuple[list[Sent], int]]) -> None:
    stamps, index = fresh()
    reference, now = Reference(), NOW
    for sent, passed in ticks:
        now += passed
        batch = stamp(stamps, index, sent, now).batch
        columns = (batch.observed_us, batch.value, batch.quality, batch.nudge_ns)
        assert list(zip(*(c.tolist() for c in columns), strict=True)) == reference.tick(sent, now)


@given(TICKS, st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_replay_after_a_snapshot_gives_the_same_memory(ticks: list[tuple[list[Sent], int]], cut: int) -> None:
    index = new_index()
    live, now, snapshot = Stamps(index), NOW, None
    records: list[Record] = []
    for number, (sent, passed) in enumerate(ticks):
        if number == cut:
            snapshot = live.snapshot()
            records.clear()
        now += passed
        stamped = stamp(live, index, sent, now)
        records.append(Record(number + 1, stamped.batch, stamped.messages, [], [], [], {}, 0, 0))
    again = Stamps(index)
    if snapshot is not None:
        again.restore(snapshot)
    for record in records:
        again.replay(record)
    expected = live.snapshot()
    for name, array in again.snapshot().items():
        assert array.tobytes() == expected[name].tobytes(), name
