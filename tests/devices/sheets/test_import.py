"""What an import does to the registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from devices.database import reading, writing
from devices.registry import add_area, list_bindings, list_contacts, retire_device, reveal_contacts
from devices.registry.devices_listed import list_devices
from devices.registry.placements import placements_of
from devices.schema import area, binding, contact, contact_channel, device, placement, registry_change
from devices.sheets import import_sheets
from devices.sheets.carry_out import Ids, Moved, carry_out
from devices.sheets.known import read_registry
from devices.vault import Vault
from tests.devices.conftest import NOW_US
from tests.devices.sheets.conftest import BLOCK, Bring, Refused, changes, counts

LATER_US = NOW_US + 60_000_000


def test_a_folder_is_imported_as_a_whole_in_one_change(bring: Bring, folder: Path, engine: Engine) -> None:
    assert counts(bring(folder)) == {
        "area": (3, 0, 0), "building": (1, 0, 0), "stair": (2, 0, 0), "dwelling": (2, 0, 0),
        "contact": (2, 0, 0), "binding": (2, 0, 0), "device": (2, 0, 0), "channel": (1, 0, 0),
    }  # fmt: skip
    with reading(engine) as connection:
        [change] = connection.execute(select(registry_change)).all()
        assert change.by == "t"
        assert set(connection.execute(select(device.c.change_id)).scalars()) == {change.id}
        assert [stay.dwelling for stay in placements_of(connection, "own:m-1")] == ["501"]
        rows = list_bindings(connection)
    assert [(row.contact, row.rank, row.delay_s, row.quiet, row.takes_unconfirmed) for row in rows] == [
        ("brigade", 2, 60, "", True),
        ("child", 1, 0, "22:00-07:00", False),
    ]


def test_the_same_files_again_change_nothing(bring: Bring, block: Path, engine: Engine) -> None:
    again = bring(block)
    assert {(new, changed) for new, changed, _ in counts(again).values()} == {(0, 0)}
    assert sum(unchanged for _, _, unchanged in counts(again).values()) == 15
    with reading(engine) as connection:
        assert changes(connection) == 1


def test_a_dry_run_says_the_same_and_leaves_nothing(bring: Bring, folder: Path, engine: Engine) -> None:
    tried = bring(folder, dry_run=True)
    with reading(engine) as connection:
        assert changes(connection) == 0
        assert connection.execute(select(area)).all() == []
        assert connection.execute(select(contact)).all() == []
    assert counts(bring(folder)) == counts(tried)


@pytest.mark.usefixtures("block")
def test_what_the_registry_holds_after_an_import_can_go_on_by_hand(engine: Engine) -> None:
    with writing(engine) as connection:
        new = add_area(connection, level="grid", code="G2", name="x", parent_code="K", by="t", now_us=NOW_US)
        assert new not in {1, 2, 3}


def test_a_device_that_moved_has_its_stay_ended_and_only_it_is_marked(
    bring: Bring, block: Path, engine: Engine
) -> None:
    file = block / "device.csv"
    file.write_text("uid,dwelling\nown:m-1,101\nown:m-2,\n")
    assert counts(bring(file, "device", "channel", now_us=LATER_US)) == {"device": (0, 1, 1)}
    with reading(engine) as connection:
        stays = placements_of(connection, "own:m-1")
        marks = {row.uid: row.change_id for row in connection.execute(select(device))}
    assert [(stay.dwelling, stay.since_us, stay.until_us) for stay in stays] == [
        ("501", NOW_US, LATER_US),
        ("101", LATER_US, None),
    ]
    assert marks == {"own:m-1": 2, "own:m-2": 1}


def test_a_column_of_places_alone_moves_a_device_out_of_the_other_kind_of_place(
    bring: Bring, block: Path, engine: Engine
) -> None:
    file = block / "device.csv"
    file.write_text("uid,building\nown:m-1,B\n")
    bring(file, "device")
    with reading(engine) as connection:
        row = connection.execute(select(device).where(device.c.uid == "own:m-1")).one()
    assert (row.dwelling_id, row.building_id is not None) == (None, True)
    for text in ("uid,stair\nown:m-1,S1\n", "uid,dwelling,building\nown:m-1,,\n"):
        file.write_text(text)
        done = bring(file, "device")
        with reading(engine) as connection:
            [one, _] = list_devices(connection)
        assert (one.dwelling, one.stair, one.building) == ("", "S1", "")
    assert counts(done) == {"device": (0, 0, 1)}
    file.write_text("uid,dwelling\nown:m-1,501\n")
    assert [one.text() for one in bring(file, "device").moved] == ["device own:m-1 hangs in dwelling 501"]
    with reading(engine) as connection:
        stays = [(stay.dwelling, stay.stair, stay.building) for stay in placements_of(connection, "own:m-1")]
    assert stays == [("501", "", ""), ("", "", "B"), ("", "S1", ""), ("501", "", "")]


def test_a_stay_begins_no_earlier_than_the_one_before_when_the_clock_steps_back(
    bring: Bring, block: Path, engine: Engine
) -> None:
    file = block / "device.csv"
    file.write_text("uid,dwelling\nown:m-1,101\n")
    bring(file, "device", now_us=NOW_US - 5)
    with reading(engine) as connection:
        stays = placements_of(connection, "own:m-1")
    assert [(stay.since_us, stay.until_us) for stay in stays] == [(NOW_US, NOW_US), (NOW_US, None)]


def test_a_building_that_moved_marks_the_devices_in_it_and_one_renamed_none(
    bring: Bring, block: Path, engine: Engine
) -> None:
    def marks() -> dict[str, int]:
        with reading(engine) as connection:
            return {row.uid: row.change_id for row in connection.execute(select(device))}

    file = block / "building.csv"
    file.write_text("code,name,area,floors\nB,4号楼,G,6\nB2,5号楼,G,6\n")
    bring(file, "building")
    (block / "device.csv").write_text(
        "uid,kind,profile,building,stair\nown:m-3,smoke,own,B2,\nown:m-4,smoke,own,,S2\n"
    )
    bring(block / "device.csv", "device", "channel")
    assert marks() == {"own:m-1": 1, "own:m-2": 1, "own:m-3": 3, "own:m-4": 3}
    file.write_text("code,area\nB,K\nB2,G\n")
    bring(file, "building")
    assert marks() == {"own:m-1": 4, "own:m-2": 4, "own:m-3": 3, "own:m-4": 4}


def test_what_is_said_of_a_channel_marks_its_device(bring: Bring, block: Path, engine: Engine) -> None:
    file = block / "channel.csv"
    file.write_text("device,channel,label\nown:m-2,l1,bath\nown:m-2,l2,hall\n")
    assert counts(bring(file, "device", "channel")) == {"channel": (1, 1, 0)}
    with reading(engine) as connection:
        marks = {row.uid: row.change_id for row in connection.execute(select(device))}
    assert marks == {"own:m-1": 1, "own:m-2": 2}


def test_a_changed_binding_ends_and_another_begins(bring: Bring, block: Path, engine: Engine) -> None:
    file = block / "binding.csv"
    file.write_text("contact,role,place_kind,place,rank\nchild,family,dwelling,501,3\n")
    bring(file, "contact", "binding", now_us=LATER_US)
    with reading(engine) as connection:
        rows = list_bindings(connection, contact_code="child", history=True)
    assert [(row.rank, row.quiet, row.bound_us, row.ended_us) for row in rows] == [
        (1, "22:00-07:00", NOW_US, LATER_US),
        (3, "22:00-07:00", LATER_US, None),
    ]


def test_ways_that_stay_keep_their_rows_and_ways_that_went_keep_theirs_with_an_end(
    bring: Bring, block: Path, engine: Engine, vault: Vault
) -> None:
    file = block / "contact.csv"
    file.write_text(
        "code,way_1,way_2\nchild,voice webhook https://voice.example/1,sms apprise json://13900005678\n"
    )
    bring(file, "contact", "binding", now_us=LATER_US)
    with writing(engine) as connection:
        [child] = reveal_contacts(connection, vault, only="child", by="t", now_us=NOW_US)
        rows = connection.execute(select(contact_channel).order_by(contact_channel.c.id)).all()
    assert [(way.rank, way.address) for way in child.channels] == [
        (1, "https://voice.example/1"),
        (2, "json://13900005678"),
    ]
    assert child.name == "示例甲"
    assert [(row.added_us, row.removed_us) for row in rows] == [
        (NOW_US, LATER_US),
        (NOW_US, None),
        (NOW_US, None),
        (LATER_US, None),
    ]


def test_only_what_changed_is_sealed_anew(bring: Bring, block: Path, engine: Engine) -> None:
    with reading(engine) as connection:
        before = {row.code: row.name_sealed for row in connection.execute(select(contact))}
    text = BLOCK["contact"].replace("示例站", "示例二站").replace("示例甲,zh-CN", "示例甲,en")
    (block / "contact.csv").write_text(text, encoding="utf-8")
    assert counts(bring(block / "contact.csv", "contact"))["contact"] == (0, 2, 0)
    with reading(engine) as connection:
        after = {row.code: row.name_sealed for row in connection.execute(select(contact))}
    assert after["child"] == before["child"]
    assert after["brigade"] != before["brigade"]


def test_rows_that_a_file_does_not_name_are_left_alone(bring: Bring, block: Path, engine: Engine) -> None:
    (block / "contact.csv").write_text("code,language\nchild,en\n")
    assert counts(bring(block / "contact.csv", "contact")) == {"contact": (0, 1, 0)}
    with reading(engine) as connection:
        assert connection.execute(select(binding.c.ended_us)).scalars().all() == [None, None]


@pytest.mark.usefixtures("block")
def test_a_retired_device_is_not_brought_back(refused: Refused, block: Path, engine: Engine) -> None:
    with writing(engine) as connection:
        retire_device(connection, uid="own:m-2", by="t", now_us=LATER_US)
    found = refused(block)
    assert [(fault.file, fault.line, fault.column) for fault in found] == [
        ("device.csv", 3, "uid"),
        ("channel.csv", 2, "device"),
    ]
    assert all("retired" in fault.allowed for fault in found)


@pytest.mark.usefixtures("block")
def test_an_erased_contact_stays_erased(refused: Refused, block: Path, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(contact).where(contact.c.code == "child").values(erased_us=NOW_US, name_sealed=b"")
        )
    found = refused(block)
    assert [(fault.file, fault.line) for fault in found] == [("contact.csv", 2), ("binding.csv", 2)]
    assert all("erased" in fault.allowed for fault in found)


def test_a_registry_that_moved_meanwhile_is_read_again(block: Path, engine: Engine, vault: Vault) -> None:
    """A plan made for an older version is refused under the lock, and nothing of it is written."""
    registry = read_registry(engine, vault, {"area": {"name"}})
    with writing(engine) as connection:
        add_area(connection, level="city", code="X", name="x", by="t", now_us=NOW_US)
    assert list(Ids(engine, registry).take(area, 2))
    with pytest.raises(Moved):
        carry_out(engine, registry, [], what="late", by="t", now_us=NOW_US, dry_run=False)
    with reading(engine) as connection:
        assert "late" not in connection.execute(select(registry_change.c.what)).scalars().all()
    (block / "area.csv").write_text("code,level,name\nX,city,y\n")
    assert counts(import_sheets(engine, vault, block / "area.csv", forms=["area"], by="t", now_us=NOW_US))


def test_no_name_and_no_number_stands_in_clear_in_the_database(
    bring: Bring, folder: Path, engine: Engine, vault: Vault
) -> None:
    bring(folder)
    with reading(engine) as connection:
        rows = [*connection.execute(select(contact)), *connection.execute(select(contact_channel))]
        said = repr([tuple(row) for row in rows]) + repr(connection.execute(select(registry_change)).all())
        assert [row.code for row in list_contacts(connection, vault)] == ["brigade", "child"]
        assert connection.execute(select(placement.c.until_us)).scalars().all() == [None, None]
    assert "示例" not in said
    assert "13800001234" not in said
