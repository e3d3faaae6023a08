"""Who belonged to a dwelling when: changes of bindings, ways and substitutes, told as they happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from devices import registry
from devices.bound import Bound, bound_to_dwelling, duty_desks, has_duty_desk, unreachable_dwellings
from devices.model import PlaceKind, Role
from devices.registry import AlreadyThere, NotAllowed, NotThere
from devices.schema import binding, contact, registry_change
from devices.unreachable import standing_version
from devices.vault import Vault
from tests.devices.conftest import NOW_US

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
Ids = dict[str, int]


@dataclass
class Office:
    """Writes to the registry at `hour`, counted from NOW_US."""

    connection: Connection
    vault: Vault
    block: Ids
    hour: float = 0

    @property
    def now_us(self) -> int:
        return NOW_US + round(self.hour * HOUR_US)

    @property
    def who(self) -> registry.Written:
        return registry.Written(by="office", now_us=self.now_us)

    def at(self, hour: float) -> Office:
        self.hour = hour
        return self

    def meets(self, *codes: str, phone: bool = True) -> None:
        for code in codes:
            registry.add_contact(self.connection, self.vault, code=code, name="示例", **self.who)
            if phone:
                self.phone(code)

    def phone(self, code: str) -> int:
        address = f"https://sms.example/{code}"
        words: dict[str, Any] = {"medium": "sms", "carrier": "webhook", "address": address, **self.who}
        return registry.add_channel(self.connection, self.vault, contact_code=code, **words)

    def binds(self, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        self._binding(registry.bind, code, role, kind, place, **terms)

    def rebinds(self, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        self._binding(registry.rebind, code, role, kind, place, **terms)

    def unbinds(self, code: str, role: Role, kind: str, place: str) -> None:
        self._binding(registry.unbind, code, role, kind, place)

    def _binding(self, write: Any, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        named = {"contact_code": code, "role": role, "place_kind": kind, "place_code": place}
        write(self.connection, **named, **terms, **self.who)

    def substitutes(self, code: str, by: str, hours: tuple[float, float], role: str | None = None) -> int:
        begin, end = (NOW_US + round(hour * HOUR_US) for hour in hours)
        return registry.substitute(
            self.connection,
            contact_code=code,
            substitute_code=by,
            role=role,
            from_us=begin,
            until_us=end,
            **self.who,
        )

    def people(self, hour: float, flat: str = "201") -> tuple[Bound, ...]:
        at_us = NOW_US + round(hour * HOUR_US)
        return bound_to_dwelling(self.connection, self.block[flat], at_us)

    def codes(self, hour: float, flat: str = "201") -> list[str]:
        return [one.code for one in self.people(hour, flat)]

    def one(self, code: str, hour: float, flat: str = "201") -> Bound:
        [found] = [one for one in self.people(hour, flat) if one.code == code]
        return found


@pytest.fixture
def office(connection: Connection, vault: Vault, block: Ids) -> Office:
    return Office(connection, vault, block)


# what was bound when


def test_a_grid_worker_who_moves_on_is_followed_by_another_and_the_past_stays(office: Office) -> None:
    office.meets("old", "new")
    office.at(1).binds("old", Role.GRID_WORKER, "area", "G")
    office.at(10).unbinds("old", Role.GRID_WORKER, "area", "G")
    office.binds("new", Role.GRID_WORKER, "area", "G")
    assert [office.codes(hour) for hour in (0.9, 1, 9.9, 10, 99)] == [[], ["old"], ["old"], ["new"], ["new"]]


def test_changed_quiet_hours_leave_the_earlier_ones_on_record(office: Office) -> None:
    office.meets("worker")
    office.at(1).binds("worker", Role.GRID_WORKER, "area", "G", quiet="22:00-06:00", delay_s=30)
    office.at(5).rebinds("worker", Role.GRID_WORKER, "area", "G", quiet="23:00-06:30")
    office.at(9).rebinds("worker", Role.GRID_WORKER, "area", "G", quiet="", rank=2)
    quiet = [office.one("worker", hour).quiet for hour in (1, 5, 9)]
    assert [hours.text if hours else "" for hours in quiet] == ["22:00-06:00", "23:00-06:30", ""]
    assert [(office.one("worker", h).rank, office.one("worker", h).delay_s) for h in (8, 9)] == [
        (1, 30),
        (2, 30),
    ]
    rows = registry.list_bindings(office.connection, contact_code="worker", history=True)
    assert [(row.quiet, row.bound_us, row.ended_us) for row in rows] == [
        ("22:00-06:00", NOW_US + HOUR_US, NOW_US + 5 * HOUR_US),
        ("23:00-06:30", NOW_US + 5 * HOUR_US, NOW_US + 9 * HOUR_US),
        ("", NOW_US + 9 * HOUR_US, None),
    ]


def test_a_change_that_changes_nothing_is_none(office: Office) -> None:
    office.meets("worker")
    office.binds("worker", Role.GRID_WORKER, "area", "G", quiet="22:00-06:00")
    before = office.connection.execute(select(registry_change)).all()
    office.at(5).rebinds("worker", Role.GRID_WORKER, "area", "G", rank=1, quiet=" 22:00-06:00")
    assert office.connection.execute(select(registry_change)).all() == before
    assert len(registry.list_bindings(office.connection, history=True)) == 1


def test_the_list_says_what_stands_what_stood_then_and_all_there_was(office: Office) -> None:
    office.meets("worker")
    office.at(1).binds("worker", Role.GRID_WORKER, "area", "G")
    office.at(3).unbinds("worker", Role.GRID_WORKER, "area", "G")
    office.at(5).binds("worker", Role.GRID_WORKER, "building", "B")
    rows = registry.list_bindings
    assert [row.place for row in rows(office.connection)] == ["B"]
    assert [row.place for row in rows(office.connection, at_us=NOW_US + 2 * HOUR_US)] == ["G"]
    assert rows(office.connection, at_us=NOW_US + 4 * HOUR_US) == []
    assert [row.place for row in rows(office.connection, history=True)] == ["G", "B"]


def test_who_was_bound_at_a_past_fire_is_known_with_the_ways_they_had(office: Office) -> None:
    office.meets("child")
    office.at(1).binds("child", Role.FAMILY, "dwelling", "201")
    [channel] = registry.list_contacts(office.connection, office.vault, only="child")[0].channels
    office.at(4)
    registry.remove_channel(office.connection, contact_code="child", channel_id=channel.id, **office.who)
    assert [len(office.one("child", hour).ways) for hour in (2, 3.9, 4, 5)] == [1, 1, 0, 0]


def test_a_person_who_asks_to_be_forgotten_is_bound_to_nothing_any_more(office: Office) -> None:
    office.meets("child")
    office.at(1).binds("child", Role.FAMILY, "dwelling", "201")
    erased = contact.c.code == "child"
    office.connection.execute(
        update(contact).where(erased).values(name_sealed=b"", erased_us=NOW_US + 3 * HOUR_US)
    )
    assert [office.codes(hour) for hour in (2, 3)] == [["child"], []]


def test_what_stands_now_stands_whatever_the_clock_says(office: Office) -> None:
    office.meets("desk", "child")
    office.binds("desk", Role.DUTY_DESK, "area", "C")
    office.binds("child", Role.FAMILY, "dwelling", "201")
    long_ago = 0
    found = bound_to_dwelling(office.connection, office.block["201"], long_ago, live=True)
    assert [one.code for one in found] == ["child", "desk"]
    assert office.codes(-1) == []
    assert has_duty_desk(office.connection, long_ago, live=True)


def test_the_nearest_binding_says_delay_and_quiet_hours_and_the_best_rank_counts(office: Office) -> None:
    office.meets("both")
    office.binds("both", Role.GRID_WORKER, "stair", "S1", rank=3, delay_s=60)
    office.binds("both", Role.GRID_WORKER, "area", "G", rank=1, quiet="22:00-06:00")
    office.binds("both", Role.GRID_WORKER, "area", "C", rank=2, delay_s=5)
    near, far = office.one("both", 1), office.one("both", 1, "S2-201")
    assert (near.rank, near.delay_s, near.quiet, near.place_kind) == (1, 60, None, PlaceKind.STAIR)
    assert far.quiet is not None
    assert (far.rank, far.delay_s, far.quiet.text, far.place_kind) == (1, 0, "22:00-06:00", PlaceKind.AREA)


# substitutes


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


# what is refused


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


@pytest.mark.parametrize("role", [Role.DUTY_DESK, Role.MICRO_STATION, Role.FIRE_BRIGADE])
def test_who_is_on_duty_has_no_quiet_hours(office: Office, role: Role) -> None:
    office.meets("station")
    with pytest.raises(NotAllowed, match="always on duty"):
        office.binds("station", role, "area", "C", quiet="22:00-06:00")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"quiet": "22:00-22:00"}, "two different times"),
        ({"quiet": "22-7"}, "such as 22:00-07:00"),
        ({"quiet": "22:00-24:00"}, "00:00 to 23:59"),
        ({"delay_s": -1}, "delay -1 s: 0 to 86400"),
        ({"delay_s": 86_401}, "0 to 86400"),
    ],
)
def test_terms_of_a_binding_that_make_no_sense_are_refused(
    office: Office, terms: dict[str, Any], reason: str
) -> None:
    office.meets("worker")
    with pytest.raises(NotAllowed, match=reason):
        office.binds("worker", Role.GRID_WORKER, "area", "G", **terms)
    office.binds("worker", Role.GRID_WORKER, "area", "G")
    with pytest.raises(NotAllowed, match=reason):
        office.rebinds("worker", Role.GRID_WORKER, "area", "G", **terms)


def test_to_an_erased_contact_nothing_is_added(office: Office) -> None:
    office.meets("gone", "other")
    erased = contact.c.code == "gone"
    office.connection.execute(update(contact).where(erased).values(name_sealed=b"", erased_us=office.now_us))
    writes: list[Callable[[], object]] = [
        lambda: office.phone("gone"),
        lambda: office.binds("gone", Role.FAMILY, "dwelling", "201"),
        lambda: office.substitutes("gone", "other", (0, 1)),
        lambda: office.substitutes("other", "gone", (0, 1)),
        lambda: registry.set_contact(
            office.connection, office.vault, code="gone", language="en", **office.who
        ),
    ]
    for write in writes:
        with pytest.raises(NotThere, match="'gone' was erased"):
            write()
    assert office.connection.execute(select(binding)).all() == []
    shown = registry.list_contacts(office.connection, office.vault, only="gone")
    shown += registry.reveal_contacts(office.connection, office.vault, only="gone", **office.who)
    assert [(row.name, row.channels, row.erased_us) for row in shown] == [("", (), office.now_us)] * 2


def test_a_contact_changes_name_and_language_and_the_order_of_its_ways(office: Office) -> None:
    office.meets("p")
    second = registry.add_channel(
        office.connection, office.vault, contact_code="p", medium="push", carrier="webhook",
        address="https://push.example/p", rank=2, **office.who,
    )  # fmt: skip
    registry.set_contact(office.connection, office.vault, code="p", name="示例乙", **office.who)
    registry.set_contact(office.connection, office.vault, code="p", language="en", **office.who)
    [first] = [
        way.id
        for way in registry.list_contacts(office.connection, office.vault)[0].channels
        if way.id != second
    ]
    registry.set_channel_rank(office.connection, contact_code="p", channel_id=first, rank=3, **office.who)
    [shown] = registry.reveal_contacts(office.connection, office.vault, only="p", **office.who)
    assert (shown.name, shown.language, [way.id for way in shown.channels]) == (
        "示例乙",
        "en",
        [second, first],
    )
    with pytest.raises(NotAllowed, match="nothing to change"):
        registry.set_contact(office.connection, office.vault, code="p", **office.who)


def test_a_removed_channel_is_no_way_for_anybody_and_may_be_added_again(office: Office) -> None:
    office.meets("p", "q")
    [way] = registry.list_contacts(office.connection, office.vault, only="p")[0].channels
    named: dict[str, Any] = {"contact_code": "p", "channel_id": way.id}
    with pytest.raises(NotThere, match=f"'q' has no channel {way.id}"):
        registry.remove_channel(office.connection, **{**named, "contact_code": "q"}, **office.who)
    registry.remove_channel(office.connection, **named, **office.who)
    with pytest.raises(NotThere):
        registry.remove_channel(office.connection, **named, **office.who)
    with pytest.raises(NotThere):
        registry.address_to_send(office.connection, office.vault, way.id)
    assert registry.find_by_address(office.connection, office.vault, "https://sms.example/p") == ()
    assert registry.list_contacts(office.connection, office.vault, only="p")[0].channels == ()
    again = office.phone("p")
    assert registry.address_to_send(office.connection, office.vault, again) == "https://sms.example/p"


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
