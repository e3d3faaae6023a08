from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.plans import shipped_policies
from alerts.policy import line_of
from alerts.presence import Reason, people_for, present
from devices.bound import Bound, Way
from devices.model import Carrier, Medium, Role, Severity
from devices.quiet import Quiet

PUSH = (Way(1, Medium.PUSH, Carrier.WEBHOOK, 1),)
NIGHT = Quiet(22 * 60, 7 * 60)
TWO_AT_NIGHT, NOON = 120, 720
AT_ONCE = line_of(shipped_policies().find("P1", ()).policy, "at_once")
LESSER = [Severity.P1, Severity.P2, Severity.P3]
URGENT = [Severity.P0, Severity.P0_PLUS]

quiet = st.none() | st.builds(Quiet, st.integers(0, 700), st.integers(701, 1439))
person = st.builds(
    Bound,
    contact_id=st.integers(1, 5),
    code=st.just("c"),
    role=st.sampled_from([Role.GRID_WORKER, Role.FAMILY, Role.DUTY_DESK]),
    rank=st.integers(1, 3),
    takes_unconfirmed=st.booleans(),
    language=st.just("en"),
    ways=st.sampled_from([(), PUSH]),
    quiet=quiet,
    away=st.booleans(),
)
minutes = st.integers(0, 1439)


def worker(code: str, *, ways: tuple[Way, ...] = PUSH, **values: object) -> Bound:
    return Bound(ord(code[0]), code, Role.GRID_WORKER, 1, False, "en", ways, **values)  # type: ignore[arg-type]


def told(bound: list[Bound], severity: Severity, minute: int) -> list[str]:
    return [one.code for one in present(bound, severity, minute).told]


@given(st.lists(person, max_size=8), st.sampled_from(URGENT), minutes)
def test_a_fire_leaves_nobody_out(bound: list[Bound], severity: Severity, minute: int) -> None:
    assert present(bound, severity, minute) == (tuple(bound), ())


@given(st.lists(person, max_size=8), st.sampled_from(Severity), minutes)
def test_a_role_that_has_people_keeps_some_and_whoever_can_be_reached(
    bound: list[Bound], severity: Severity, minute: int
) -> None:
    kept = present(bound, severity, minute).told
    assert {one.role for one in kept} == {one.role for one in bound}
    assert {one.role for one in kept if one.ways} == {one.role for one in bound if one.ways}


@given(st.lists(person, max_size=8), st.sampled_from(Severity), minutes)
def test_everybody_is_either_told_or_left_out_with_a_reason_that_holds(
    bound: list[Bound], severity: Severity, minute: int
) -> None:
    kept, left_out = present(bound, severity, minute)
    assert sorted(map(id, [*kept, *(one for one, _ in left_out)])) == sorted(map(id, bound))
    for one, reason in left_out:
        assert one.away if reason is Reason.AWAY else one.quiet and one.quiet.holds(minute)


@given(st.lists(person, max_size=8), st.sampled_from(LESSER), minutes)
def test_where_others_of_the_role_can_be_reached_the_away_and_the_quiet_are_left_out(
    bound: list[Bound], severity: Severity, minute: int
) -> None:
    def there(one: Bound) -> bool:
        return not one.away and not (one.quiet and one.quiet.holds(minute))

    covered = {one.role for one in bound if one.ways and there(one)}
    kept = present(bound, severity, minute).told
    assert [one for one in kept if one.role in covered] == [
        one for one in bound if one.role in covered and there(one)
    ]


@pytest.mark.parametrize("severity", LESSER)
def test_lesser_things_wait_for_who_sleeps_while_a_colleague_is_awake(severity: Severity) -> None:
    crew = [worker("asleep", quiet=NIGHT), worker("up")]
    assert told(crew, severity, TWO_AT_NIGHT) == ["up"]
    assert told(crew, severity, NOON) == ["asleep", "up"]


def test_when_all_sleep_all_are_told() -> None:
    crew = [worker("asleep", quiet=NIGHT), worker("too", quiet=NIGHT)]
    assert told(crew, Severity.P1, TWO_AT_NIGHT) == ["asleep", "too"]


def test_a_colleague_nobody_can_reach_spares_no_sleeper() -> None:
    crew = [worker("asleep", quiet=NIGHT), worker("mute", ways=())]
    assert told(crew, Severity.P1, TWO_AT_NIGHT) == ["asleep", "mute"]


def test_the_substitute_is_told_instead_of_who_is_away() -> None:
    crew = [worker("gone", away=True), worker("stand-in", stands_for=("gone",))]
    assert told(crew, Severity.P2, NOON) == ["stand-in"]
    assert told(crew, Severity.P0, NOON) == ["gone", "stand-in"]


def test_a_cry_for_help_is_heard_by_all_and_the_timeline_counts_whom_another_step_leaves_out() -> None:
    crew = [worker("gone", away=True), worker("asleep", quiet=NIGHT), worker("up")]
    two_at_night_us = (TWO_AT_NIGHT - 8 * 60) * 60_000_000 + 86_400_000_000
    heard, lines = people_for(crew, Severity.P1, "help:family", two_at_night_us, "Asia/Shanghai")
    assert (list(heard), lines) == (crew, ())
    heard, lines = people_for(crew, Severity.P1, "at_once", two_at_night_us, "Asia/Shanghai", AT_ONCE)
    assert [one.code for one in heard] == ["up"]
    assert ["left_out_away" in lines[0], "left_out_quiet" in lines[1]] == [True, True]


@pytest.mark.parametrize(
    ("hours", "quiet_at", "not_at"),
    [
        ("22:00-07:00", ["22:00", "00:00", "06:59"], ["07:00", "21:59"]),
        ("12:30-14:00", ["12:30", "13:59"], ["14:00", "12:29", "00:00"]),
    ],
)
def test_quiet_hours_hold_from_the_first_minute_to_before_the_last(
    hours: str, quiet_at: list[str], not_at: list[str]
) -> None:
    def holds(clock: str) -> bool:
        hour, minute = map(int, clock.split(":"))
        return Quiet.parse(hours).holds(hour * 60 + minute)

    assert all(map(holds, quiet_at))
    assert not any(map(holds, not_at))
    assert Quiet.parse(hours).text == hours


@given(minutes, minutes)
def test_what_is_written_of_quiet_hours_is_read_back(start: int, end: int) -> None:
    stored = Quiet.stored(start, end)
    assert (stored is None) == (start == end)
    assert stored is None or Quiet.parse(stored.text) == stored


@pytest.mark.parametrize("columns", [(None, 3), (3, None), (5, 5), (-1, 3), (0, 1440)])
def test_stored_hours_that_make_no_sense_keep_nobody_from_being_told(
    columns: tuple[int | None, int | None],
) -> None:
    assert Quiet.stored(*columns) is None
