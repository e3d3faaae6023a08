"""Presence: who is heard, who is not, and what is told of it. The part of the engine that time moves.

It puts together the columns of rules/heard.py with the silence and the dark kernel. Hearing is cheap: a
usual device costs two numbers in two columns, and its deadline is worked out when it is looked at. Looking
(`advance`) happens once a second and touches the devices that are due.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    MUTE_QUALITY,
    Bool,
    EngineInput,
    InputKind,
    Int32,
    Metric,
    ReadingBatch,
    SeriesTable,
)
from rules.catalogue import Catalogue
from rules.found import Found
from rules.heard import ACTIVE, ACTIVE_LONG, AWAITED, FAR, KNOWN, SAID_OFFLINE, SILENT, Heard
from rules.kernels.dark import DarkKernel, DarkRule
from rules.kernels.silence import SilenceKernel, SilenceRule
from rules.look import Look
from rules.pairs import State
from rules.rounds import Rows
from rules.transition import Transition

_SECOND_US: Final = 1_000_000
_LEVELS: Final = 4
"""Gateways behind gateways that are heard with a device (chosen: a repeater behind a repeater)."""
_SOURCES: Final = 256
"""Brokers that can be away, each on its own (chosen; those beyond share one that never is)."""
_MUTE: Final = int(MUTE_QUALITY)


class Presence:
    """The silence and dark rules of a catalogue. Without any it does nothing and costs nothing."""

    def __init__(self, catalogue: Catalogue, table: SeriesTable) -> None:
        silent, dark = catalogue.of(SilenceRule), catalogue.of(DarkRule)
        self.names = frozenset(rule.name for rule in (*silent, *dark))
        self._rules = (silent, dark)
        self._heard = Heard(table)
        self._silence = SilenceKernel(silent, catalogue.order(), self._heard)
        self._dark = DarkKernel(dark[0] if dark else None, self._heard)
        self._table = table
        self._sources: list[str] = []
        self._away: Bool = np.zeros(_SOURCES, np.bool_)
        self._second = -1
        self._next_us = 0
        self._called: list[Int32] = []

    def goes_on(self, catalogue: Catalogue) -> bool:
        """Whether these are the rules of `catalogue` as they are; then its order holds from here on."""
        if self._rules != (catalogue.of(SilenceRule), catalogue.of(DarkRule)):
            return False
        self._silence.order = catalogue.order()
        return True

    def hear(self, look: Look, says_online: bool, source: str) -> list[Found]:
        """Takes what a batch says of who is there. `says_online`: it has readings of `device.online`."""
        if not self.names:
            return []
        batch = look.batch
        device = self._table.device.take(batch.slot)
        if not says_online and not int(np.bitwise_or.reduce(batch.quality)) & _MUTE:
            return self._hear(device, None, None, batch, source)
        alive = (batch.quality & _MUTE) == 0
        about = self._table.metric.take(batch.slot) == Metric.DEVICE_ONLINE
        alive &= ~about | (batch.value > 0)
        stated = np.flatnonzero(about & (batch.value == 0) & (device > 0))
        stated = stated[look.usable(stated)]
        said, first = np.unique(device[stated], return_index=True)
        rows = np.flatnonzero(alive)
        found = self._hear(device[rows], rows, (said, stated[first]) if len(said) else None, batch, source)
        if len(said):
            self._state(said.astype(np.int32), stated[first], batch)
        return found

    def _hear(
        self, ids: Int32, rows: Rows | None, said: tuple[Int32, Rows] | None, batch: ReadingBatch, source: str
    ) -> list[Found]:
        """These devices, and their gateways, are there. `rows` are their readings, None for all in their
        order; of what is `said` to be offline only those count that came before that."""
        heard = self._heard
        levels, odd_ids, odd_rows = [], [], []
        for _ in range(_LEVELS):
            if said is not None and rows is not None:
                before = _before(ids, rows, said)
                ids, rows = ids[before], rows[before]
            odd = heard.status.take(ids) != KNOWN
            if odd.any():
                there = ~odd | ~self._just_said(ids, batch.received_us)
                ids, odd = ids[there], odd[there]
                rows = np.flatnonzero(there) if rows is None else rows[there]
                at = np.flatnonzero(odd)
                odd_ids.append(ids[at])
                odd_rows.append(rows[at])
            levels.append(ids)
            ids = heard.parent.take(ids)
            if not ids.any():
                break
            behind = np.flatnonzero(ids)
            ids, rows = ids[behind], behind if rows is None else rows[behind]
        found = (
            self._hear_odd(np.concatenate(odd_ids), np.concatenate(odd_rows), batch.received_us)
            if odd_ids
            else []
        )
        code = self._code(source)
        for some in levels:
            heard.heard_us[some] = batch.received_us
            if len(self._sources) > 1:
                self._heard_by(some, code, batch.received_us)
        return found

    def _heard_by(self, ids: Int32, code: int, received_us: int) -> None:
        """These are now heard by this broker. Nobody looks at devices of one that is away: from here on,
        somebody must again."""
        moved = ids[(self._heard.source[ids] != code) & (ids > 0) & (self._heard.first[ids] >= 0)]
        if len(moved):
            self._heard.source[moved] = code
            self._heard.due_us[moved] = received_us
            self._next_us = min(self._next_us, received_us)

    def _just_said(self, ids: Int32, received_us: int) -> Bool:
        """Which of these were said to be offline at this very moment: they are not heard by anybody."""
        quiet = (self._heard.status[ids] & SAID_OFFLINE) != 0
        said: Bool = quiet & (self._heard.heard_us[ids] == received_us)
        return said

    def _hear_odd(self, ids: Int32, rows: Rows, received_us: int) -> list[Found]:
        """Those that are not as usual: new ones, silent ones, and gateways that are waited for."""
        heard = self._heard
        fresh = (heard.heard_us[ids] < received_us) & (ids > 0) & (heard.first[ids] >= 0)
        ids, rows = ids[fresh], rows[fresh]
        arrived = np.argsort(rows, kind="stable")  # a gateway's first reading may be that of one behind it
        ids, rows = ids[arrived], rows[arrived]
        _, at = np.unique(ids, return_index=True)
        at = at[np.argsort(rows[at], kind="stable")]
        ids, rows = ids[at], rows[at]
        if not len(ids):
            return []
        self._called.append(ids[(heard.status[ids] & AWAITED) != 0])
        often = self._silence.often(ids)
        self._dark.take(ids, often, -1)
        found = self._silence.hear(ids, rows, received_us, self._table)
        self._dark.take(ids, often, 1)
        self._next_us = min(self._next_us, received_us)
        return found

    def _state(self, ids: Int32, rows: Rows, batch: ReadingBatch) -> None:
        """These were said to be offline."""
        often = self._silence.often(ids)
        self._dark.take(ids, often, -1)
        self._silence.state_offline(ids, batch.observed_us[rows], batch.received_us)
        self._dark.take(ids, often, 1)
        self._next_us = min(self._next_us, int(self._heard.due_us[ids].min()))

    def advance(self, now_us: int) -> list[Transition]:
        """See `Engine.advance`."""
        if not self.names or now_us // _SECOND_US == self._second:
            return []
        self._second = now_us // _SECOND_US
        if now_us < self._next_us:
            return []
        self._wake()
        heard = self._heard
        ids = np.flatnonzero(heard.due_us[: heard.n] <= now_us).astype(np.int32)
        fell = self._silence.fall(ids, now_us, self._away)
        self._dark.take_silent(fell, self._silence.often(fell))
        told, cleared = self._dark.judge(self._silence.often, now_us, self._table)
        waiting = ids[(heard.status[ids] & SILENT) != 0]
        more = (fell, self._dark.silent_in(cleared)) if len(cleared) else (fell,)
        waiting = np.unique(np.concatenate((waiting, *more)))
        told += self._silence.decide(waiting, now_us, self._away, self._dark, self._table)
        self._next_us = now_us if self._dark.pending else int(heard.due_us[: heard.n].min())
        return told

    def _wake(self) -> None:
        """Devices whose gateway was heard again are looked at."""
        if not self._called:
            return
        gateways = np.concatenate(self._called)
        self._called = []
        if len(gateways):
            self._heard.due_us[self._heard.behind(gateways)] = 0

    @property
    def due_us(self) -> int:
        """See `Engine.due_us`."""
        return max((self._second + 1) * _SECOND_US, self._next_us) if self.names else FAR

    def apply(self, given: EngineInput, now_us: int) -> list[Transition]:
        """What a person's reset or close of an alarm that this tells clears."""
        cleared = self._apply(given, now_us)
        return [cleared] if cleared else []

    def _apply(self, given: EngineInput, now_us: int) -> Transition | None:
        self._next_us = 0
        if self._dark.rule is not None and given.rule == self._dark.rule.name:
            self._heard.due_us[self._dark.silent_in(np.array([given.place], np.int32))] = 0
            return self._dark.apply(given, now_us, self._table)
        return self._silence.apply(given, now_us, self._table)

    def note(self, given: EngineInput) -> None:
        """We or a broker were away, or are back."""
        heard = self._heard
        if not self.names:
            return
        if given.kind is InputKind.RETURNED:
            ids = heard.having(KNOWN)
        else:
            code = self._code(given.rule)
            self._away[code] = given.kind is InputKind.AWAY and code < _SOURCES - 1
            if given.kind is InputKind.AWAY:
                return
            ids = heard.having(KNOWN)
            ids = ids[heard.source[ids] == code]
        often = self._silence.often(ids)
        self._dark.take(ids, often, -1)
        self._silence.start_again(ids, given.at_us, self._dark)
        self._dark.take(ids, often, 1)
        self._next_us = 0

    @property
    def away(self) -> frozenset[str]:
        """The brokers that are away."""
        return frozenset(name for code, name in enumerate(self._sources) if self._away[code])

    def _code(self, source: str) -> int:
        if source not in self._sources:
            if len(self._sources) >= _SOURCES - 1:
                return _SOURCES - 1
            self._sources.append(source)
        return self._sources.index(source)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; `changed` as for `Pairs.adopt`. A device that has no series any more
        leaves nothing behind."""
        if not self.names:
            return
        before, self._table = len(self._table), table
        if changed is None:
            self._heard.rebuild(table)
            self._recount()
            return
        slots = np.unique(np.concatenate((changed, np.arange(before, len(table), dtype=np.int32))))
        self._move(slots.astype(np.int32), table.device[slots])

    def forget(self, slots: Int32) -> None:
        """These slots are nobody's."""
        if self.names:
            slots = np.unique(slots[slots < len(self._table)]).astype(np.int32)
            self._move(slots, np.zeros(len(slots), np.int32))

    def _move(self, slots: Int32, device: Int32) -> None:
        heard = self._heard
        ids = heard.touched(slots, device)
        ids = ids[ids < heard.n]
        self._dark.take(ids, self._silence.often(ids), -1)
        awaited = ids[(heard.status[ids] & AWAITED) != 0]
        heard.move(self._table, slots, device)
        self._dark.take(ids, self._silence.often(ids), 1)
        known = ids[(heard.status[ids] & KNOWN) != 0]
        heard.due_us[known] = 0  # the limit, the building or the gateway may be another: looked at again
        self._called.append(awaited)
        self._next_us = 0

    def _recount(self) -> None:
        heard = self._heard
        ids = heard.having(KNOWN)
        self._dark.recount(ids, self._silence.often(ids))
        heard.due_us[ids] = 0
        self._next_us = 0

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm of their device, or of a building it stands for, is active."""
        status = self._heard.status[self._table.device[slots]]
        holds: Bool = (status & np.uint16(ACTIVE | ACTIVE_LONG)) != 0
        return holds | np.isin(slots, self._dark.slots())

    def lost_in(self, after: Presence, names: Collection[str], now_us: int) -> list[Transition]:
        """The clearings of alarms that are active here and not in `after`, which has taken this state.
        `names` are the rules there are now."""
        devices = self._silence.lost_in(after._silence, names, now_us, self._table)
        return devices + self._dark.lost_in(after._dark, names, now_us, self._table)

    def snapshot(self) -> State:
        """All state."""
        codes = np.flatnonzero(self._away[: len(self._sources)])
        return {
            **self._heard.snapshot(),
            **self._dark.snapshot(),
            "rules": np.array(self._silence.rule_names, np.str_),
            "sources": np.array(self._sources, np.str_),
            "away": codes.astype(np.uint8),
            "second": np.array([self._second], np.int64),
            "called": np.concatenate([np.empty(0, np.int32), *self._called]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, as far as devices and buildings are still there."""
        self._heard.restore(state)
        self._silence.drop_others([str(name) for name in state["rules"]])
        self._dark.restore(state)
        ids = self._heard.having(KNOWN)
        self._dark.recount(ids, self._silence.often(ids))
        self._sources = [str(name) for name in state["sources"]]
        self._away[:] = False
        self._away[state["away"]] = True
        self._second = int(state["second"][0])
        called = state["called"]
        self._called = [called[called < self._heard.n].astype(np.int32)]
        self._next_us = 0


def _before(ids: Int32, rows: Rows, said: tuple[Int32, Rows]) -> Bool:
    """Which of these readings came before their device was said to be offline."""
    at = np.minimum(np.searchsorted(said[0], ids), len(said[0]) - 1)
    before: Bool = (said[0][at] != ids) | (rows < said[1][at])
    return before
