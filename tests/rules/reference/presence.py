"""Who is heard and who is not: `silence` and `dark` together."""

from __future__ import annotations

from devices.model import EngineInput
from tests.rules.reference.dark import Dark
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import SECOND, One, Told
from tests.rules.reference.silence import NEVER, Silence
from tests.rules.reference.world import World


class Presence:
    """The only part that time moves."""

    def __init__(self, entries: list[Entry], world: World) -> None:
        self.silence = Silence([entry for entry in entries if entry.kernel == "silence"], world)
        self.dark = Dark(next(entry for entry in entries if entry.kernel == "dark"), self.silence)
        self.names = {entry.name for entry in entries if entry.kernel in ("silence", "dark")}
        self.second = -1
        self.looked = NEVER

    def read(self, one: One, source: str) -> list[Told]:
        return self.silence.read(one, source)

    def act(self, given: EngineInput, now: int) -> list[Told]:
        of = self.dark if given.rule == self.dark.entry.name else self.silence
        return of.act(given, now)

    def note(self, given: EngineInput) -> None:
        self.silence.note(given, self.dark.covers, self.looked)

    def advance(self, now: int) -> list[Told]:
        if now // SECOND == self.second:
            return []
        self.second = now // SECOND
        self.silence.follow_gateways(self.dark.covers)
        if now < self.looked:
            self.silence.turn_back(now)
            self.dark.turn_back(now)
        self.looked = now
        self.silence.fall(now)
        told = self.dark.look(now)
        for number in sorted(self.silence.devices):
            device = self.silence.devices[number]
            if device.silent and device.source not in self.silence.away and self.dark.may_tell(device, now):
                told += self.silence.tell(device, now)
        return told
