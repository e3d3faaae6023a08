from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Alarm, Hazard
from alerts.dwelling_states import DwellingState, OpenHere
from alerts.dwelling_states_homes import Estate, Home, House, Node, Steps
from alerts.dwelling_states_picture import Hang, Now, picture_of
from alerts.windows import Scope, Window, WindowKind
from devices.model import PlaceKind, Severity
from rules.transition import Why

S = DwellingState
UNKNOWN = 999


def home(number: int, stair_id: int, served: bool = True) -> Home:
    return Home(number, stair_id, number % 10, str(number), f"d{number}", served)


def house(number: int, area_id: int, *steps: Steps) -> House:
    homes = [one for step in steps for one in step.homes]
    bare = frozenset(one.id for one in homes if not one.is_served)
    return House(number, area_id, f"b{number}", f"b{number}", 6, steps, len(homes), bare)


def an_estate() -> Estate:
    """Building 1 with two stairs of two dwellings each, the last (14) without a device; building 2 in another
    grid with one dwelling; both grids in area 5."""
    houses = [
        house(
            1,
            6,
            Steps(1, "1单元", (home(11, 1), home(12, 1))),
            Steps(2, "2单元", (home(13, 2), home(14, 2, served=False))),
        ),
        house(2, 7, Steps(3, "1单元", (home(21, 3),))),
    ]
    areas = [Node(5, None, "street", "s", "s"), Node(6, 5, "grid", "g", "g"), Node(7, 5, "grid", "h", "h")]
    return Estate(
        {one.id: one for one in houses},
        {one.id: one for one in areas},
        {one.id: here.id for here in houses for one in here.homes},
        {one.id: here.id for here in houses for one in here.steps},
    )


ESTATE = an_estate()
EVERY = [one for here in ESTATE.houses.values() for one in here.homes]


def fire(dwelling_id: int, number: int = 1, severity: str = "P0", building_id: int = 1) -> OpenHere:
    place = f"dwelling:{dwelling_id}"
    return OpenHere(number, place, dwelling_id, building_id, "fire", severity, 10, number)


def fault(rule: str, place: str, building_id: int, dwelling_id: int = 0, severity: str = "P3") -> OpenHere:
    alarm = Alarm(rule, "x", "u", 1, 0, Severity(severity), 5, None, Why("", ""), Hazard.FAULT, 5)
    return OpenHere(8, place, dwelling_id, building_id, "fault", severity, 10, 8, frozenset(), (alarm,))


def window(kind: WindowKind, scope: Scope, place_id: int = 0, code: str = "c") -> Window:
    return Window(1, kind, scope, place_id, code, 0, 99, "w", "r", 0)


def states(now: Now) -> dict[int, DwellingState]:
    picture = picture_of(ESTATE, now)
    return {one.id: picture.of(one).state for one in EVERY}


CALM = {11: S.QUIET, 12: S.QUIET, 13: S.QUIET, 14: S.NO_DEVICE, 21: S.QUIET}


def test_nothing_is_so_and_all_is_quiet_but_where_no_device_is() -> None:
    picture = picture_of(ESTATE, Now())
    assert states(Now()) == CALM
    assert picture.summary(1).counts == Counter({S.QUIET: 3, S.NO_DEVICE: 1})
    assert picture.summary(1).state is S.NO_DEVICE
    assert picture.summary(2).state is S.QUIET


def test_a_fire_colours_its_dwelling_and_its_building_and_no_other() -> None:
    now = Now([fire(11)])
    assert states(now) == CALM | {11: S.ALARM}
    picture = picture_of(ESTATE, now)
    assert (picture.summary(1).state, picture.summary(1).count(S.ALARM)) == (S.ALARM, 1)
    assert picture.summary(1).is_loud
    assert (picture.summary(2).state, picture.summary(2).is_loud) == (S.QUIET, False)


def test_a_fire_in_a_flat_without_a_device_says_both() -> None:
    picture = picture_of(ESTATE, Now([fire(14)]))
    found = picture.of(EVERY[3])
    assert (found.state, found.marks) == (S.ALARM, (S.NO_DEVICE,))
    assert picture.summary(1).counts == Counter({S.QUIET: 3, S.ALARM: 1})


def test_a_fire_on_a_landing_is_the_stairs_and_makes_the_building_an_alarm() -> None:
    picture = picture_of(ESTATE, Now([replace(fire(0), place="stair:2")]))
    assert picture.of_stair(2).state is S.ALARM
    assert picture.of_stair(1).state is S.QUIET
    assert picture.summary(1).state is S.ALARM
    assert picture.summary(1).count(S.ALARM) == 0


def test_a_fire_in_a_dwelling_or_stair_that_is_not_drawn_yet_is_its_buildings() -> None:
    for one in (
        fire(UNKNOWN),
        replace(fire(0), place=f"stair:{UNKNOWN}"),
        replace(fire(0), place="building:1"),
    ):
        picture = picture_of(ESTATE, Now([one]))
        assert picture.of_common(1).state is S.ALARM
        assert picture.summary(1).state is S.ALARM
        assert picture.strays == []


def test_a_fire_at_no_known_place_is_a_stray_and_never_lost() -> None:
    known, unknown = fire(0, 4, building_id=0), fire(0, 5, "P0+", UNKNOWN)
    picture = picture_of(ESTATE, Now([replace(known, place="device:x"), replace(unknown, place="device:y")]))
    assert [(one.place, one.fact.incident_id) for one in picture.strays] == [("device:y", 5), ("device:x", 4)]


def test_in_a_dark_building_nobody_can_say_of_any_device_whether_it_is_heard() -> None:
    dark = fault("C3", "building:1", 1, severity="P1")
    assert states(Now([dark])) == CALM | {11: S.SILENT, 12: S.SILENT, 13: S.SILENT}
    assert picture_of(ESTATE, Now([dark])).summary(1).is_loud
    assert states(Now([fault("C1", "building:1", 1)])) == CALM


def test_a_drill_covers_what_lies_in_its_place_and_commissioning_the_flat_of_its_device() -> None:
    def under(scope: Scope, place_id: int) -> set[int]:
        now = Now(windows=[window(WindowKind.DRILL, scope, place_id)])
        return {number for number, state in states(now).items() if state is S.COMMISSIONING}

    assert under(Scope.AREA, 5) == {11, 12, 13, 14, 21}
    assert under(Scope.AREA, 7) == {21}
    assert under(Scope.BUILDING, 1) == {11, 12, 13, 14}
    assert under(Scope.STAIR, 2) == {13, 14}
    assert under(Scope.DWELLING, 12) == {12}
    assert under(Scope.BUILDING, UNKNOWN) == set()
    device = [window(WindowKind.COMMISSIONING, Scope.DEVICE, code="u")]
    assert states(Now(windows=device, hangs={"u": Hang(13)})) == CALM | {13: S.COMMISSIONING}
    assert states(Now(windows=device)) == CALM
    on_stair = picture_of(ESTATE, Now(windows=device, hangs={"u": Hang(0, 2, 0)}))
    assert on_stair.of_stair(2).state is S.COMMISSIONING


def test_a_silence_is_no_exercise() -> None:
    assert states(Now(windows=[window(WindowKind.SILENCE, Scope.BUILDING, 1)])) == CALM


def test_where_nobody_can_be_told_it_stands_beside_what_is_worse() -> None:
    deserted = [
        (PlaceKind.DWELLING, 11),
        (PlaceKind.DWELLING, 12),
        (PlaceKind.STAIR, 2),
        (PlaceKind.BUILDING, 2),
    ]
    picture = picture_of(ESTATE, Now([fire(11)], deserted=deserted))
    assert [(picture.of(one).state, picture.of(one).marks) for one in EVERY[:2]] == [
        (S.ALARM, (S.NOBODY_REACHABLE,)),
        (S.NOBODY_REACHABLE, ()),
    ]
    assert picture.of_stair(2).state is S.NOBODY_REACHABLE
    assert picture.summary(2).state is S.NOBODY_REACHABLE


numbers = st.sampled_from([0, 11, 12, 13, 14, 21, UNKNOWN])
opens = st.builds(
    lambda number, dwelling, house_id, hazard, severity: OpenHere(
        number, f"dwelling:{dwelling}", dwelling, house_id, hazard, severity, 10, number
    ),
    st.integers(1, 50),
    numbers,
    st.sampled_from([0, 1, 2, UNKNOWN]),
    st.sampled_from(["fire", "electrical", "fault"]),
    st.sampled_from(["P0", "P0+", "P1", "P2", "P3"]),
)


@given(
    st.lists(opens),
    st.lists(st.tuples(st.sampled_from(list(PlaceKind)), st.integers(1, 21))),
    st.sampled_from([(), (window(WindowKind.DRILL, Scope.AREA, 5),)]),
)
def test_no_open_fire_is_lost_and_every_dwelling_is_counted_once(
    found: list[OpenHere], deserted: list[tuple[PlaceKind, int]], windows: tuple[Window, ...]
) -> None:
    there = {PlaceKind.DWELLING: ESTATE.house_of, PlaceKind.STAIR: ESTATE.stair_of}
    known = [(kind, n) for kind, n in deserted if n in there.get(kind, ESTATE.houses)]
    picture = picture_of(ESTATE, Now(found, windows, {}, known))
    shown = {
        fact.incident_id
        for standing in (*picture.homes.values(), *picture.stairs.values(), *picture.commons.values())
        for fact in standing.facts
    } | {stray.fact.incident_id for stray in picture.strays}
    burning = {one.id for one in found if one.severity in {"P0", "P0+"}}
    assert burning <= shown
    for one in found:
        if one.severity in {"P0", "P0+"} and one.dwelling_id in ESTATE.house_of:
            assert picture.homes[one.dwelling_id].state is S.ALARM
            assert picture.summary(ESTATE.house_of[one.dwelling_id]).state is S.ALARM
    for here in ESTATE.houses.values():
        assert picture.summary(here.id).homes == here.size
        counted = Counter(picture.of(one).state for one in here.homes)
        assert picture.summary(here.id).counts == counted
