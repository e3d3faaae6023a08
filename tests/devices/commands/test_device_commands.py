from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from devices.commands import Desk
from devices.commands.desk import pages
from devices.database import reading, writing
from devices.registry import Page, list_devices
from devices.schema import device, device_test, publisher
from tests.devices.commands.test_commands import Run, block, objects, run
from tests.devices.conftest import NOW_US

__all__ = ["block", "run"]

pytestmark = pytest.mark.usefixtures("block")

UID = "own:meter-7"


@pytest.fixture
def meter(run: Run, block: None) -> None:
    run(
        f"device register {UID} --kind electrical --profile own --dwelling 501 --breaker-a 63 --cable-a 80 "
        "--insulation pvc --earthing tn-c --label 配电箱 --vendor Example --model M-1 --serial 0001 "
        "--installed-on 2025-03-14 --installed-by W-17"
    )


@pytest.mark.usefixtures("meter")
def test_all_that_is_known_of_a_device_is_shown(run: Run, desk: Desk) -> None:
    run(f"device channel set {UID} l2 --label 空调 --breaker-a 20")
    with writing(desk.engine) as connection:
        device_id = connection.execute(select(device.c.id).where(device.c.uid == UID)).scalar_one()
        values = {"kind": "device", "device_id": device_id, "password_hash": "x", "created_by": "t"}
        connection.execute(insert(publisher).values(name="meter-7", created_us=NOW_US, **values))
    shown = run(f"device show {UID}").stdout.splitlines()
    assert shown[:10] == [
        "device     own:meter-7 (electrical, profile own)",
        "state      in service",
        "place      幸福里社区, 3号楼, 1单元, floor 5, flat 501 (dwelling 501)",
        "label      配电箱",
        "circuit    breaker 63 A, cable 80 A, insulation pvc, earthing tn-c",
        "silence    as it says itself",
        "channel    l2: 空调, breaker 20 A",
        "made       Example, M-1",
        "serial     0001",
        "publisher  meter-7",
    ]
    assert shown[10] == "installed  2025-03-14 by W-17"
    assert shown[11].startswith("registered 20")
    [card] = objects(run(f"device show {UID} --json"))
    assert card["place"] == "幸福里社区, 3号楼, 1单元, floor 5, flat 501"
    assert card["channels"] == [
        {"channel": "l2", "label": "空调", "breaker_a": 20.0, "cable_a": None, "insulation": "unknown"}
    ]
    assert card["publishers"] == [{"name": "meter-7", "revoked_at": None}]
    assert (card["installed_on"], card["history"]) == ("2025-03-14", None)


@pytest.mark.usefixtures("block")
def test_when_a_detector_was_tested_last_is_shown(run: Run, desk: Desk) -> None:
    run("device register own:s-1 --kind smoke --profile own --dwelling 501")
    assert "last test  none on record\n" in run("device show own:s-1").stdout
    assert objects(run("device show own:s-1 --json"))[0]["last_test"] is None
    with writing(desk.engine) as connection:
        for began_us, ended_us in ((NOW_US, NOW_US + 5_000_000), (NOW_US - 1, None)):
            values = {"began_us": began_us, "ended_us": ended_us, "received_us": NOW_US + 2_000_000}
            connection.execute(insert(device_test).values(uid="own:s-1", **values))
    shown = run("device show own:s-1").stdout
    assert "last test  2025-11-21T20:00:00+00:00, to 2025-11-21T20:00:05+00:00\n" in shown
    [card] = objects(run("device show own:s-1 --json"))
    assert card["last_test"] == {
        "began_at": "2025-11-21T20:00:00+00:00",
        "ended_at": "2025-11-21T20:00:05+00:00",
        "received_at": "2025-11-21T20:00:02+00:00",
        "exercise": "",
    }
    with writing(desk.engine) as connection:
        later = {"began_us": NOW_US + 60_000_000, "received_us": NOW_US + 60_000_000}
        connection.execute(insert(device_test).values(uid="own:s-1", **later))
    assert "last test  2025-11-21T20:01:00+00:00, end not said\n" in run("device show own:s-1").stdout


@pytest.mark.usefixtures("meter")
def test_what_has_no_test_button_says_nothing_of_tests(run: Run) -> None:
    assert "last test" not in run(f"device show {UID}").stdout


@pytest.mark.usefixtures("meter")
def test_where_a_device_has_been_is_shown_where_asked(run: Run) -> None:
    run(f"device move {UID} --building B")
    run(f"device retire {UID}")
    lines = run(f"device show {UID} --history").stdout.splitlines()
    assert [line.split(" since ")[0] for line in lines if line.startswith("history")] == [
        "history    dwelling 501",
        "history    building B",
    ]
    assert lines[1].startswith("state      retired 20")
    [card] = objects(run(f"device show {UID} --history --json"))
    stays = card["history"]
    assert isinstance(stays, list)
    assert [(stay["dwelling"], stay["building"]) for stay in stays] == [("501", ""), ("", "B")]
    assert stays[0]["until_at"] == stays[1]["since_at"]
    assert stays[1]["until_at"] == card["retired_at"]


@pytest.mark.usefixtures("meter")
def test_a_move_says_which_ratings_still_hold(run: Run) -> None:
    run(f"device channel set {UID} l2 --breaker-a 20")
    assert run(f"device move {UID} --building B").stdout == (
        "device own:meter-7 hangs in building B; still breaker 63 A, cable 80 A, 1 channels: say otherwise "
        "with device set\n"
    )
    run(f"device set {UID} --clear breaker_a --clear cable_a")
    run(f"device channel remove {UID} l2")
    assert objects(run(f"device move {UID} --dwelling 501 --json")) == [
        {"moved": UID, "dwelling": "501", "stair": None, "building": None}
    ]
    assert run(f"device move {UID} --building B").stdout == "device own:meter-7 hangs in building B\n"


@pytest.mark.usefixtures("meter")
def test_how_long_a_device_may_be_silent_is_said_and_taken_back(run: Run) -> None:
    run("device register own:m-9 --kind smoke --profile own --dwelling 501 --max-silence 86400")
    assert "silence    at most 86400 s\n" in run("device show own:m-9").stdout
    run(f"device set {UID} --max-silence 60")
    [card] = objects(run(f"device show {UID} --json"))
    assert (card["max_silence_s"], card["breaker_a"]) == (60, 63.0)
    run(f"device set {UID} --clear max_silence_s")
    assert "silence    as it says itself\n" in run(f"device show {UID}").stdout
    run("device retire own:m-9")
    run("device register own:m-9 --kind smoke --profile own --dwelling 501")
    assert objects(run("device show own:m-9 --json"))[0]["max_silence_s"] is None


@pytest.mark.usefixtures("meter")
def test_a_device_is_described_anew(run: Run) -> None:
    assert objects(run(f"device set {UID} --breaker-a 32 --label", "", "--json")) == [
        {"set": UID, "changed": True}
    ]
    run(f"device set {UID} --clear cable_a --clear installed_on")
    [card] = objects(run(f"device show {UID} --json"))
    assert (card["breaker_a"], card["cable_a"], card["label"]) == (32.0, None, "")
    assert (card["installed_on"], card["serial"]) == (None, "0001")
    assert run(f"device set {UID} --breaker-a 32").stdout.endswith("nothing differed\n")


@pytest.mark.usefixtures("meter")
def test_channels_are_set_listed_and_removed(run: Run) -> None:
    run(f"device channel set {UID} l1")
    assert objects(run(f"device channel set {UID} l2 --cable-a 4 --json")) == [
        {"set": UID, "channel": "l2", "changed": True}
    ]
    assert [one["channel"] for one in objects(run(f"device channel list {UID} --json"))] == ["l1", "l2"]
    assert "as the device" in run(f"device show {UID}").stdout
    run(f"device channel remove {UID} l1")
    assert "no channel 'l1'" in run(f"device channel remove {UID} l1", code=1).stderr


@pytest.mark.usefixtures("meter")
def test_lists_of_devices_are_narrowed_to_a_place(run: Run) -> None:
    run("device register own:door --kind smoke --profile own --building B")

    def uids(words: str) -> set[object]:
        return {one["uid"] for one in objects(run(f"device list {words} --json"))}

    assert uids("") == uids("--area C") == uids("--building B") == {UID, "own:door"}
    assert uids("--dwelling 501") == uids("--stair S1") == {UID}
    assert run("device list --dwelling 501").stdout.splitlines()[1].split() == [
        UID, "electrical", "own", "501", "-", "-", "配电箱", "63.0", "-",
    ]  # fmt: skip
    run("device list --dwelling 501 --area C", code=2)
    assert "no area with code 'X'" in run("device list --area X", code=1).stderr


@pytest.mark.usefixtures("meter")
def test_a_device_hangs_on_a_stair(run: Run) -> None:
    run("device register own:hall --kind smoke --profile own --stair S1 --label 三层")
    assert run("device show own:hall").stdout.splitlines()[2] == (
        "place      幸福里社区, 3号楼, 1单元, common parts (stair S1)"
    )
    [card] = objects(run("device show own:hall --json"))
    assert (card["dwelling"], card["stair"], card["building"]) == ("", "S1", "")
    assert run(f"device move {UID} --stair S1").stdout.startswith(f"device {UID} hangs in stair S1; still")
    assert {one["uid"]: one["stair"] for one in objects(run("device list --stair S1 --json"))} == {
        UID: "S1", "own:hall": "S1",
    }  # fmt: skip
    history = [line for line in run(f"device show {UID} --history").stdout.splitlines() if "history" in line]
    assert [line.split(" since ")[0] for line in history] == [
        "history    dwelling 501",
        "history    stair S1",
    ]
    assert "no stair with code '501'" in run("device move own:hall --stair 501", code=1).stderr
    assert "exactly one" in run("device move own:hall --stair S1 --dwelling 501", code=1).stderr


def test_a_long_list_is_read_page_by_page_and_complete(run: Run, desk: Desk) -> None:
    for n in range(7):
        run(f"device register own:m{n} --kind smoke --profile own --building B")
    asked = []

    def read(connection: object, page: Page) -> list[object]:
        asked.append(page.after)
        with reading(desk.engine) as fresh:
            return list(list_devices(fresh, page=Page(after=page.after, size=page.size)))

    [*rows] = pages(desk, read, "uid", size=3)
    assert [getattr(row, "uid", "") for row in rows] == [f"own:m{n}" for n in range(7)]
    assert asked == ["", "own:m2", "own:m5"]


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"device move {UID} --dwelling 501", "hangs in '501' already"),
        (f"device move {UID}", "exactly one of them is allowed"),
        (f"device set {UID} --breaker-a 0", "breaker_a 0.0: a positive number of amperes up to 6300"),
        (f"device set {UID} --max-silence 59", "max_silence_s 59: a number of seconds from 60 to 31622400"),
        (f"device set {UID} --max-silence 31622401", "from 60 to 31622400 is allowed"),
        (f"device set {UID} --installed-on 2125-01-01", "installed_on '2125-01-01': a date YYYY-MM-DD"),
        (f"device channel set {UID} {'x' * 33}", "1 to 32 printable characters without blanks"),
        ("device set own:nobody --label x", "no device with uid 'own:nobody'"),
        ("device show own:nobody --history", "no device with uid 'own:nobody'"),
    ],
)
def test_a_refusal_names_the_value_and_what_is_allowed(run: Run, words: str, reason: str) -> None:
    refused = run(words, code=1)
    assert reason in refused.stderr
    assert refused.stdout == ""


@pytest.mark.usefixtures("meter")
@pytest.mark.parametrize("more", ["", "--clear serial", "--breaker-a 3 --clear breaker_a"])
def test_setting_nothing_or_clearing_wrongly_is_wrong_usage(run: Run, more: str) -> None:
    run(f"device set {UID} {more}", code=2)
