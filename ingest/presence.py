"""Whether we, and the brokers we listen to, were there: what the rules must know before they call a device
silent (contract 6).

It becomes engine inputs, which are journalled like people's acts: a replay knows who was away when.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from devices.model import EngineInput, InputKind

SETTLED_S: Final = 10.0
"""A connection that is lost, or there again, for so long is told; and so long without a look we were away
ourselves (chosen: a broker restarts within it, and no limit of silence is shorter than a minute)."""
LOOK_S: Final = 0.25
"""How often connections are looked at (chosen)."""


@dataclass(slots=True)
class _Broker:
    """Whether it is connected and since when; `told` is what the rules believe, None before a first word."""

    connected: bool
    since_s: float
    since_us: int
    told: bool | None = None


class Presence:
    """Of each broker by its name, as `connected` gives it; `monotonic` are seconds that never jump.

    The first `take`, and one SETTLED_S after the one before (a step that failed for so long, a process that
    was stopped), gives RETURNED; its `from_us` is when we are known to have been there last: at the look
    before, or by `lived`. AWAY and BACK follow when a broker has been lost, or there, for SETTLED_S;
    `at_us` is when that began. After a start each broker is told once, whatever it was before, and one that a
    former process called away (`formerly`) and that is there no more is called back: its devices are to be
    heard elsewhere, or silent.
    """

    def __init__(
        self,
        connected: Callable[[], Mapping[str, bool]],
        formerly: Callable[[], Iterable[str]] = tuple,
        monotonic: Callable[[], float] = time.monotonic,
        lived: Callable[[], int] = int,
    ) -> None:
        """`formerly` and `lived` are asked once, at the first `take`. `lived` is the newest moment at which
        the former process is known to have lived; 0 where nothing is known. What the rules know of it by the
        journal need not be in it."""
        self._connected = connected
        self._formerly: Callable[[], Iterable[str]] | None = formerly
        self._monotonic, self._lived = monotonic, lived
        self._looked_s, self._looked_us = -math.inf, 0
        self._brokers: dict[str, _Broker] = {}

    def take(self, now_us: int) -> list[EngineInput]:
        """What is new since the last call; mostly nothing. `now_us` is a wall clock's: where a machine sleeps
        the monotonic one may stand."""
        now_s = self._monotonic()
        passed_s = max(now_s - self._looked_s, (now_us - self._looked_us) / 1e6)
        if 0 <= passed_s < LOOK_S:
            return []
        away = passed_s >= SETTLED_S
        there_us = self._looked_us if self._looked_us else self._lived()
        self._looked_s, self._looked_us = now_s, now_us
        found = [_input(InputKind.RETURNED, now_us, from_us=min(there_us, now_us))] if away else []
        brokers = self._connected()
        if self._formerly:
            gone = sorted(set(self._formerly()) - brokers.keys())
            found += [_input(InputKind.BACK, now_us, name) for name in gone]
            self._formerly = None
        for name, connected in brokers.items():
            found += self._look(name, connected, now_s, now_us)
        return found

    def _look(self, name: str, connected: bool, now_s: float, now_us: int) -> list[EngineInput]:
        broker = self._brokers.get(name)
        if broker is None:
            broker = self._brokers[name] = _Broker(connected, now_s, now_us)
        elif broker.connected != connected:
            broker.connected, broker.since_s, broker.since_us = connected, now_s, now_us
        if broker.told == connected or now_s - broker.since_s < SETTLED_S:
            return []
        broker.told = connected
        return [_input(InputKind.BACK if connected else InputKind.AWAY, broker.since_us, name)]


def is_news(one: EngineInput) -> bool:
    """Whether an input is worth a record of its own. That we returned goes with the first one there is."""
    return one.kind is not InputKind.RETURNED


def _input(kind: InputKind, at_us: int, name: str = "", from_us: int = 0) -> EngineInput:
    return EngineInput(0, at_us, kind, name, 0, 0, from_us)
