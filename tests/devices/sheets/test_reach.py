"""An import says whom nobody reaches any more, and does not take the last duty desk unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from devices.bound import has_duty_desk, unreachable_dwellings
from devices.database import reading
from devices.schema import contact_channel, dwelling
from tests.devices.conftest import NOW_US
from tests.devices.sheets.conftest import Bring, Refused, changes

LATER_US = NOW_US + 60_000_000
NO_WAYS = "code,way_1,way_2\nchild,,\n"
DESK = "code,name,way_1\nduty-1,值班台,push webhook https://desk.example/1\n"
BOUND = "contact,role,place_kind,place\nduty-1,duty_desk,area,C\n"


def put(folder: Path, name: str, text: str) -> Path:
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder / f"{name}.csv"


@pytest.fixture
def desk(bring: Bring, block: Path) -> Path:
    """The block with one duty desk that can be reached, and its folder."""
    bring(put(block, "contact", DESK), "contact")
    bring(put(block, "binding", BOUND), "binding")
    return block


@pytest.mark.parametrize("dry_run", [True, False])
def test_dwellings_that_lose_their_last_way_are_named(
    bring: Bring, block: Path, engine: Engine, dry_run: bool
) -> None:
    done = bring(put(block, "contact", NO_WAYS), "contact", dry_run=dry_run, now_us=LATER_US)
    assert (done.reach.places, done.reach.first, done.forms[0].ways_end) == (1, ("501",), 2)
    with reading(engine) as connection:
        ids = unreachable_dwellings(connection, LATER_US, live=True)
        codes = connection.execute(select(dwelling.c.code).where(dwelling.c.id.in_(ids))).scalars().all()
    assert codes == ([] if dry_run else ["501"])


def test_who_was_out_of_reach_before_is_not_named_again(bring: Bring, block: Path) -> None:
    bring(put(block, "contact", NO_WAYS), "contact", now_us=LATER_US)
    file = put(block, "device", "uid,kind,profile,dwelling\nown:m-9,smoke,own,501\n")
    assert bring(file, "device", now_us=LATER_US).reach.places == 0


def test_a_device_that_comes_to_people_nobody_knows_is_named(bring: Bring, block: Path) -> None:
    file = put(block, "device", "uid,kind,profile,dwelling\nown:m-9,smoke,own,101\n")
    assert bring(file, "device").reach.first == ("101",)


def test_a_stair_and_a_building_that_nobody_looks_after_are_named_too(bring: Bring, block: Path) -> None:
    file = put(
        block, "device", "uid,kind,profile,stair,building\nown:m-8,smoke,own,S2,\nown:m-9,smoke,own,,B\n"
    )
    assert bring(file, "device").reach.first == ("S2",), "the building has a device and nobody already"


def test_a_new_dwelling_in_a_book_is_named_by_its_code(bring: Bring, block: Path) -> None:
    put(block, "dwelling", "code,stair,floor,flat\nNEW,S2,1,1\n")
    put(block, "device", "uid,kind,profile,dwelling\nown:m-9,smoke,own,NEW\n")
    assert bring(block).reach.first == ("NEW",)


def test_the_last_duty_desk_is_not_taken_unless_it_is_said_so(
    bring: Bring, refused: Refused, desk: Path, engine: Engine
) -> None:
    file = put(desk, "contact", "code,way_1\nduty-1,\n")
    [fault] = refused(file, "contact")
    assert (fault.line, fault.column, "--force" in fault.allowed) == (2, "way", True)
    done = bring(file, "contact", force=True, now_us=LATER_US)
    assert (done.forms[0].ways_end, done.reach.last_desks) == (1, ("duty-1",))
    with reading(engine) as connection:
        assert not has_duty_desk(connection, LATER_US, live=True)


def test_a_duty_desk_whose_way_becomes_another_is_no_loss(bring: Bring, desk: Path) -> None:
    file = put(desk, "contact", "code,way_1\nduty-1,push webhook https://desk.example/2\n")
    done = bring(file, "contact", now_us=LATER_US)
    assert (done.forms[0].ways_end, done.reach.last_desks) == (1, ())


def test_one_of_two_duty_desks_may_go(bring: Bring, desk: Path) -> None:
    second = DESK.replace("duty-1", "duty-2").replace("example/1", "example/2")
    bring(put(desk, "contact", second), "contact")
    bring(put(desk, "binding", BOUND.replace("duty-1", "duty-2")), "binding")
    done = bring(put(desk, "contact", "code,way_1\nduty-1,\n"), "contact", now_us=LATER_US)
    assert done.reach.last_desks == ()


def test_looking_leaves_no_trace_and_the_rows_go_where_they_belong(
    bring: Bring, block: Path, engine: Engine
) -> None:
    with reading(engine) as connection:
        before = changes(connection)
    bring(put(block, "contact", NO_WAYS), "contact", now_us=LATER_US)
    with reading(engine) as connection:
        assert changes(connection) == before + 1
        ended = connection.execute(select(contact_channel.c.removed_us)).scalars().all()
    assert sorted(one or 0 for one in ended) == [0, LATER_US, LATER_US]
