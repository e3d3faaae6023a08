"""Who may do what: the table "Who may end it" of life_safety. Pure.

A person's standing is the roles they hold at the place (`Role` values) or their console account
(`user:operator`, `user:supervisor`, `user:admin`). The duty desk's telephone stands in the operator's place
for what can be said by one tap; ending an incident needs a console account. `admin` manages accounts and
settings and acts on no incident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from alerts.case import Act
from alerts.sayings import Words
from devices.model import Role

OPERATOR: Final = "user:operator"
SUPERVISOR: Final = "user:supervisor"
ADMIN: Final = "user:admin"
DESKS: Final = frozenset({OPERATOR, SUPERVISOR})
"""A supervisor may do at the desk whatever an operator may."""

_ANYONE: Final = frozenset({*map(str, Role), *DESKS})
_AT_THE_DESK: Final = DESKS | {str(Role.DUTY_DESK)}
_RESIDENTS: Final = frozenset({str(Role.FAMILY), str(Role.NEIGHBOUR)})
_ON_SITE: Final = frozenset({str(Role.GRID_WORKER), str(Role.MICRO_STATION), str(Role.FIRE_BRIGADE)})

ALLOWED: Final[Mapping[Act, frozenset[str]]] = {
    Act.ACKNOWLEDGE: _ANYONE,
    Act.CONFIRM: _RESIDENTS | {str(Role.GRID_WORKER), str(Role.MICRO_STATION)} | _AT_THE_DESK,
    Act.FALSE_ALARM: frozenset({str(Role.FAMILY), str(Role.GRID_WORKER)}) | _AT_THE_DESK,
    Act.ARRIVED: _ON_SITE | _AT_THE_DESK,
    Act.NEED_HELP: _ANYONE,
    Act.HANDLED: _ON_SITE | _AT_THE_DESK,
    Act.FEEDBACK: frozenset({str(Role.GRID_WORKER)}) | DESKS,
    Act.VERIFY: frozenset({str(Role.GRID_WORKER), str(Role.BUILDING_SECRETARY)}) | DESKS,
    Act.CLOSE: DESKS,
    Act.REOPEN: DESKS,
    Act.RESET: DESKS,
    Act.CANCEL: DESKS,
    Act.REJECT: DESKS,
    Act.NOTE: _ANYONE,
    Act.MERGE: DESKS,
    Act.SPLIT: DESKS,
}
"""Who takes an act into effect. Where life_safety is silent (ours):

* a neighbour is a resident and may confirm, as in "every 2 min to residents";
* `handled` is for whoever may say `arrived`;
* an operator may feed back what a grid worker reports by telephone; a second person still verifies;
* cancel, reject, reopen, merge and split are the desk's.
"""


class Leave(StrEnum):
    """How far an act may go."""

    DO = "do"
    NOTE = "note"
    REFUSE = "refuse"


def may(act: Act, standing: Iterable[str]) -> Leave:
    """Whether somebody with this standing may do `act`; a neighbour's false alarm is a note."""
    held = set(standing)
    if held & ALLOWED[act]:
        return Leave.DO
    if act is Act.FALSE_ALARM and str(Role.NEIGHBOUR) in held:
        return Leave.NOTE
    return Leave.REFUSE


def offered(standing: Iterable[str]) -> tuple[Act, ...]:
    """The acts to show to somebody with this standing, whatever the state; notes included."""
    held = tuple(standing)
    return tuple(act for act in Act if may(act, held) is not Leave.REFUSE)


def allowed_words(act: Act) -> Words:
    """Who may do `act`, as words for a saying."""
    return Words(sorted(ALLOWED[act]))
