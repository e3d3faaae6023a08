"""The confirm gate. A page to a station cannot be made without the leave that only this file gives.

* Real: the incident is no drill, test or commissioning. Needed for `micro_station`.
* Confirmed: Real, and a confirmed fire (P0+). Needed for `fire_brigade`.
* AgreedUnconfirmed: Real, and this very brigade agreed to be told of unconfirmed alarms.

The three can be made by `real`, `confirmed` and `agreed` alone, so a drill reaches no station because the
code that would tell one has nothing to tell it with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devices.bound import Bound, Way
from devices.model import Role, Severity

EXERCISE_TAGS: Final = frozenset({"drill", "test", "commissioning"})
"""Tags of incidents that are exercises of ours. A vendor's test bit never sets one."""


def exercise_in(place: str) -> str:
    """The exercise that the key of an incident's place begins with (`drill:dwelling:5`, `commissioning:UID`);
    empty for a real one."""
    kind = place.partition(":")[0]
    return kind if kind in EXERCISE_TAGS else ""


class GateError(Exception):
    """Code tried to go round the gate. A bug: the page is not made."""


class _Seal:
    """Known to this file only."""


_SEAL: Final = _Seal()


class Real:
    """Leave to tell stations in the neighbourhood."""

    __slots__ = ("incident_id",)

    def __init__(self, seal: _Seal, incident_id: int) -> None:
        if seal is not _SEAL:
            raise GateError("leave to tell a station is given by alerts.gate only")
        self.incident_id = incident_id


class Confirmed(Real):
    """Leave to tell any fire brigade."""

    __slots__ = ()


class AgreedUnconfirmed(Real):
    """Leave to tell the one brigade that agreed to unconfirmed alarms."""

    __slots__ = ("contact_id",)

    def __init__(self, seal: _Seal, incident_id: int, contact_id: int) -> None:
        super().__init__(seal, incident_id)
        self.contact_id = contact_id


Leave = Real | None


def real(incident_id: int, tags: Iterable[str]) -> Real | None:
    """Leave for the micro station, unless the incident is an exercise."""
    return None if EXERCISE_TAGS & set(tags) else Real(_SEAL, incident_id)


def confirmed(leave: Leave, severity: Severity) -> Confirmed | None:
    """Leave for the brigade: a real incident that two devices, an electrical alarm or a person confirmed."""
    if leave is None or severity is not Severity.P0_PLUS:
        return None
    return Confirmed(_SEAL, leave.incident_id)


def agreed(leave: Leave, brigade: Bound) -> AgreedUnconfirmed | None:
    """Leave for one brigade whose binding says that it takes unconfirmed alarms."""
    if leave is None or brigade.role is not Role.FIRE_BRIGADE or not brigade.takes_unconfirmed:
        return None
    return AgreedUnconfirmed(_SEAL, leave.incident_id, brigade.contact_id)


@dataclass(frozen=True, slots=True)
class Page:
    """One contact to be told one thing by one way. Refuses to exist for a station without its leave."""

    incident_id: int
    epoch: int
    step: str
    n: int
    to: Bound
    way: Way
    saying: str
    leave: Leave = None

    def __post_init__(self) -> None:
        if self.to.role is Role.MICRO_STATION and not isinstance(self.leave, Real):
            raise GateError("a micro station is told with leave only")
        if self.to.role is Role.FIRE_BRIGADE and not self._may_tell_brigade():
            raise GateError("the fire brigade is told through the confirm gate only")
        if self.leave is not None and self.leave.incident_id != self.incident_id:
            raise GateError("this leave belongs to another incident")

    def _may_tell_brigade(self) -> bool:
        if isinstance(self.leave, AgreedUnconfirmed):
            return self.leave.contact_id == self.to.contact_id
        return isinstance(self.leave, Confirmed)
