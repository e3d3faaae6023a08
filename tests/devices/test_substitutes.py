"""Who stands in for whom, and until when."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from devices import registry
from devices.bound import duty_desks, has_duty_desk, unreachable_dwellings
from devices.model import Role
from devices.registry import AlreadyThere, NotAllowed, NotThere
from devices.unreachable import standing_version
from devices.vault import Vault
from tests.devices.conftest import NOW_US
from tests.devices.office import HOUR_US, Ids, Office


@pytest.fixture
def office(connection: Connection, vault: Vault, block: Ids) -> Office:
    return Office(connection, vault, block)


def test_a_substitute_takes_the_place_of_who_is_away_for_as_long_as_they_are(office: Office) -> None:
    office.meets("worker", "stand-in")
    office.binds("worker", Role.GRID_WORKER, "area", "G", rank=2, delay_s=9, quiet="22:00-06:00")
    office.substitutes("worker", "stand-in", (2, 5))
    assert [office.codes(hour) for hour in (1, 2, 4.9, 5)] == [
        ["worker"], ["worker", "stand-in"], ["worker", "stand-in"], ["worker"],
    ]  # fmt: skip
    one = office.one("stand-in", 3)
    assert (one.role, one.rank, one.delay_s, one.quiet) == (Role.GRID_WORKER, 2, 9, None)
    assert (one.stands_for, one.away) == (("worker",), False)
    assert [office.one("worker", hour).away for hour in (1, 3, 5)] == [False, True, False]


def test_a_substitution_taken_back_ends_then_and_stays_on_record(office: Office) -> None:
    office.meets("worker", "stand-in")
    office.binds("worker", Role.GRID_WORKER, "area", "G")
    number = office.substitutes("worker", "stand-in", (0, 9))
    office.at(4)
    registry.cancel_substitution(office.connection, substitution_id=number, **office.who)
    assert [office.codes(hour) for hour in (3, 4)] == [["worker", "stand-in"], ["worker"]]
    with pytest.raises(NotThere, match=str(number)):
        registry.cancel_substitution(office.connection, substitution_id=number, **office.who)
    assert registry.list_substitutions(office.connection, since_us=office.now_us) == []
    [row] = registry.list_substitutions(office.connection, contact_code="stand-in")
    assert (row.contact, row.substitute, row.cancelled_us) == ("worker", "stand-in", office.now_us)


def test_a_substitute_in_one_role_leaves_the_others_alone(office: Office) -> None:
    office.meets("worker", "stand-in")
    office.binds("worker", Role.GRID_WORKER, "area", "G")
    office.binds("worker", Role.VOLUNTEER, "stair", "S1")
    office.substitutes("worker", "stand-in", (0, 9), role="volunteer")
    assert [(one.code, one.role, one.away) for one in office.people(1)] == [
        ("worker", Role.GRID_WORKER, False),
        ("worker", Role.VOLUNTEER, True),
        ("stand-in", Role.VOLUNTEER, False),
    ]


def test_substitutes_are_not_chained_and_who_named_an_absent_one_is_told(office: Office) -> None:
    office.meets("a", "b", "c")
    office.binds("a", Role.GRID_WORKER, "area", "G")
    office.substitutes("a", "b", (0, 9))
    office.substitutes("b", "c", (3, 9))
    assert [(office.codes(hour), office.one("a", hour).away) for hour in (1, 3)] == [
        (["a", "b"], True),
        (["a"], False),
    ]


def test_two_colleagues_who_stand_in_for_each_other_are_both_told(office: Office) -> None:
    office.meets("a", "b")
    office.binds("a", Role.GRID_WORKER, "area", "G")
    office.binds("b", Role.GRID_WORKER, "area", "G")
    office.substitutes("a", "b", (0, 9))
    office.substitutes("b", "a", (0, 9))
    assert [(one.code, one.away) for one in office.people(1)] == [("a", False), ("b", False)]


def test_a_colleague_who_stands_in_appears_once_with_the_better_rank(office: Office) -> None:
    office.meets("first", "second")
    office.binds("first", Role.GRID_WORKER, "area", "G", rank=1, delay_s=7)
    office.binds("second", Role.GRID_WORKER, "area", "G", rank=2, quiet="22:00-06:00")
    office.substitutes("first", "second", (0, 9))
    second = office.one("second", 1)
    assert (second.rank, second.delay_s, second.quiet, second.stands_for) == (1, 7, None, ("first",))


def test_a_brigades_agreement_does_not_pass_to_who_stands_in(office: Office) -> None:
    office.meets("brigade", "other")
    office.binds("brigade", Role.FIRE_BRIGADE, "area", "C", takes_unconfirmed=True)
    office.substitutes("brigade", "other", (0, 9))
    assert {one.code: one.takes_unconfirmed for one in office.people(1)} == {"brigade": True, "other": False}


def test_a_substitute_makes_up_for_who_cannot_be_reached(office: Office) -> None:
    office.meets("mute", "desk", phone=False)
    office.meets("stand-in")
    device = {"uid": "own:1", "kind": "smoke", "profile": "own", "dwelling_code": "201", **office.who}
    registry.register_device(office.connection, **device)  # type: ignore[arg-type]
    office.binds("mute", Role.FAMILY, "dwelling", "201")
    office.binds("desk", Role.DUTY_DESK, "area", "C")
    for code in ("mute", "desk"):
        office.substitutes(code, "stand-in", (2, 5))
    hours = [NOW_US + hour * HOUR_US for hour in (1, 2, 5)]
    flat = office.block["201"]
    assert [unreachable_dwellings(office.connection, at) for at in hours] == [(flat,), (), (flat,)]
    assert [has_duty_desk(office.connection, at) for at in hours] == [False, True, False]
    assert [one.code for one in duty_desks(office.connection, hours[1])] == ["desk", "stand-in"]
    assert len({standing_version(office.connection, at) for at in hours}) == 3


@pytest.mark.parametrize(
    ("stand_in", "hours", "reason"),
    [
        ("worker", (0, 1), "somebody other"),
        ("stand-in", (2, 2), "an end after its beginning"),
        ("stand-in", (3, 2), "an end after its beginning"),
        ("stand-in", (-9, -8), "an end in the future"),
        ("stand-in", (0, 400 * 24 + 1), "at most 400 days"),
        ("mute", (0, 1), "'mute' has no way of being reached"),
    ],
)
def test_a_substitution_that_makes_no_sense_is_refused(
    office: Office, stand_in: str, hours: tuple[float, float], reason: str
) -> None:
    office.meets("worker", "stand-in")
    office.meets("mute", phone=False)
    with pytest.raises(NotAllowed, match=reason):
        office.substitutes("worker", stand_in, hours)


def test_one_substitute_a_role_at_a_time(office: Office) -> None:
    office.meets("worker", "one", "two")
    first = office.substitutes("worker", "one", (2, 5))
    for hours in ((2, 5), (0, 3), (4.9, 9), (3, 4)):
        with pytest.raises(AlreadyThere, match=f"substitution {first}"):
            office.substitutes("worker", "two", hours)
    office.substitutes("worker", "two", (5, 9))
    office.substitutes("worker", "two", (2, 5), role="family")
    registry.cancel_substitution(office.connection, substitution_id=first, **office.who)
    office.substitutes("worker", "two", (2, 5))


def test_a_beginning_in_the_past_counts_from_now(office: Office) -> None:
    office.meets("worker", "stand-in")
    office.at(4).substitutes("worker", "stand-in", (1, 9))
    [row] = registry.list_substitutions(office.connection)
    assert (row.from_us, row.made_us) == (office.now_us, office.now_us)


def test_substitutes_cost_no_further_queries(office: Office) -> None:
    asked: list[str] = []

    def count(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    def queries() -> int:
        asked.clear()
        office.people(1)
        unreachable_dwellings(office.connection, NOW_US + HOUR_US)
        return len(asked)

    office.meets("stand-in")
    event.listen(office.connection, "before_cursor_execute", count)
    counts = []
    for n in range(12):
        office.meets(f"p{n}")
        office.binds(f"p{n}", Role.GRID_WORKER, "area", "G")
        office.substitutes(f"p{n}", "stand-in", (0, 9))
        counts.append(queries())
    assert set(counts) == {counts[0]}
    assert office.one("stand-in", 1).stands_for == tuple(sorted(f"p{n}" for n in range(12)))
