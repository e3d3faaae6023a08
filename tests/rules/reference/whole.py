"""The whole engine: every rule on every series, one reading after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from devices.model import EngineInput, InputKind, SeriesTable
from rules.transition import To
from tests.rules.reference.count import Count
from tests.rules.reference.curve import Curve
from tests.rules.reference.entries import Entry, entries_of
from tests.rules.reference.excess import Excess
from tests.rules.reference.flag import Flag
from tests.rules.reference.joint import Joint
from tests.rules.reference.judging import Judge
from tests.rules.reference.mean import Mean
from tests.rules.reference.measure import Measure
from tests.rules.reference.neutral import Neutral
from tests.rules.reference.nights import Nights
from tests.rules.reference.place import Meeting
from tests.rules.reference.plateau import Plateau
from tests.rules.reference.presence import Presence
from tests.rules.reference.rate import Rate
from tests.rules.reference.reading import HOUR, One, Told
from tests.rules.reference.rise import Rise
from tests.rules.reference.smoulder import Smoulder
from tests.rules.reference.spread import Spread
from tests.rules.reference.supply import Supply
from tests.rules.reference.suspect import Suspect
from tests.rules.reference.telling import ended_by, told_of
from tests.rules.reference.threshold import Threshold
from tests.rules.reference.usual import Usual
from tests.rules.reference.world import World

MEASURES: Final[dict[str, type[Measure]]] = {
    "threshold": Threshold,
    "mean": Mean,
    "rate": Rate,
    "curve": Curve,
    "count": Count,
    "usual": Usual,
    "nights": Nights,
    "excess": Excess,
    "rise": Rise,
    "spread": Spread,
    "joint": Joint,
    "neutral": Neutral,
    "supply": Supply,
    "plateau": Plateau,
    "smoulder": Smoulder,
    "suspect": Suspect,
}
KINDS: Final = frozenset({*MEASURES, "flag", "place", "gate", "bound", "silence", "dark"})
"""The kinds of which there is a reference."""


class Held:
    """One judged rule on one series."""

    def __init__(self, entry: Entry, slot: int, world: World, *, gated: bool) -> None:
        self.entry, self.world = entry, world
        self.judge = Judge(entry, slot, world, gated=gated)
        self.measure = MEASURES[entry.kernel](entry, slot, world, self.judge)
        self.stands = self.measure.stands()
        """The series that its alarm is about, and by which it is judged."""

    def read(self, one: One) -> Told | None:
        if not self.measure.sees(one):
            return None
        value = self.measure.read(one)
        if value is None or not self.judge.read(value, one.observed, queued=one.queued):
            return None
        self.judge.told = one.received
        to = To.RAISED if self.judge.active else To.CLEARED
        marks = self.entry.marks if self.judge.active else []
        return told_of(self.entry, to, one, self.world, marks=marks) | {"slot": self.stands}

    def act(self, given: EngineInput, now: int) -> bool:
        if not self.judge.active or given.slot != self.stands:
            return False
        if given.at_us < self.judge.told <= now:  # it is about another
            return False
        self.judge.active = False
        self.judge.forget()
        self.measure.ended()
        return True


class Reference:
    """All of it. `read` and `act` return what changed."""

    def __init__(self, texts: Iterable[str], table: SeriesTable, ahead_us: int = 8 * HOUR) -> None:
        self.world = World(table, ahead_us)
        self.entries = entries_of(texts)
        gated = {name for entry in self.entries if entry.kernel == "gate" for name in entry.keys["gates"]}
        self.rules: dict[int, dict[str, Flag | Held]] = {slot: {} for slot in range(len(table))}
        for entry in self.entries:
            for slot in range(len(table)):
                if table.metric[slot] not in entry.metrics:
                    continue
                if entry.kernel == "flag":
                    self.rules[slot][entry.name] = Flag(entry, slot, self.world)
                elif entry.kernel in MEASURES:
                    self.rules[slot][entry.name] = Held(entry, slot, self.world, gated=entry.name in gated)
        self._judge_where_they_stand()
        watches = any(entry.kernel == "silence" for entry in self.entries)
        self.presence = Presence(self.entries, self.world) if watches else None
        self.meetings: dict[tuple[str, int], Meeting] = {}

    def read(self, one: One, source: str = "") -> list[Told]:
        if one.usable:
            self.world.newest[one.slot] = one
        changes = self.presence.read(one, source) if self.presence else []
        changes += [change for rule in self.rules[one.slot].values() if (change := rule.read(one))]
        order = {entry.name: entry.order for entry in self.entries}
        changes.sort(key=lambda change: order[change["rule"]])
        return [told for change in changes for told in (change, *self._feed(change, one.received))]

    def _judge_where_they_stand(self) -> None:
        for rules in self.rules.values():
            for name, rule in rules.items():
                if isinstance(rule, Held):
                    judging = self.rules[rule.stands][name]
                    assert isinstance(judging, Held)
                    rule.judge = rule.measure.judge = judging.judge

    def advance(self, now: int) -> list[Told]:
        return self.presence.advance(now) if self.presence else []

    def act(self, given: EngineInput, now: int) -> list[Told]:
        if given.kind is InputKind.UNFOUNDED:
            for rule in self.rules[given.slot].values():
                if isinstance(rule, Held):
                    rule.measure.heed(given)
            return []
        if given.kind not in (InputKind.RESET, InputKind.CLOSE):
            if self.presence:
                self.presence.note(given)
            return []
        if self.presence and given.rule in self.presence.names:
            return self.presence.act(given, now)
        meeting = self.meetings.get((given.rule, given.place))
        if meeting:
            over = meeting.act(given, now)
            return [over] if over else []
        held = self.rules.get(given.slot, {}).get(given.rule)
        if held is None or not held.act(given, now):
            return []
        ended = ended_by(held.entry, given, given.slot, now, self.world)
        return [ended, *self._feed(ended | {"received": given.at_us}, now)]

    def _feed(self, told: Told, now: int) -> list[Told]:
        """What a change of an alarm makes of its dwelling at `now`. A visit is no alarm and meets nothing."""
        usual = next(entry.severity for entry in self.entries if entry.name == told["rule"])
        if told["severity"] is not usual:
            return []
        raised = []
        for entry in self.entries:
            if entry.kernel == "place" and told["rule"] in [*entry.keys["anchor"], *entry.keys["partner"]]:
                place = self._place(entry, told)
                meeting = self.meetings.setdefault((entry.name, place), Meeting(entry, place, self.world))
                raised += [met] if place and (met := meeting.feed(told, now)) else []
        return raised

    def _place(self, entry: Entry, told: Told) -> int:
        """The place that an alarm is in, for a rule on places; 0 for none."""
        scope, dwelling, table = entry.keys.get("scope", "dwelling"), int(told["dwelling"]), self.world.table
        if scope == "common":
            return 0 if dwelling else int(table.building[told["slot"]])
        return int(table.stair[told["slot"]]) if scope == "stair" else dwelling
