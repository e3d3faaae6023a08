"""What is refused, where, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.sheets.faults import SHOWN_MAX
from tests.devices.sheets.conftest import BLOCK, Bring, Refused


def placed(found: list[object]) -> list[tuple[object, object]]:
    return [(fault.line, fault.column) for fault in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("form", "text", "line", "column", "allowed"),
    [
        ("area", "code,level,name\nX,town,x\n", 2, "level", "city, district, street, community, grid"),
        ("area", "code,level,name,parent\nX,grid,x,NO\n", 2, "parent", "code of an area"),
        ("area", "code,level,name,parent\nX,city,x,G\n", 2, "level", "the order is city > district"),
        ("area", "code,level,name,parent\nX,grid,x,Y\nY,grid,x,X\n", 2, "level", "below itself"),
        ("area", "code,level,name\nX,grid,x\nX,grid,y\n", 3, "code", "line 2 has it"),
        ("area", "code,level\nX,grid\n", 2, "code", "also the columns name"),
        ("area", "code,level,name\nX,grid,\n", 2, "name", "must not be empty"),
        ("area", "code,level,name,colour\nX,grid,x,red\n", 1, "column D", "code, level, name, parent"),
        ("area", "code,level,name,name\nX,grid,x,x\n", 1, "column D", "each column once"),
        ("area", "level,name\ngrid,x\n", 1, "code", "it names the row"),
        ("area", "code,level,name\nX,grid,x,more\n", 2, "column D", "as many cells as the header has: 3"),
        ("building", "code,name,area,floors\nX,x,C,6\n", 2, "area", "community, grid"),
        ("building", "code,floors\nB,4\n", 2, "floors", "dwelling 501 lies there"),
        ("building", 'code,floors\nB,"1,000"\n', 2, "floors", "a whole number from 1 to 200"),
        ("building", "code,floors\nB,6.5\n", 2, "floors", "a whole number"),
        ("stair", "code,name,building\nX,x,NO\n", 2, "building", "code of a building"),
        (
            "dwelling",
            "code,floor\n501,7\n",
            2,
            "floor",
            "-10 to 6 is allowed in this building: building B has 6 floors",
        ),
        ("dwelling", "code,stair,floor,flat\nX,NO,1,1\n", 2, "stair", "code of a stair"),
        ("dwelling", "code,flat\n501,3月5日\n", 2, "flat", "format the column as text"),
        ("dwelling", "code,flat\n501,5-Mar\n", 2, "flat", "format the column as text"),
        ("dwelling", "code,flat\n1.23E+15,1\n", 2, "code", "format the column as text"),
        ("device", "uid,kind,profile,dwelling\nmeter,smoke,own,501\n", 2, "uid", "<namespace>:<id>"),
        ("device", "uid,kind,profile,dwelling\nzigbee:XY,smoke,own,501\n", 2, "uid", "16 hex digits"),
        ("device", "uid,kind,profile\nown:x,smoke,own\n", 2, "dwelling", "exactly one"),
        ("device", "uid,dwelling,building\nown:m-1,501,B\n", 2, "dwelling", "exactly one"),
        ("device", "uid,stair,building\nown:m-1,S1,B\n", 2, "stair", "a dwelling, a stair or a building"),
        ("device", "uid,stair\nown:m-1,NO\n", 2, "stair", "the code of a stair"),
        ("device", "uid,dwelling\nown:m-1,NO\n", 2, "dwelling", "code of a dwelling"),
        ("device", 'uid,breaker_a\nown:m-1,"1,5"\n', 2, "breaker_a", "with a point before decimals"),
        ("device", "uid,breaker_a\nown:m-1,-3\n", 2, "breaker_a", "amperes above 0"),
        ("device", "uid,max_silence_s\nown:m-1,1.5\n", 2, "max_silence_s", "from 60 to 31622400"),
        ("device", "uid,installed_on\nown:m-1,2025-02-30\n", 2, "installed_on", "2025-03-01"),
        ("device", "uid,installed_on\nown:m-1,1929-02-01\n", 2, "installed_on", "from 1990-01-01"),
        ("channel", "device,channel,label\nown:no,l1,x\n", 2, "device", "uid of a device"),
        ("contact", "code,language\nchild,fr\n", 2, "language", "zh-CN, en"),
        ("contact", "code,way_1\nchild,sms\n", 2, "way_1", "<medium> <carrier> <address>"),
        ("contact", "code,way_1\nchild,fax apprise x://y\n", 2, "way_1", "push, sms, voice, email"),
        ("contact", "code,way_1\nchild,sms webhook 13800001234\n", 2, "way_1", "http:// or https://"),
        (
            "contact",
            "code,way_1,way_2\nchild,sms webhook https://A.example/x,sms webhook https://a.example/x\n",
            2,
            "way",
            "each address once",
        ),
        (
            "binding",
            "contact,role,place_kind,place\nno,family,dwelling,501\n",
            2,
            "contact",
            "code of a contact",
        ),
        ("binding", "contact,role,place_kind,place\nchild,family,area,C\n", 2, "place_kind", "dwelling"),
        ("binding", "contact,role,place_kind,place\nchild,aunt,area,C\n", 2, "role", "grid_worker"),
        ("binding", "contact,role,place_kind,place\nchild,volunteer,stair,501\n", 2, "place", "of a stair"),
        (
            "binding",
            "contact,role,place_kind,place,takes_unconfirmed\nchild,family,dwelling,501,yes\n",
            2,
            "takes_unconfirmed",
            "fire_brigade only",
        ),
        (
            "binding",
            "contact,role,place_kind,place,quiet\nbrigade,fire_brigade,area,C,22:00-07:00\n",
            2,
            "quiet",
            "always on duty",
        ),
        (
            "binding",
            "contact,role,place_kind,place,quiet\nchild,family,dwelling,501,22-7\n",
            2,
            "quiet",
            "22:00-07:00",
        ),
        (
            "binding",
            "contact,role,place_kind,place,rank\nchild,family,dwelling,501,0\n",
            2,
            "rank",
            "1 to 1000",
        ),
    ],
)
def test_a_fault_names_line_column_and_what_is_allowed(
    refused: Refused, block: Path, form: str, text: str, line: int, column: str, allowed: str
) -> None:
    file = block / f"{form}.csv"
    file.write_text(text, encoding="utf-8")
    found = refused(file, form)
    assert (found[0].file, found[0].line, found[0].column) == (f"{form}.csv", line, column)
    assert allowed in found[0].allowed


def test_full_width_digits_are_digits(bring: Bring, block: Path) -> None:
    (block / "building.csv").write_text("code,floors\nB,６\n", encoding="utf-8")
    assert bring(block / "building.csv", "building").forms[0].unchanged == 1


def test_all_faults_of_all_files_are_found_at_once(refused: Refused, folder: Path) -> None:
    (folder / "building.csv").write_text("code,name,area,floors\nB,3号楼,G,six\n", encoding="utf-8")
    (folder / "device.csv").write_text("uid,kind,profile,dwelling\nown:a,fire,own,501\nown:b,smoke,x,NO\n")
    found = refused(folder)
    assert [(fault.file, fault.line, fault.column) for fault in found] == [
        ("building.csv", 2, "floors"),
        ("device.csv", 2, "kind"),
        ("device.csv", 3, "profile"),
        ("channel.csv", 2, "device"),
    ]


def test_who_refers_to_a_row_with_a_fault_is_not_at_fault(refused: Refused, folder: Path) -> None:
    (folder / "area.csv").write_text(BLOCK["area"].replace("grid", "gird"), encoding="utf-8")
    assert placed(list(refused(folder))) == [(2, "level")]


def test_a_thousand_faults_are_shown_and_the_others_counted(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "area.csv"
    file.write_text("code,level,name\n" + "".join(f"A{n},town,x\n" for n in range(SHOWN_MAX + 7)))
    assert len(refused(file, "area")) == SHOWN_MAX


@pytest.mark.parametrize(
    "text",
    [
        "code,name,way_1\nchild,示例甲\x07,sms webhook 13800001234\n",
        "code,name,language\nchild,en,示例甲\n",
        "code,name,language\nchild,x,13800001234\n",
        "code,name,language\n示例甲 住,x,en\n",
        "示例甲,13800001234,en\nchild,x,en\n",
        "code,示例甲\nchild,x\n",
    ],
)
def test_no_fault_shows_a_name_or_a_number(refused: Refused, block: Path, text: str) -> None:
    (block / "contact.csv").write_text(text, encoding="utf-8")
    found = refused(block / "contact.csv", "contact", "binding")
    said = " ".join(fault.text() for fault in found)
    assert "示例甲" not in said
    assert "13800001234" not in said


def test_no_fault_shows_a_note_on_a_dwelling(refused: Refused, block: Path) -> None:
    (block / "dwelling.csv").write_text("code,attention\n501,独居老人 over_80\n", encoding="utf-8")
    [fault] = refused(block / "dwelling.csv", "dwelling")
    assert "独居老人" not in fault.text()


@pytest.mark.parametrize("name", ["area", "building", "stair", "dwelling", "contact", "device"])
def test_a_header_at_fault_makes_no_faults_elsewhere(refused: Refused, folder: Path, name: str) -> None:
    text = BLOCK[name].replace("code,", "kode,").replace("uid,", "oid,")
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    assert {fault.file for fault in refused(folder)} == {f"{name}.csv"}


def test_a_row_whose_key_cannot_be_read_makes_no_faults_elsewhere(refused: Refused, folder: Path) -> None:
    (folder / "stair.csv").write_text(BLOCK["stair"].replace("S1,", "S 1,"), encoding="utf-8")
    assert {fault.file for fault in refused(folder)} == {"stair.csv"}


def test_what_a_failed_sheet_may_change_is_not_judged(refused: Refused, block: Path) -> None:
    (block / "building.csv").write_text("kode,floors\nB,9\n", encoding="utf-8")
    (block / "dwelling.csv").write_text("code,floor\n501,8\n", encoding="utf-8")
    assert {fault.file for fault in refused(block)} == {"building.csv"}


def test_full_width_letters_make_no_second_code(refused: Refused, block: Path) -> None:
    (block / "stair.csv").write_text("code,name,building\nＳ１,x,B\n", encoding="utf-8")
    [fault] = refused(block / "stair.csv", "stair")
    assert (fault.line, fault.column, "S1" in fault.allowed) == (2, "code", True)


@pytest.mark.parametrize(
    ("form", "text", "column"),
    [
        ("area", "code,level\nG,community\n", "level"),
        ("stair", "code,building\nS1,B2\n", "building"),
        ("dwelling", "code,stair\n501,S2\n", "stair"),
    ],
)
def test_what_no_command_changes_no_sheet_changes(
    refused: Refused, block: Path, form: str, text: str, column: str
) -> None:
    (block / f"{form}.csv").write_text(text, encoding="utf-8")
    [fault] = refused(block / f"{form}.csv", form)
    assert (fault.column, "as before" in fault.allowed) == (column, True)
