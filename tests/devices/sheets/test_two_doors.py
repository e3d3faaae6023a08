"""A sheet may do what the commands may, and nothing else: each change by hand and by file, and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from devices.commands import Desk, apps
from devices.database import open_database
from devices.schema import metadata
from devices.sheets import FORMS, FaultsFound, export_sheets, import_sheets
from devices.vault import KEY_BYTES, Vault
from tests.devices.conftest import NOW_US

VAULT = Vault(bytes(range(KEY_BYTES)))
KEEPS = ("dwelling move 501 --stair S2", "stair move S1 --building B2", "area set G --level community")
"""There are no such commands."""


@pytest.fixture
def engine_name() -> str:
    """The rules are the same on every engine."""
    return "sqlite"


@pytest.fixture
def folder_of_two(folder: Path) -> Path:
    """The block, with a second community and a second building."""
    for name, row in (("area", "K2,community,别处,C\n"), ("building", "B2,4号楼,G,6\n")):
        file = folder / f"{name}.csv"
        file.write_text(file.read_text(encoding="utf-8") + row, encoding="utf-8")
    return folder


def registry(folder: Path, name: str, block: Path) -> Desk:
    engine = open_database(f"sqlite:///{folder / name}.db")
    metadata.create_all(engine)
    import_sheets(engine, VAULT, block, by="t", now_us=NOW_US)
    return Desk(engine=engine, vault=VAULT, by="t")


def held(desk: Desk, out: Path) -> dict[str, bytes]:
    export_sheets(desk.engine, VAULT, out, tuple(FORMS), reveal=True, by="t", now_us=NOW_US)
    return {one.name: one.read_bytes() for one in out.iterdir()}


@pytest.mark.parametrize(
    ("words", "form", "text", "allowed"),
    [
        ("area set G --name x", "area", "code,name\nG,x\n", True),
        ("area move G --parent K2", "area", "code,parent\nG,K2\n", True),
        ("area move G --root", "area", "code,parent\nG,\n", True),
        ("area move K --parent G", "area", "code,parent\nK,G\n", False),
        ("area move K --parent NO", "area", "code,parent\nK,NO\n", False),
        (KEEPS[2], "area", "code,level\nG,community\n", False),
        ("building set B --floors 9", "building", "code,floors\nB,9\n", True),
        ("building set B --floors 5", "building", "code,floors\nB,5\n", True),
        ("building set B --floors 4", "building", "code,floors\nB,4\n", False),
        ("building set B --floors 0", "building", "code,floors\nB,0\n", False),
        ("building move B --area K", "building", "code,area\nB,K\n", True),
        ("building move B --area C", "building", "code,area\nB,C\n", False),
        ("stair set S1 --name x", "stair", "code,name\nS1,x\n", True),
        (KEEPS[1], "stair", "code,building\nS1,B2\n", False),
        ("dwelling set 501 --floor 6", "dwelling", "code,floor\n501,6\n", True),
        ("dwelling set 501 --floor 7", "dwelling", "code,floor\n501,7\n", False),
        ("dwelling set 501 --floor -11", "dwelling", "code,floor\n501,-11\n", False),
        ("dwelling set 501 --flat 5A", "dwelling", "code,flat\n501,5A\n", True),
        (KEEPS[0], "dwelling", "code,stair\n501,S2\n", False),
        ("device set own:m-1 --kind electrical", "device", "uid,kind\nown:m-1,electrical\n", True),
        ("device set own:m-1 --profile zigbee2mqtt", "device", "uid,profile\nown:m-1,zigbee2mqtt\n", True),
        ("device set own:m-1 --kind fire", "device", "uid,kind\nown:m-1,fire\n", False),
        ("device set own:m-2 --breaker-a 6301", "device", "uid,breaker_a\nown:m-2,6301\n", False),
        ("device set own:m-2 --clear breaker_a", "device", "uid,breaker_a\nown:m-2,\n", True),
        ("device set own:m-2 --max-silence 600", "device", "uid,max_silence_s\nown:m-2,600\n", True),
        ("device set own:m-2 --max-silence 59", "device", "uid,max_silence_s\nown:m-2,59\n", False),
        ("device set own:m-1 --installed-on 1989-12-31", "device",
         "uid,installed_on\nown:m-1,1989-12-31\n", False),
        ("device move own:m-1 --dwelling 101", "device", "uid,dwelling\nown:m-1,101\n", True),
        ("device move own:m-1 --stair S1", "device", "uid,stair\nown:m-1,S1\n", True),
        ("device move own:m-1 --stair S9", "device", "uid,stair\nown:m-1,S9\n", False),
        ("device move own:m-1 --dwelling 999", "device", "uid,dwelling\nown:m-1,999\n", False),
        ("contact add-channel child --medium sms --carrier webhook --address 13800001234", "contact",
         "code,way_1\nbrigade,sms webhook 13800001234\n", False),
        ("contact bind brigade --role volunteer --stair S1 --takes-unconfirmed", "binding",
         "contact,role,place_kind,place,takes_unconfirmed\nbrigade,volunteer,stair,S1,yes\n", False),
        ("contact bind brigade --role family --area C", "binding",
         "contact,role,place_kind,place\nbrigade,family,area,C\n", False),
    ],
)  # fmt: skip
def test_a_sheet_may_do_what_a_command_may(
    tmp_path: Path, folder_of_two: Path, words: str, form: str, text: str, allowed: bool
) -> None:
    by_hand, by_file = (registry(tmp_path, name, folder_of_two) for name in ("hand", "file"))
    app, *more = words.split()
    result = CliRunner().invoke(apps[app], more, obj=by_hand)
    assert (result.exit_code == 0) == allowed, result.output
    file = tmp_path / f"{form}.csv"
    file.write_text(text, encoding="utf-8")
    try:
        import_sheets(by_file.engine, VAULT, file, forms=[form], by="t", now_us=NOW_US)
    except FaultsFound as found:
        assert not allowed, str(found)
    else:
        assert allowed
    assert held(by_hand, tmp_path / "one") == held(by_file, tmp_path / "other")
