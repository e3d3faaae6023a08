from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from devices import registry
from devices.database import writing
from devices.registry import AlreadyThere, NotAllowed, NotThere, Written
from devices.schema import look, registry_change
from devices.vault import Vault
from tests.databases import dump_of
from tests.devices.conftest import NOW_US, build_block

WHO = Written(by="installer", now_us=NOW_US)


PHONE = "https://sms.example/13800001234"


def add_person(connection: Connection, vault: Vault, code: str = "P1", name: str = "示例甲") -> None:
    registry.add_contact(connection, vault, code=code, name=name, **WHO)


def register(connection: Connection, uid: str = "own:meter-7", **changes: Any) -> int:
    values = {"kind": "electrical", "profile": "own", "dwelling_code": "101", "uid": uid} | changes
    return registry.register_device(connection, **values, **WHO)


def test_a_dump_of_the_database_holds_no_name_no_number_and_no_note(engine: Engine, vault: Vault) -> None:
    with writing(engine) as connection:
        build_block(connection, vault)
        add_person(connection, vault, name="示例甲乙丙")
        registry.add_channel(
            connection,
            vault,
            contact_code="P1",
            medium="sms",
            carrier="webhook",
            address=PHONE,
            **WHO,
        )
        registry.add_dwelling(
            connection, vault, code="501", stair_code="S1", floor=5, flat="501", attention="独居老人", **WHO
        )
        registry.reveal_contacts(connection, vault, by="o", now_us=NOW_US)
    dump = dump_of(engine)
    for secret in ("示例甲乙丙", "13800001234", "独居老人"):
        assert secret.encode() not in dump
    assert "幸福里社区".encode() in dump


@pytest.mark.usefixtures("block")
def test_adding_the_same_thing_again_is_refused_and_names_it(connection: Connection, vault: Vault) -> None:
    with pytest.raises(AlreadyThere, match="'B'"):
        registry.add_building(connection, code="B", name="3号楼", area_code="G", floors=6, **WHO)
    with pytest.raises(AlreadyThere, match="'C'"):
        registry.add_area(connection, level="city", code="C", name="演示市", **WHO)
    add_person(connection, vault)
    with pytest.raises(AlreadyThere, match="'P1'"):
        add_person(connection, vault)
    register(connection)
    with pytest.raises(AlreadyThere, match="own:meter-7"):
        register(connection)


@pytest.mark.usefixtures("block")
def test_an_area_cannot_lie_below_one_of_its_own_level_or_lower(connection: Connection) -> None:
    with pytest.raises(NotAllowed, match="city > district > street > community > grid"):
        registry.add_area(connection, level="street", code="X", name="x", parent_code="K", **WHO)
    with pytest.raises(NotAllowed, match="level 'town': allowed are city, district"):
        registry.add_area(connection, level="town", code="X", name="x", **WHO)
    registry.add_area(connection, level="grid", code="X", name="x", parent_code="C", **WHO)


@pytest.mark.usefixtures("block")
def test_what_is_named_must_exist(connection: Connection, vault: Vault) -> None:
    with pytest.raises(NotThere, match="no stair with code 'S9'"):
        registry.add_dwelling(connection, vault, code="x", stair_code="S9", floor=1, flat="1", **WHO)
    with pytest.raises(NotThere, match="no contact with code 'P9'"):
        registry.bind(
            connection, contact_code="P9", role="family", place_kind="dwelling", place_code="101", **WHO
        )
    with pytest.raises(NotThere):
        registry.list_areas(connection, only="nowhere")


@pytest.mark.usefixtures("block")
def test_floors_and_codes_are_checked(connection: Connection, vault: Vault) -> None:
    with pytest.raises(NotAllowed, match="floor 7: -10 to 6"):
        registry.add_dwelling(connection, vault, code="701", stair_code="S1", floor=7, flat="701", **WHO)
    with pytest.raises(NotAllowed, match="without blanks"):
        registry.add_stair(connection, code="a b", name="x", building_code="B", **WHO)
    with pytest.raises(NotAllowed, match="printable"):
        registry.add_stair(connection, code="S3", name=" ", building_code="B", **WHO)
    with pytest.raises(NotAllowed, match="community, grid"):
        registry.add_building(connection, code="B2", name="x", area_code="C", floors=6, **WHO)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"uid": "meter-7"}, "<namespace>:<id>"),
        ({"uid": "own:Meter"}, "lower case"),
        ({"uid": "zigbee:12"}, "16 hex digits"),
        ({"uid": "own:" + "x" * 300}, "200"),
        ({"kind": "toaster"}, "smoke, electrical, other"),
        ({"profile": "other"}, "own, .*zigbee2mqtt"),
        ({"breaker_a": 0.0}, "positive"),
        ({"cable_a": -3.0}, "positive"),
        ({"breaker_a": float("inf")}, "positive"),
        ({"breaker_a": float("nan")}, "positive"),
        ({"insulation": "paper"}, "pvc, rubber, xlpe"),
        ({"earthing": "it"}, "tn-c, tn-s, tt"),
        ({"breaker_a": 6300.5}, "up to 6300"),
        ({"vendor": "x" * 65}, "64"),
        ({"serial": "a\nb"}, "printable"),
        ({"installed_by": "the installer"}, "without blanks"),
        ({"installed_on": "1989-12-31"}, "from 1990-01-01 to 2025-11-22"),
        ({"installed_on": "2025-11-23"}, "from 1990-01-01 to 2025-11-22"),
        ({"installed_on": "2025-02-30"}, "YYYY-MM-DD"),
        ({"installed_on": "20250201"}, "YYYY-MM-DD"),
        ({"building_code": "B"}, "exactly one"),
        ({"dwelling_code": None}, "exactly one"),
    ],
)
def test_a_device_with_a_wrong_value_is_refused_with_what_is_allowed(
    connection: Connection, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(NotAllowed, match=text):
        register(connection, **changes)
    assert registry.list_devices(connection) == []


@pytest.mark.usefixtures("block")
def test_a_retired_device_leaves_the_list_and_may_come_back_elsewhere_with_its_id(
    connection: Connection,
) -> None:
    first = register(connection, breaker_a=16.0)
    registry.retire_device(connection, uid="own:meter-7", **WHO)
    assert registry.list_devices(connection) == []
    assert [d.retired_us for d in registry.list_devices(connection, retired=True)] == [NOW_US]
    with pytest.raises(NotThere, match="retired already"):
        registry.retire_device(connection, uid="own:meter-7", **WHO)
    assert register(connection, dwelling_code=None, building_code="B") == first
    [device] = registry.list_devices(connection)
    assert (device.building, device.dwelling, device.breaker_a) == ("B", "", None)


def test_names_and_addresses_are_masked_unless_asked_for_and_every_look_is_recorded(
    connection: Connection, vault: Vault
) -> None:
    add_person(connection, vault)
    registry.add_channel(
        connection, vault, contact_code="P1", medium="sms", carrier="webhook", address=PHONE, **WHO
    )
    [masked] = registry.list_contacts(connection, vault)
    assert (masked.name, masked.channels[0].address) == ("示**", "https://**")
    assert connection.execute(select(look)).all() == []
    [clear] = registry.reveal_contacts(connection, vault, only="P1", by="operator", now_us=NOW_US)
    assert (clear.name, clear.channels[0].address) == ("示例甲", PHONE)
    [seen] = connection.execute(select(look.c.by, look.c.contact_id, look.c.what)).all()
    assert tuple(seen) == ("operator", 1, "name, addresses")


@pytest.mark.usefixtures("block")
def test_a_note_on_those_who_live_there_is_masked_and_its_look_recorded(
    connection: Connection, vault: Vault
) -> None:
    registry.add_dwelling(
        connection, vault, code="501", stair_code="S1", floor=5, flat="501", attention="独居", **WHO
    )
    assert registry.list_dwellings(connection, only="501")[0].attention == "**"
    seen = [
        registry.reveal_dwelling(connection, vault, code, by="o", now_us=NOW_US) for code in ("501", "101")
    ]
    assert [one.attention for one in seen] == ["lives_alone", ""]
    assert connection.execute(select(look.c.what)).scalars().all() == ["attention 501"]


def test_one_address_is_taken_once_per_contact_and_medium_and_found_however_written(
    connection: Connection, vault: Vault
) -> None:
    add_person(connection, vault)
    add: dict[str, Any] = {"contact_code": "P1", "carrier": "webhook", **WHO}
    channel = registry.add_channel(connection, vault, medium="sms", address=f" {PHONE}", **add)
    with pytest.raises(AlreadyThere) as refused:
        registry.add_channel(
            connection, vault, medium="sms", address="HTTPS://SMS.example/13800001234", **add
        )
    assert "00001234" not in str(refused.value)
    registry.add_channel(connection, vault, medium="voice", address=PHONE, **add)
    assert registry.find_by_address(connection, vault, "https://SMS.EXAMPLE/13800001234") == ("P1",)
    assert registry.find_by_address(connection, vault, "https://sms.example/13800009999") == ()
    assert registry.address_to_send(connection, vault, channel) == PHONE
    with pytest.raises(NotThere):
        registry.address_to_send(connection, vault, 99)


@pytest.mark.usefixtures("block")
def test_family_belongs_to_a_dwelling_and_only_a_brigade_takes_unconfirmed_alarms(
    connection: Connection, vault: Vault
) -> None:
    add_person(connection, vault)
    place: dict[str, Any] = {"contact_code": "P1", "place_kind": "building", "place_code": "B", **WHO}
    with pytest.raises(NotAllowed, match="dwelling only"):
        registry.bind(connection, role="family", **place)
    with pytest.raises(NotAllowed, match="fire_brigade only"):
        registry.bind(connection, role="micro_station", takes_unconfirmed=True, **place)
    with pytest.raises(NotAllowed, match="grid_worker, building_secretary"):
        registry.bind(connection, role="mayor", **place)
    with pytest.raises(NotAllowed, match="rank 0"):
        registry.bind(connection, role="volunteer", rank=0, **place)


@pytest.mark.usefixtures("block")
def test_a_binding_ends_and_may_begin_again(connection: Connection, vault: Vault) -> None:
    add_person(connection, vault)
    place: dict[str, Any] = {
        "contact_code": "P1",
        "role": "volunteer",
        "place_kind": "stair",
        "place_code": "S1",
        **WHO,
    }
    registry.bind(connection, **place)
    with pytest.raises(AlreadyThere):
        registry.bind(connection, **place)
    assert [b.place for b in registry.list_bindings(connection, contact_code="P1")] == ["S1"]
    registry.unbind(connection, **place)
    with pytest.raises(NotThere):
        registry.unbind(connection, **place)
    assert registry.list_bindings(connection) == []
    registry.bind(connection, **place)


def test_every_write_leaves_a_change_without_personal_data(connection: Connection, vault: Vault) -> None:
    add_person(connection, vault)
    registry.add_channel(
        connection, vault, contact_code="P1", medium="sms", carrier="webhook", address=PHONE, **WHO
    )
    changes = connection.execute(select(registry_change.c.by, registry_change.c.what)).all()
    assert [tuple(change) for change in changes] == [
        ("installer", "contact add P1"),
        ("installer", "contact P1 add-channel sms"),
    ]
