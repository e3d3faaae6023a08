"""Presence: who is heard, who is not, and what is told of it. The part of the engine that time moves.

It puts together the columns of rules/heard.py, hearing (rules/hearing.py), the silence and the dark kernel.
Looking (`advance`) happens once a second and touches the devices that are due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    Bool,
    EngineInput,
    InputKind,
    Int32,
    Int64,
    SeriesTable,
)
from rules.brokers import Brokers
from rules.catalogue import Catalogue
from rules.found import Found
from rules.heard import (
    ACTIVE,
    ACTIVE_LONG,
    AWAITED,
    FAR,
    KNOWN,
    LOST,
    NEVER,
    PARKED,
    SILENT,
    Heard,
)
from rules.hearing import Hearing
from rules.kernels.dark import DarkKernel
from rules.kernels.dark_rule import DarkRule
from rules.kernels.silence import SilenceKernel, SilenceRule
from rules.kernels.silence_told import SilenceTold
from rules.look import Look
from rules.pairs import State
from rules.standing import Standing
from rules.transition import Transition

_SECOND_US: Final = 1_000_000


class Presence:
    """The silence and dark rules of a catalogue. Without any it does nothing and costs nothing."""

    def __init__(self, catalogue: Catalogue, table: SeriesTable) -> None:
        silent, dark = catalogue.of(SilenceRule), catalogue.of(DarkRule)
        self.names = frozenset(rule.name for rule in (*silent, *dark))
        self._rules = (silent, dark)
        self._heard = Heard(table)
        self._silence = SilenceKernel(silent, self._heard)
        self._told = SilenceTold(self._silence, catalogue.order())
        self._dark = DarkKernel(dark[0] if dark else None, self._heard)
        self._table = table
        self._brokers = Brokers()
        self._hearing = Hearing(self._heard, self._silence, self._told, self._dark, self._brokers)
        self._second = -1
        self._looked_us = NEVER
        self._next_us = 0

    def goes_on(self, catalogue: Catalogue) -> bool:
        """Whether these are the rules of `catalogue` as they are; then its order holds from here on."""
        if self._rules != (catalogue.of(SilenceRule), catalogue.of(DarkRule)):
            return False
        self._told.order = catalogue.order()
        return True

    def hear(self, look: Look, says_online: bool, source: str) -> list[Found]:
        """Takes what a batch says of who is there. `says_online`: it has readings of `device.online`."""
        return self._hearing.hear(look, self._table, says_online, source) if self.names else []

    def advance(self, now_us: int) -> list[Transition]:
        """See `Engine.advance`."""
        if not self.names or now_us // _SECOND_US == self._second:
            return []
        self._second = now_us // _SECOND_US
        before_us, self._looked_us = self._looked_us, now_us
        if before_us <= now_us < self._soon_us:
            return []
        self._follow_gateways()
        if now_us < before_us:
            self._turn_back(now_us, before_us)
        self._wake()
        return self._look(now_us)

    def _look(self, now_us: int) -> list[Transition]:
        heard, away = self._heard, self._brokers.away
        ids = np.flatnonzero(heard.due_us[: heard.n] <= now_us).astype(np.int32)
        fell = self._fall(ids, now_us)
        told, loose = self._dark.judge(self._silence.often, now_us)
        asked = np.zeros(heard.n, np.bool_)
        for some in (ids, fell, self._dark.silent_in(loose) if len(loose) else loose):
            asked[some] = True
        waiting = np.flatnonzero(asked).astype(np.int32)
        waiting = waiting[(heard.status[waiting] & SILENT) != 0]
        told += self._told.decide(waiting, now_us, away, self._dark, self._table)
        self._next_us = min(self._dark.due_us(now_us), int(heard.due_us[: heard.n].min()))
        self._hearing.due_us = FAR
        return told

    def _fall(self, ids: Int32, now_us: int) -> Int32:
        """These are due: those that fall silent, and gateways with them. Who waits for one is lost."""
        heard, silence, away = self._heard, self._silence, self._brokers.away
        asked = silence.ask_again(ids)
        if len(asked):
            with self._dark.recounted(asked, silence.often):
                heard.status[asked] &= np.uint16(0xFFFF ^ LOST)
        fell = silence.fall(ids, now_us, away)
        self._dark.take_silent(fell, silence.often(fell))
        if (heard.status[ids] & PARKED).any() or (heard.status[fell] & AWAITED).any():
            lost = silence.lose(away)
            self._dark.take_silent(lost, silence.often(lost))
        return fell

    def _wake(self) -> None:
        """Devices whose gateway was heard again are looked at."""
        gateways = self._hearing.take_called()
        if len(gateways):
            self._heard.due_us[self._heard.behind(gateways)] = 0

    def _follow_gateways(self) -> None:
        """The silence of devices whose gateway has returned goes on."""
        back = self._hearing.take_returned()
        if not len(back.device):
            return
        ids = self._heard.children(back.device)
        self._heard.note_waited(ids)
        self._go_on(ids, *back.of(self._heard.parent[ids]), 0)

    def _go_on(self, ids: Int32, went_us: Int64 | int, at_us: Int64 | int, grace_us: Int64 | int) -> None:
        covered = self._dark.covered(ids, self._silence.often(ids))
        with self._dark.recounted(ids, self._silence.often):
            self._silence.go_on(ids, went_us, at_us, grace_us, covered)

    def _turn_back(self, now_us: int, before_us: int) -> None:
        """The clock has been ahead, at the look before."""
        self._heard.turn_back(now_us, before_us)
        self._dark.turn_back(now_us)
        self._brokers.turn_back(now_us)

    @property
    def due_us(self) -> int:
        """See `Engine.due_us`."""
        return max((self._second + 1) * _SECOND_US, self._soon_us) if self.names else FAR

    @property
    def _soon_us(self) -> int:
        return min(self._next_us, self._hearing.due_us)

    def apply(self, given: EngineInput, now_us: int) -> list[Transition]:
        """What a person's reset or close of an alarm that this tells clears."""
        cleared = self._apply(given, now_us)
        return [cleared] if cleared else []

    def _apply(self, given: EngineInput, now_us: int) -> Transition | None:
        self._next_us = 0
        if self._dark.rule is not None and given.rule == self._dark.rule.name:
            self._heard.due_us[self._dark.silent_in(np.array([given.place], np.int32))] = 0
            return self._dark.apply(given, now_us, self._table)
        return self._told.apply(given, now_us, self._table)

    def note(self, given: EngineInput) -> None:
        """We or a broker were away, or are back."""
        heard, brokers = self._heard, self._brokers
        if not self.names:
            return
        if given.kind is InputKind.AWAY:
            brokers.leave(given.rule, given.at_us)
            return
        ids = heard.having(KNOWN)
        if given.kind is InputKind.RETURNED:
            went_us: int | None = max(given.from_us, self._looked_us)
            ids = ids[~brokers.away[heard.source[ids]]]
        else:
            went_us = brokers.come_back(given.rule)
            ids = ids[heard.source[ids] == brokers.code(given.rule)]
        if went_us is not None:
            self._go_on(ids, went_us, given.at_us, self._silence.grace_us(ids))
            self._next_us = 0

    @property
    def away(self) -> frozenset[str]:
        """The brokers that are away."""
        return self._brokers.gone

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
        awaited = ids[(heard.status[ids] & AWAITED) != 0]
        with self._dark.recounted(ids, self._silence.often):
            heard.move(self._table, slots, device)
        known = ids[(heard.status[ids] & KNOWN) != 0]
        heard.due_us[known] = 0  # the limit, the building or the gateway may be another: looked at again
        self._hearing.call(awaited)
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

    def alarms(self, among: Int32 | None = None) -> Iterator[Standing]:
        """Every alarm that is active; or those of devices that have, or had, one of the slots `among`."""
        if among is None:
            yield from self._told.alarms()
            yield from self._dark.alarms()
        elif self.names and len(among):
            ids = self._heard.touched(among, np.zeros(len(among), np.int32))
            yield from self._told.alarms(ids[ids < self._heard.n])

    def snapshot(self) -> State:
        """All state."""
        return {
            **self._heard.snapshot(),
            **self._dark.snapshot(),
            **self._brokers.snapshot(),
            "rules": np.array(self._told.rule_names, np.str_),
            "looked_us": np.array([self._looked_us, self._second], np.int64),
            **self._hearing.snapshot(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, as far as devices and buildings are there. What it does not say is blank."""
        heard = self._heard
        heard.restore(state)
        self._told.drop_others([str(name) for name in state.get("rules", self._told.rule_names)])
        self._dark.restore(state)
        ids = heard.having(KNOWN)
        self._dark.recount(ids, self._silence.often(ids))
        self._brokers.restore(state)
        self._looked_us, self._second = state.get("looked_us", np.array([NEVER, -1])).tolist()
        self._hearing.restore(state, heard.n)
        self._next_us = 0
