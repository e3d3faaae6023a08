"""How series stand: places above a device, its circuit, how long it may be silent, through whom it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy import Engine, delete, insert, update

from devices import registry as places
from devices.database import open_database, writing
from devices.model import DeviceKind, Earthing, Insulation, Metric
from devices.profiles.profile import Said
from devices.registry import Written
from devices.schema import area, building, device, device_channel, dwelling, series, stair
from ingest.known_devices import LONGEST_SILENCE_S, SHORTEST_SILENCE_S, silence_of
from ingest.schema import device_said
from ingest.series import SeriesIndex
from tests.ingest.test_series import alter, follow, index_of, register, slots

WHO = Written(by="t", now_us=1)
GATEWAY = "gw:1"


@pytest.fixture
def registry(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    with writing(engine) as connection:
        for number, code in ((1, "g1"), (2, "g2")):
            connection.execute(insert(area).values(id=number, level="grid", code=code, name=code))
        connection.execute(insert(building).values(id=3, area_id=1, code="b", name="b", floors=6))
        connection.execute(insert(building).values(id=4, area_id=2, code="c", name="c", floors=6))
        connection.execute(insert(stair).values(id=5, building_id=3, code="s", name="s"))
        connection.execute(insert(dwelling).values(id=7, stair_id=5, floor=1, flat="1", code="d"))
    register(engine, "a", dwelling_id=7, breaker_a=32.0, cable_a=25.0, insulation="pvc", earthing="tn-s")
    register(engine, "b", building_id=4, earthing="tt")
    register(engine, "c")
    yield engine
    engine.dispose()


def seated(engine: Engine, *uids: str, channel: str = "") -> SeriesIndex:
    """An index with one series of each device, on the seats 1, 2, ..."""
    index = index_of(engine)
    slots(index, *((index.row(uid, channel), Metric.CURRENT) for uid in uids))
    index.take_changed()
    return index


def say(engine: Engine, uid: str, key: str, text: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(device_said).values(uid=uid, key=key, text=text, said_us=1))


def test_the_table_says_the_places_above_a_device(registry: Engine) -> None:
    table = seated(registry, "a", "b", "c").table()
    assert table.dwelling.tolist() == [0, 7, 0, 0]
    assert table.stair.tolist() == [0, 5, 0, 0]
    assert table.building.tolist() == [0, 3, 4, 0]
    assert table.area.tolist() == [0, 1, 2, 0]
    assert table.parent.tolist() == [0] * 4


def test_the_table_says_circuit_earthing_and_phase(registry: Engine) -> None:
    with writing(registry) as connection:
        for channel, breaker, insulation in (("l1", 10.0, "unknown"), ("ch2", None, "xlpe")):
            connection.execute(
                insert(device_channel).values(
                    device_id=1, channel=channel, breaker_a=breaker, insulation=insulation
                )
            )
    index = index_of(registry)
    points = [("a", ""), ("a", "l1"), ("a", "ch2"), ("b", ""), ("c", "n")]
    slots(index, *((index.row(*point), Metric.CURRENT) for point in points))
    table = index.table()
    assert table.insulation.tolist() == [
        0, Insulation.PVC, Insulation.PVC, Insulation.XLPE, Insulation.UNKNOWN, Insulation.UNKNOWN,
    ]  # fmt: skip
    assert table.earthing.tolist() == [0, *[Earthing.TN_S] * 3, Earthing.TT, Earthing.UNKNOWN]
    assert table.breaker_a[1:4].tolist() == [32.0, 10.0, 32.0]
    assert np.isnan(table.breaker_a[[0, 4, 5]]).all()
    assert table.reference_a[1:4].tolist() == [25.0, 10.0, 25.0]
    assert table.phase.tolist() == [0, 0, 1, 18, 0, 4]


def test_a_word_of_a_later_release_is_unknown(registry: Engine) -> None:
    alter(registry, "a", insulation="paper", earthing="it", kind="lift")
    table = seated(registry, "a").table()
    assert (table.insulation[1], table.earthing[1], table.kind[1]) == (0, 0, DeviceKind.UNKNOWN)


def test_the_table_says_what_kind_of_device_it_is_from_the_change_on(registry: Engine) -> None:
    index = seated(registry, "a", "b", "c")
    assert index.table().kind.tolist() == [0, *[DeviceKind.OTHER] * 3]
    alter(registry, "a", kind="electrical")
    alter(registry, "b", kind="smoke")
    alter(registry, "c", retired_us=5)
    follow(registry, index)
    assert index.table().kind.tolist() == [
        0, DeviceKind.ELECTRICAL, DeviceKind.SMOKE, DeviceKind.UNKNOWN,
    ]  # fmt: skip
    assert index.take_changed().tolist() == [1, 2, 3]
    assert index.standing(np.array([1], np.int32)).kind.tolist() == [DeviceKind.ELECTRICAL]


def test_a_replay_sees_the_kind_that_was_and_then_that_of_the_registry(registry: Engine) -> None:
    index = seated(registry, "a")
    was = index.standing(np.array([1], np.int32))
    alter(registry, "a", kind="smoke")
    later = seated(registry, "a")
    later.stand(was)
    assert later.table().kind.tolist() == [0, DeviceKind.OTHER]
    later.follow()
    assert later.table().kind.tolist() == [0, DeviceKind.SMOKE]
    assert later.take_changed().tolist() == [1]


def test_a_device_on_a_stair_is_in_no_dwelling_and_above_it_are_building_and_area(registry: Engine) -> None:
    alter(registry, "c", stair_id=5)
    table = seated(registry, "a", "b", "c").table()
    assert table.dwelling.tolist() == [0, 7, 0, 0]
    assert table.stair.tolist() == [0, 5, 0, 5]
    assert table.building.tolist() == [0, 3, 4, 3]
    assert table.area.tolist() == [0, 1, 2, 1]


def test_a_building_that_moves_takes_the_devices_on_its_stairs_along(registry: Engine) -> None:
    alter(registry, "c", stair_id=5)
    index = seated(registry, "b", "c")
    with writing(registry) as connection:
        places.move_building(connection, code="b", area_code="g2", **WHO)
    assert follow(registry, index) == 2
    assert index.table().area.tolist() == [0, 2, 2]
    alter(registry, "c", stair_id=None, dwelling_id=7)
    follow(registry, index)
    assert (index.table().dwelling.tolist(), index.table().stair.tolist()) == ([0, 0, 7], [0, 0, 5])


def test_a_building_that_moves_takes_its_devices_along(registry: Engine) -> None:
    index = seated(registry, "a", "b", "c")
    with writing(registry) as connection:
        places.move_building(connection, code="b", area_code="g2", **WHO)
    assert follow(registry, index) == 1
    assert index.table().area.tolist() == [0, 2, 2, 0]
    assert index.take_changed().tolist() == [1]
    with writing(registry) as connection:
        places.move_building(connection, code="c", area_code="g1", **WHO)
    assert follow(registry, index) == 1
    assert index.table().area.tolist() == [0, 2, 1, 0]


def test_a_device_that_moves_has_other_places_and_a_retired_one_none(registry: Engine) -> None:
    index = seated(registry, "a", "b")
    alter(registry, "a", dwelling_id=None, building_id=4)
    alter(registry, "b", retired_us=5)
    follow(registry, index)
    table = index.table()
    assert (table.stair[1], table.building[1], table.area[1]) == (0, 4, 2)
    assert [int(column[2]) for column in (table.device, table.building, table.area, table.earthing)] == [
        0
    ] * 4


def test_how_long_a_device_may_be_silent_is_the_registrys_word_and_else_its_own(registry: Engine) -> None:
    index = seated(registry, "a", "b", "c")
    assert np.isnan(index.table().silence_s).all()
    index.hear([Said("a", "max_silence", "90000"), Said("b", "max_silence", "90000")])
    assert index.take_changed().tolist() == [1, 2]
    assert index.table().silence_s[1:3].tolist() == [90000.0, 90000.0]
    alter(registry, "a", max_silence_s=600)
    follow(registry, index)
    assert index.table().silence_s[1:3].tolist() == [600.0, 90000.0]
    index.take_changed()
    index.hear([Said("a", "max_silence", "100000")])
    assert index.take_changed().tolist() == []
    alter(registry, "a", max_silence_s=None)
    follow(registry, index)
    assert index.table().silence_s[1] == 100000.0


def test_the_longest_silence_that_was_said_counts_until_it_holds_no_more(registry: Engine) -> None:
    index = seated(registry, "a")
    for text, counts in (("7200", 7200.0), ("90000", 90000.0), ("7200", 90000.0), ("90000", 90000.0)):
        index.hear([Said("a", "max_silence", text)])
        assert index.table().silence_s[1] == counts
    index.take_changed()
    index.hear([Said("a", "max_silence", "90000"), Said("a", "firmware", "2"), Said("a", "max_silence", "x")])
    assert index.take_changed().tolist() == []
    index.hear([Said("a", "max_silence", "")])
    assert np.isnan(index.table().silence_s[1])
    assert index.take_changed().tolist() == [1]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("180", 180.0),
        ("3", SHORTEST_SILENCE_S),
        ("1e300", LONGEST_SILENCE_S),
        *((text, 0.0) for text in ("", "soon", "nan", "inf", "-5", "0", "1" * 500)),
    ],
)
def test_only_a_length_of_time_is_one(text: str, seconds: float) -> None:
    assert silence_of(text) == seconds


def test_what_is_said_longest_of_all_is_no_change_when_said_again(registry: Engine) -> None:
    index = seated(registry, "a")
    for text in ("31622399", "31622399", "1e300", "1e300"):
        index.take_changed()
        index.hear([Said("a", "max_silence", text)])
    assert index.take_changed().tolist() == []


def test_a_device_stands_behind_its_gateway_whichever_is_known_first(registry: Engine) -> None:
    index = seated(registry, "a", "b", "c")
    index.hear([Said("a", "parent", GATEWAY), Said("b", "parent", "b"), Said("c", "parent", "c:none")])
    assert index.table().parent.tolist() == [0] * 4
    assert index.take_changed().tolist() == []
    register(registry, GATEWAY)
    follow(registry, index)
    assert index.table().parent.tolist() == [0, 4, 0, 0]
    assert index.take_changed().tolist() == [1]
    index.hear([Said("b", "parent", GATEWAY)])
    assert index.table().parent.tolist() == [0, 4, 4, 0]
    assert index.take_changed().tolist() == [2]
    alter(registry, GATEWAY, retired_us=5)
    follow(registry, index)
    assert index.table().parent.tolist() == [0] * 4
    assert index.take_changed().tolist() == [1, 2]
    alter(registry, GATEWAY, retired_us=None)
    follow(registry, index)
    index.hear([Said("a", "parent", "")])
    assert index.table().parent.tolist() == [0, 0, 4, 0]


def test_nobody_listens_to_strangers(registry: Engine) -> None:
    index = seated(registry, "a")
    before = len(index._points.devices)
    index.hear([Said(f"x:{n}", key, "90000") for n in range(100) for key in ("parent", "max_silence")])
    assert len(index._points.devices) == before
    assert index.take_changed().tolist() == []


def test_what_was_said_before_the_start_counts_from_the_start(registry: Engine) -> None:
    register(registry, GATEWAY)
    for uid in "ab":
        say(registry, uid, "max_silence", "90000")
        say(registry, uid, "parent", GATEWAY)
    say(registry, "x:1", "parent", GATEWAY)
    alter(registry, "b", max_silence_s=120)
    index = seated(registry, "a", "b", "c")
    assert index.table().silence_s[1:3].tolist() == [90000.0, 120.0]
    assert index.table().parent.tolist() == [0, 4, 4, 0]


def test_what_was_said_before_a_device_was_registered_counts_from_then_on(registry: Engine) -> None:
    index = seated(registry, "a")
    say(registry, "new", "max_silence", "7200")
    say(registry, "new", "parent", "a")
    register(registry, "new")
    follow(registry, index)
    slots(index, (index.row("new", ""), Metric.CURRENT))
    assert (index.table().silence_s[2], index.table().parent[2]) == (7200.0, 1)


def test_what_was_heard_here_is_newer_than_what_the_database_has(registry: Engine) -> None:
    register(registry, GATEWAY)
    index = seated(registry, "a")
    index.hear([Said("a", "parent", GATEWAY), Said("a", "max_silence", "90000")])
    say(registry, "a", "parent", "b")
    say(registry, "a", "max_silence", "7200")
    alter(registry, "a", label="hall")
    follow(registry, index)
    assert (index.table().parent[1], index.table().silence_s[1]) == (4, 90000.0)


def test_a_series_that_is_gone_leaves_nothing_behind(registry: Engine) -> None:
    alter(registry, "a", max_silence_s=120)
    index = seated(registry, "a", "b", channel="l2")
    index.hear([Said("a", "parent", "b")])
    index.free([1])
    index.table()
    table = index.table()
    ids = (table.metric, table.device, table.stair, table.building, table.area, table.parent, table.phase)
    assert [int(column[1]) for column in (*ids, table.insulation, table.earthing, table.kind)] == [0] * 10
    assert np.isnan([table.reference_a[1], table.breaker_a[1], table.silence_s[1]]).all()
    assert table.phase[2] == 2


def test_what_stands_in_a_snapshot_comes_back_whatever_the_registry_says_now(registry: Engine) -> None:
    index = seated(registry, "a", "b")
    index.hear([Said("a", "max_silence", "7200"), Said("a", "parent", "b")])
    kept = index.snapshot()
    alter(registry, "a", dwelling_id=None, insulation="xlpe", breaker_a=6.0)
    later = seated(registry, "a", "b")
    later.restore(kept)
    assert {name: repr(column) for name, column in later.snapshot().items()} == {
        name: repr(column) for name, column in kept.items()
    }
    later.follow()
    assert later.take_changed().tolist() == [1]
    assert later.table().insulation[1] == Insulation.XLPE


def test_a_snapshot_of_an_earlier_release_keeps_what_it_has_and_changes_nothing_else(
    registry: Engine,
) -> None:
    index = seated(registry, "a", "b")
    kept = {name: index.snapshot()[name] for name in ("slot", "device", "dwelling", "reference")}
    kept["reference"][1] = 6.0
    index.restore(kept)
    assert (index.table().reference_a[1], index.table().area[1]) == (6.0, 1)
    index.follow()
    assert index.take_changed().tolist() == [1]
    assert index.table().reference_a[1] == 25.0


def test_a_registry_without_places_is_read(registry: Engine) -> None:
    with writing(registry) as connection:
        connection.execute(update(device).values(dwelling_id=None, building_id=None))
        connection.execute(delete(device_channel))
    table = seated(registry, "a", "b").table()
    assert table.building.tolist() == table.area.tolist() == [0, 0, 0]


def test_the_thermometer_of_a_detector_is_in_a_room_from_its_first_word_on(registry: Engine) -> None:
    index = index_of(registry)
    points = [("a", ""), ("a", "attic"), ("a", "l1"), ("a", "ch2"), ("b", "")]
    slots(index, *((index.row(*point), Metric.TEMPERATURE) for point in points))
    index.take_changed()
    assert not index.table().room.any()
    before = index.standing(np.arange(1, 6, dtype=np.int32))
    slots(index, (index.row("a", "head"), Metric.SMOKE_DENSITY_PCT))
    assert index.table().room.tolist() == [False, True, True, False, False, False, True]
    assert index.take_changed().tolist() == [1, 2, 3, 4, 6]
    for column, same in zip(index.standing(np.arange(1, 6, dtype=np.int32)), before, strict=True):
        np.testing.assert_array_equal(column, same)
    slots(index, (index.row("a", ""), Metric.SMOKE_ALARM), (index.row("a", ""), Metric.TEMPERATURE_AMBIENT))
    assert index.table().room[-2:].tolist() == [True, True]
    assert index.take_changed().tolist() == [7, 8]


@pytest.mark.parametrize("metric", [Metric.HEAT_ALARM, Metric.GAS_ALARM, Metric.SMOKE_ALARM])
def test_what_is_stored_of_a_detector_is_known_at_the_start(registry: Engine, metric: Metric) -> None:
    index = index_of(registry)
    slots(index, (index.row("a", ""), Metric.TEMPERATURE), (index.row("a", ""), metric))
    with writing(registry) as connection:
        for one in index.take_new_series():
            connection.execute(insert(series).values(**asdict(one), created_us=1))
    again = index_of(registry)
    assert again.table().room.tolist() == [False, True, True]
    assert not again.has_changed


def test_who_takes_the_seat_of_a_room_is_in_none(registry: Engine) -> None:
    index = index_of(registry)
    slots(index, (index.row("a", ""), Metric.TEMPERATURE), (index.row("a", ""), Metric.SMOKE_ALARM))
    index.free([1, 2])
    assert not index.table().room.any()
    slots(index, (index.row("b", ""), Metric.TEMPERATURE))
    assert not index.table().room.any()


def test_a_fire_button_is_in_no_room(registry: Engine) -> None:
    index = index_of(registry)
    slots(index, (index.row("a", ""), Metric.TEMPERATURE), (index.row("a", ""), Metric.MANUAL_ALARM))
    assert not index.table().room.any()
