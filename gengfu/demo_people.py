"""How the people of the demo behave: some answer at once, some only a call, most are asleep."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from devices.model import Medium, Role
from simulators.phones import Phones, Received
from simulators.places import Block
from simulators.tapper import TapFailed, Tapper

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Habit:
    """What somebody of a role does: which media wake them, and (pause in s, act, note) one after another."""

    media: frozenset[str]
    acts: tuple[tuple[float, str, str], ...]


AWAKE = frozenset(Medium)
CAUSE = "接线板过载起火，已断电 / overloaded socket strip, switched off"
HABITS: dict[Role, Habit] = {
    Role.FAMILY: Habit(AWAKE, ((24.0, "acknowledge", ""),)),
    Role.GRID_WORKER: Habit(
        frozenset({Medium.VOICE}),
        (
            (18.0, "acknowledge", ""),
            (240.0, "arrived", ""),
            (90.0, "handled", ""),
            (30.0, "feedback", CAUSE),
        ),
    ),
}
"""Delays in seconds of real use; the demo divides them by its clock ratio (chosen). Nobody else answers."""


@dataclass(slots=True)
class People:
    """Everybody with a phone in the block."""

    block: Block
    phones: Phones
    ratio: float
    _seen: dict[str, int] = field(default_factory=dict)
    _busy: set[asyncio.Task[None]] = field(default_factory=set)
    _answering: set[str] = field(default_factory=set)

    async def live(self) -> None:
        """Looks at all phones twice a second, until cancelled."""
        roles = {binding.contact: binding.role for binding in self.block.bindings}
        async with Tapper() as tapper:
            try:
                while True:
                    for contact in self.block.contacts:
                        habit = HABITS.get(roles[contact.code])
                        if habit:
                            self._look(contact.phone, habit, tapper)
                    await asyncio.sleep(0.5)
            finally:
                for task in self._busy:
                    task.cancel()

    def _look(self, phone: str, habit: Habit, tapper: Tapper) -> None:
        held = self.phones.phones.get(phone)
        if held is None:
            return
        messages = list(held.messages)
        fresh = messages[self._seen.get(phone, 0) :]
        self._seen[phone] = len(messages)
        waking = [m for m in fresh if m.medium in habit.media and m.link]
        if waking and phone not in self._answering:
            task = asyncio.create_task(self._answer(phone, habit, waking[-1], tapper))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    async def _answer(self, phone: str, habit: Habit, message: Received, tapper: Tapper) -> None:
        self._answering.add(phone)
        for pause_s, act, note in habit.acts:
            await asyncio.sleep(pause_s / self.ratio)
            try:
                await tapper.tap(message.link, act, note)
            except TapFailed as error:
                log.warning("tap refused", device=phone, act=act, reason=str(error))
        self._answering.discard(phone)
