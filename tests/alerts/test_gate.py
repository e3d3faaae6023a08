from __future__ import annotations

import pytest

from alerts.gate import AgreedUnconfirmed, Confirmed, GateError, Page, Real, agreed, confirmed, real
from devices.bound import Bound, Way
from devices.model import Carrier, Medium, Role, Severity

PUSH = Way(1, Medium.PUSH, Carrier.WEBHOOK, 1)


def somebody(role: Role, contact_id: int = 1, takes_unconfirmed: bool = False) -> Bound:
    return Bound(contact_id, "code", role, 1, takes_unconfirmed, "en", (PUSH,))


def page(to: Bound, leave: Real | None = None, incident_id: int = 5) -> Page:
    return Page(incident_id, 0, "at_once", 0, to, PUSH, "alarm", leave)


def test_the_brigade_cannot_be_paged_without_leave() -> None:
    with pytest.raises(GateError):
        page(somebody(Role.FIRE_BRIGADE))


def test_leave_for_the_micro_station_is_no_leave_for_the_brigade() -> None:
    leave = real(5, ())
    assert page(somebody(Role.MICRO_STATION), leave)
    with pytest.raises(GateError):
        page(somebody(Role.FIRE_BRIGADE), leave)


def test_the_micro_station_cannot_be_paged_without_leave() -> None:
    with pytest.raises(GateError):
        page(somebody(Role.MICRO_STATION))


@pytest.mark.parametrize("tag", ["drill", "test", "commissioning"])
def test_an_exercise_gives_no_leave_at_all(tag: str) -> None:
    leave = real(5, ["late", tag])
    assert leave is None
    assert confirmed(leave, Severity.P0_PLUS) is None
    assert agreed(leave, somebody(Role.FIRE_BRIGADE, takes_unconfirmed=True)) is None


def test_only_p0_plus_confirms() -> None:
    for severity in Severity:
        assert (confirmed(real(5, ()), severity) is not None) == (severity is Severity.P0_PLUS)


def test_only_the_brigade_that_agreed_has_leave_for_unconfirmed_alarms() -> None:
    willing = somebody(Role.FIRE_BRIGADE, 7, takes_unconfirmed=True)
    leave = agreed(real(5, ()), willing)
    assert page(willing, leave)
    with pytest.raises(GateError):
        page(somebody(Role.FIRE_BRIGADE, 8, takes_unconfirmed=True), leave)
    assert agreed(real(5, ()), somebody(Role.FIRE_BRIGADE)) is None
    assert agreed(real(5, ()), somebody(Role.GRID_WORKER, takes_unconfirmed=True)) is None


def test_leave_for_one_incident_is_no_leave_for_another() -> None:
    leave = confirmed(real(5, ()), Severity.P0_PLUS)
    assert page(somebody(Role.FIRE_BRIGADE), leave)
    with pytest.raises(GateError):
        page(somebody(Role.FIRE_BRIGADE), leave, incident_id=6)


@pytest.mark.parametrize("kind", [Real, Confirmed, AgreedUnconfirmed])
def test_nobody_else_can_make_leave(kind: type[Real]) -> None:
    arguments = (object(), 5, 1) if kind is AgreedUnconfirmed else (object(), 5)
    with pytest.raises(GateError):
        kind(*arguments)
