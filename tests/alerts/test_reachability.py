"""Who can be reached where: the judgement of contacts and places, worst first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from alerts.channel_proofs import Bounced
from alerts.reach import Person, Report, Site, Spot, Tie
from alerts.reach_read import site_of
from alerts.reachability import report_of
from alerts.ways import PROVEN_US, Judged, Proof, Reach, judge
from devices.database import open_database
from devices.model import Carrier, Medium, PlaceKind, Role
from devices.people import Absence, Way
from devices.unreachable import unreachable_places
from tests.databases import TABLES_ONLY, sqlite_like
from tests.devices.random_block import INSTANTS, Block, blocks, write

NOW = 1_700_000_000_000_000
DAY = 24 * 3600 * 1_000_000
SMS = Way(1, Medium.SMS, Carrier.ALIYUN_SMS, 1)
VOICE = Way(2, Medium.VOICE, Carrier.ALIYUN_VOICE, 2)
MAIL = Way(3, Medium.EMAIL, Carrier.SMTP, 3)
BOUNCED = Proof(bounced=Bounced(NOW - DAY, NOW - DAY, 3, "no such number"))
FRESH = Proof(through_us=NOW - DAY)


def judged(
    *ways: Way, proofs: dict[int, Proof] | None = None, sleeps: bool = False, gone: Carrier | None = None
) -> Judged:
    uncarried = frozenset([gone] if gone else [])
    return judge(ways, proofs or {}, NOW, uncarried=uncarried, sleeps=sleeps)


@pytest.mark.parametrize(
    ("found", "reach", "why"),
    [
        (judged(), Reach.NO_WAY, "no_way"),
        (judged(MAIL, gone=Carrier.SMTP), Reach.NO_WAY, "uncarried"),
        (judged(SMS, proofs={1: BOUNCED}), Reach.BOUNCED, "bounced"),
        (judged(SMS, proofs={1: Proof(NOW - DAY, refused_us=NOW)}), Reach.BOUNCED, "refused"),
        (judged(SMS, proofs={1: Proof(NOW, refused_us=NOW - DAY)}), Reach.REACHABLE, "proven"),
        (judged(SMS, VOICE, proofs={1: BOUNCED}), Reach.UNPROVEN, "never"),
        (judged(SMS, MAIL, proofs={1: BOUNCED}, gone=Carrier.SMTP), Reach.BOUNCED, "bounced"),
        (judged(SMS, proofs={1: Proof(NOW - PROVEN_US)}), Reach.UNPROVEN, "long_ago"),
        (judged(SMS, MAIL, proofs={3: FRESH}), Reach.REACHABLE, "proven"),
        (judged(SMS, proofs={1: FRESH}, sleeps=True), Reach.AWAKE_ONLY, "no_call"),
        (judged(SMS, VOICE, proofs={1: FRESH}, sleeps=True), Reach.REACHABLE, "proven"),
        (judged(SMS, Way(4, Medium.PUSH, Carrier.MQTT, 2), sleeps=True), Reach.UNPROVEN, "never"),
    ],
)
def test_a_contact_is_judged_by_what_became_of_its_messages(found: Judged, reach: Reach, why: str) -> None:
    assert (found.reach, found.why.word) == (reach, why)


HOME, STAIR, HOUSE = (PlaceKind.DWELLING, 1), (PlaceKind.STAIR, 1), (PlaceKind.BUILDING, 1)


def spot(number: int, floor: int, *, smoke: bool = True) -> Spot:
    return Spot(PlaceKind.DWELLING, number, f"d{number}", (STAIR, HOUSE), 1, floor, smoke)


def at_home(contact: int, role: Role, number: int, floor: int) -> Tie:
    return Tie(contact, role, PlaceKind.DWELLING, number, 1, floor)


def a_report() -> Report:
    """Flat 1: family without a way; its neighbour of flat 2 next door bounces. Flat 3, two floors up: nobody.
    Flat 4, beside it: a family with a call. The stair has a detector too."""
    people = {
        1: Person(1, "mute"),
        2: Person(2, "bounced", (SMS,)),
        3: Person(3, "called", (VOICE,)),
        4: Person(4, "desk", (MAIL,)),
        5: Person(5, "worker", (SMS,)),
    }
    ties = [
        at_home(1, Role.FAMILY, 1, 1),
        at_home(2, Role.NEIGHBOUR, 2, 1),
        at_home(3, Role.FAMILY, 4, 5),
        Tie(4, Role.DUTY_DESK, PlaceKind.AREA, 9),
        Tie(5, Role.GRID_WORKER, PlaceKind.BUILDING, 7),
    ]
    spots = [
        spot(1, 1), spot(2, 1), spot(3, 5), spot(4, 5), Spot(*STAIR, "s1", (HOUSE,)),
        Spot(PlaceKind.BUILDING, 7, "b7", ()),
    ]  # fmt: skip
    away = [Absence(1, 5, "", 3, "", "")]
    return report_of(Site(people, ties, away, spots, {1: BOUNCED, 2: FRESH, 3: FRESH}), NOW)


def test_a_place_is_as_well_off_as_the_best_of_its_people_and_the_worst_come_first() -> None:
    report = a_report()
    assert [(one.code, one.reach, one.people) for one in report.deserted] == [
        ("d2", Reach.NOBODY, ()),  # its own neighbour does not count
        ("d3", Reach.NOBODY, ()),
        ("d1", Reach.BOUNCED, ("bounced", "mute")),
    ]
    assert report.place_counts == {Reach.NOBODY: 2, Reach.BOUNCED: 1, Reach.REACHABLE: 3}
    assert [(one.code, one.reach) for one in report.contacts] == [
        ("mute", Reach.NO_WAY),
        ("bounced", Reach.BOUNCED),
        ("worker", Reach.BOUNCED),
    ]


def test_needed_roles_that_nobody_holds_are_missing_and_a_substitute_holds_one() -> None:
    missing = {one.code: one.missing for one in a_report().places}
    assert missing["b7"] == (Role.MICRO_STATION,)  # the worker bounces, who stands in does not
    assert missing["d1"] == (Role.MICRO_STATION, Role.GRID_WORKER)


def test_the_report_and_the_list_of_gaps_are_of_one_mind(tmp_path: Path) -> None:
    """SQLite only: what is asked of the database is asked of both engines by the stories."""
    engine = open_database(sqlite_like(TABLES_ONLY, tmp_path))

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(block=blocks(), at=INSTANTS)
    def holds(block: Block, at: int) -> None:
        with engine.connect() as connection, connection.begin() as transaction:
            write(connection, block)
            report = report_of(site_of(connection, at), at)
            gaps = unreachable_places(connection, at, live=True)
            transaction.rollback()
        assert sorted((one.kind, one.id, one.people) for one in report.deserted) == sorted(
            (gap.kind, gap.id, gap.mute) for gap in gaps
        )

    holds()
    engine.dispose()
