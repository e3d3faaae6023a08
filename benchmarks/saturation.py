"""A subscriber under a generator that runs as fast as it can: what it takes, and who uses the processors.

    warm up (one message of every device) → generator at full speed → settle → look → the interval → look

What is counted lies between the two looks, while the generator runs: neither the start nor the draining of
what the broker has queued is in it. With a bound of messages instead of seconds, the interval ends when all
of them are acknowledged, and draining is part of it: for quick runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.errors import CannotMeasure
from benchmarks.generator import flat_out, generating, one_of_each, publish
from benchmarks.service import eventually
from benchmarks.subscribers import Null, Subscriber
from simulators.load import LoadReport
from simulators.mix import FIXED
from simulators.stencil import FIRST_SEQ

SETTLE_S: Final = 2.0
"""From the first messages to the first look (chosen: queues, caches and windows are then as they stay)."""
AFTER_S: Final = 2.0
"""The generator goes on so long after the interval, so that its end is not in it."""
GIVE_UP_S: Final = 10.0
"""Without progress for so long nothing more is expected (chosen)."""
FLAT_SEQ: Final = FIRST_SEQ + 1_000_000
IDLE_PATIENCE_S: Final = 15.0
"""How long a machine may take to rest before each run, but never longer than the interval (chosen)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is measured. `messages` not 0: so many instead of `seconds`."""

    devices: int
    seconds: float
    messages: int = 0
    mix: str = FIXED
    ledgers: Path | None = None
    """The folder in which each run of the generator leaves what it published."""
    warm_rounds: int = 1
    """How often each device is heard before."""

    def ledger(self, run: str) -> str:
        """The file of a run; empty where nobody asks."""
        return str(self.ledgers / run) if self.ledgers else ""

    @property
    def idle_patience_s(self) -> float:
        """How long the machine may take to rest."""
        return 0.0 if self.messages else min(IDLE_PATIENCE_S, self.seconds)

    def for_at_most(self, seconds: float) -> Bounds:
        """The same, but no longer than this."""
        return replace(self, seconds=min(self.seconds, seconds))


@dataclass(frozen=True, slots=True)
class Look:
    """Totals at one moment. `cpu_s` by process name; `behind` are records that wait to be stored."""

    at_s: float
    count: float
    cpu_s: dict[str, float]
    busy_s: float
    stolen_s: float = 0.0
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Saturated:
    """What lies between two looks.

    `cpu_us` is CPU per message acknowledged by the subscriber, by process; `other_percent` what processes
    that have no part in it used and `stolen_percent` what the host of a virtual machine took away, in percent
    of one core: a disturbed figure says so itself. `busy_before_percent` is what the machine did just before.
    `behind` are records that waited to be stored at both looks, `start` is the look before the first message.
    `warm` and `flat` are the generator's reports of the warm-up and of the run at full speed.
    """

    rate_per_s: float
    messages: float
    seconds: float
    cpu_us: dict[str, float]
    other_percent: float
    stolen_percent: float
    busy_before_percent: float
    behind: tuple[float, float]
    start: Look
    warm: LoadReport
    flat: LoadReport


def saturate(subscriber: Subscriber, bounds: Bounds) -> Saturated:
    """Warms up, waits until the machine rests, and measures. Raises CannotMeasure."""
    warm = warm_up(subscriber, bounds)
    busy_before_percent = machine.wait_idle(bounds.idle_patience_s)
    begin = look(subscriber, subscriber.pids())
    start = begin.count
    seconds = SETTLE_S + bounds.seconds + AFTER_S
    plan = flat_out(
        subscriber.port,
        bounds.devices,
        FLAT_SEQ,
        seconds=seconds,
        count=bounds.messages,
        mix=bounds.mix,
        ledger=bounds.ledger("flat"),
    )
    with generating(plan) as generator:
        pids = {**subscriber.pids(), "generator": generator.pid}
        eventually(lambda: subscriber.count() > start, "the first messages come", 60.0)
        if bounds.messages:
            first = look(subscriber, pids)
            _await_all(subscriber, start + bounds.messages)
        else:
            time.sleep(SETTLE_S)
            first = look(subscriber, pids)
            time.sleep(bounds.seconds)
        if bounds.messages:  # the generator may have ended: its CPU is then in its report
            pids.pop("generator")
            first.cpu_s.pop("generator", None)
        last = look(subscriber, pids)
        flat = generator.report()
    return between(begin, first, last, busy_before_percent, warm, flat)


def look(subscriber: Subscriber, pids: dict[str, int]) -> Look:
    """The totals now. A count that takes its time is taken to be of the middle of it."""
    before = time.monotonic()
    count = subscriber.count()
    after = time.monotonic()
    cpu = {name: machine.cpu_s(pid) for name, pid in pids.items()}
    busy, stolen = machine.busy_s(), machine.stolen_s()
    return Look((before + after) / 2, count, cpu, busy, stolen, subscriber.behind())


def between(
    start: Look, first: Look, last: Look, busy_before_percent: float, warm: LoadReport, flat: LoadReport
) -> Saturated:
    """Pure. Raises CannotMeasure when nothing was acknowledged between the two."""
    seconds, messages = last.at_s - first.at_s, last.count - first.count
    if messages <= 0 or seconds <= 0:
        raise CannotMeasure("nothing was acknowledged while measuring")
    used = {name: last.cpu_s[name] - first.cpu_s[name] for name in last.cpu_s}
    others = last.busy_s - first.busy_s - sum(used.values())
    return Saturated(
        rate_per_s=messages / seconds,
        messages=messages,
        seconds=seconds,
        cpu_us={name: one / messages * 1e6 for name, one in used.items()},
        other_percent=max(0.0, 100 * others / seconds),
        stolen_percent=100 * (last.stolen_s - first.stolen_s) / seconds,
        busy_before_percent=busy_before_percent,
        behind=(first.behind, last.behind),
        start=start,
        warm=warm,
        flat=flat,
    )


def warm_up(subscriber: Subscriber, bounds: Bounds) -> LoadReport:
    """`warm_rounds` messages of every device, all of them acknowledged; the null subscriber learns what one
    is."""
    ledger = bounds.ledger("warm")
    plan = one_of_each(subscriber.port, bounds.devices, bounds.mix, ledger, bounds.warm_rounds)
    if isinstance(subscriber, Null):
        before = subscriber.read()
        warm = publish(plan)
        await_stop(subscriber.read)
        subscriber.learn(warm.acknowledged, subscriber.read() - before)
        return warm
    start = subscriber.count()
    warm = publish(plan)
    _await_all(subscriber, start + warm.acknowledged)
    return warm


def await_stop(total: Callable[[], float], quiet_s: float = 1.0) -> None:
    """Returns when `total` has not grown for `quiet_s`."""
    last, since = total(), time.monotonic()
    while time.monotonic() - since < quiet_s:
        time.sleep(0.05)
        now = total()
        if now != last:
            last, since = now, time.monotonic()


def _await_all(subscriber: Subscriber, count: float) -> None:
    """Returns when so many are acknowledged, or when none was for GIVE_UP_S."""
    last, since = subscriber.count(), time.monotonic()
    while last < count - 0.5 and time.monotonic() - since < GIVE_UP_S:
        time.sleep(0.02)
        now = subscriber.count()
        if now > last:
            last, since = now, time.monotonic()
