"""The cases of one turn in memory, found by place, stair and alarm. Touches nothing but values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from alerts.case import Alarm, Case, Hazard
from alerts.exercise import burns, doubtful
from alerts.gate import exercise_in
from alerts.incident import Arrival
from alerts.joining import Where
from alerts.meeting import holders
from alerts.places import is_shared, stair_in
from alerts.windows import EXERCISED, Window, WindowKind
from rules.transition import Subject


class CasesAtHand:
    """Cases by id; incidents opened in this turn have negative ids. `stairs` is each dwelling's stair."""

    def __init__(self, cases: Mapping[int, Case], stairs: Mapping[int, int]) -> None:
        self.loaded = dict(cases)
        self.cases = dict(cases)
        self._stairs = stairs
        self._at_place: dict[str, set[int]] = defaultdict(set)
        self._holding: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._fires: dict[int, set[int]] = defaultdict(set)
        self._note_where(cases)

    def open_at(self, place: str) -> list[Case]:
        """The open cases of a place."""
        cases = (self.cases[key] for key in sorted(self._at_place.get(place, ())))
        return [case for case in cases if case.incident.state.is_open]

    def changed(self) -> dict[int, Case]:
        """What has to be stored."""
        return {key: case for key, case in self.cases.items() if case is not self.loaded.get(key)}

    def holders(self, arrival: Arrival, where: Where) -> list[Case]:
        """The incidents to which an alarm of two devices in a building's common parts belongs, the surest
        first; none where it is a matter of its own place.

        One of them may hang on a stair and the other elsewhere: the people of the fires that stand there must
        hear that it is worse.
        """
        hazard = arrival.hazard
        if hazard is Hazard.FAULT or not is_shared(arrival.subject):
            return []
        there = (
            case
            for case in self.cases.values()
            if case.incident.hazard is hazard
            and case.incident.state.is_open
            and not case.incident.dwelling_id
            and case.incident.building_id == where.building_id != 0
            and self.is_like(case, where)
        )
        return holders(arrival, there, where.key)

    def _stair_of(self, key: str, dwelling_id: int) -> int:
        """The stair of a place, in one of its dwellings or outside them; 0 where it is on none."""
        return stair_in(key) or self._stairs.get(dwelling_id, 0)

    def fires_in_stair(self, where: Where) -> list[Case]:
        """The open fires of its stair but for its own, real ones or of a drill as it is itself."""
        stair = self._stair_of(where.key, where.dwelling_id)
        if not stair:
            return []
        fires = (self.cases[key] for key in sorted(self._fires[stair]))
        return [
            one
            for one in fires
            if one.incident.state.is_open and one.incident.place != where.key and self.is_like(one, where)
        ]

    def is_like(self, case: Case, where: Where) -> bool:
        """Whether both are real, or of a drill: no exercise has a part in what is real, nor the other way
        round, and a device that is being commissioned is alone with itself."""
        kind = exercise_in(where.key)
        return exercise_in(case.incident.place) == kind != WindowKind.COMMISSIONING

    def is_real(self, arrival: Arrival, where: Where, window: Window) -> bool:
        """Whether an alarm within a window is real all the same: where it stands in a real incident it goes
        on there, and where it really burns, or in that stair, there is no drill."""
        here = self.open_at(where.key)
        if any(alarm.identity == arrival.identity for case in here for alarm in case.active()):
            return True
        return window.kind is WindowKind.DRILL and burns([*here, *self.fires_in_stair(where)])

    def doubtful(self, arrival: Arrival, where: Where) -> Case | None:
        """The exercise without which there would be no such alarm of two devices together."""
        about = arrival.subject.partition(":")[0]
        if not arrival.place or about not in set(Subject) or arrival.hazard not in EXERCISED:
            return None
        near = [case for case in self.cases.values() if self._is_near(case, about, arrival, where)]
        return doubtful(arrival, near)

    def _is_near(self, case: Case, about: str, arrival: Arrival, where: Where) -> bool:
        """Whether an incident is where an alarm of two devices together is about; in a stair and in a
        building whatever is in its common parts."""
        incident = case.incident
        if about == Subject.DWELLING:
            return incident.dwelling_id == arrival.place
        common = incident.building_id == where.building_id and not incident.dwelling_id
        if about == Subject.STAIR and incident.dwelling_id:
            return self._stair_of(incident.place, incident.dwelling_id) == arrival.place
        return common

    def fresh_id(self) -> int:
        """The number of the next incident that is opened in this turn."""
        return min(0, *self.cases, 0) - 1

    def holding(self, alarm: Arrival | Alarm) -> list[int]:
        """The incidents in which this alarm stands."""
        holding, identity = sorted(self._holding[alarm.identity]), alarm.identity
        return [key for key in holding if any(a.identity == identity for a in self.cases[key].active())]

    def held(self, arrival: Arrival) -> frozenset[int]:
        """Those, and the incidents in which it stood until this turn."""
        return frozenset(self._holding[arrival.identity])

    def put(self, changed: Mapping[int, Case]) -> None:
        """Takes cases in, new or changed."""
        self.cases |= changed
        self._note_where(changed)

    def _note_where(self, cases: Mapping[int, Case]) -> None:
        for key, case in cases.items():
            incident = case.incident
            self._at_place[incident.place].add(key)
            if incident.hazard is Hazard.FIRE:
                self._fires[self._stair_of(incident.place, incident.dwelling_id)].add(key)
            for alarm in case.active():
                self._holding[alarm.identity].add(key)
