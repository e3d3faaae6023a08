"""Files as spreadsheets, editors and strangers write them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from devices.database import reading
from devices.schema import area, device
from devices.sheets.faults import Fault
from tests.devices.sheets.conftest import Bring, Refused, counts

MIDNIGHT = datetime.combine(date(2025, 3, 1), time())
AREA = "code,level,name\nX,city,演示市\nY,city,别处市\n"


@pytest.fixture
def engine_name() -> str:
    """What is read is the same on every engine."""
    return "sqlite"


@pytest.mark.parametrize(
    "raw",
    [
        AREA.encode(),
        AREA.encode("utf-8-sig"),
        AREA.encode("gb18030"),
        AREA.encode("utf-16"),
        AREA.replace(",", "\t").encode("utf-16"),
        AREA.replace(",", ";").encode(),
        AREA.replace("\n", "\r\n").encode(),
        AREA.replace("\n", "\r").encode(),
        AREA.rstrip().encode(),
        AREA.replace("code,", "  Code ,").encode(),
        AREA.replace("\nY", "\n,,\n\n  ,\nY").encode(),
        AREA.replace("演示市", '"演示市"').encode(),
        AREA.replace("X,city,演示市", "X,city,演示市,,").encode(),
        b"\n\n" + AREA.encode(),
    ],
)
def test_a_csv_file_is_read_however_it_was_written(
    bring: Bring, tmp_path: Path, raw: bytes, engine: object
) -> None:
    file = tmp_path / "area.csv"
    file.write_bytes(raw)
    assert counts(bring(file, "area")) == {"area": (2, 0, 0)}
    with reading(engine) as connection:  # type: ignore[arg-type]
        assert set(connection.execute(select(area.c.name)).scalars()) == {"演示市", "别处市"}


@pytest.mark.parametrize(
    ("raw", "line", "allowed"),
    [
        (b"", 0, "a header with"),
        (b"\n\n", 0, "a header with"),
        (b"code,level,name\nX,city,a\0b\n", 2, "NUL"),
        (b"code,level,name\nX,city,\xff\xff\xff\n", 2, "UTF-8 or GB18030"),
        ("code,level,name\nX,city,张三".encode() + b"\xe5\xbc\n", 2, "damaged letter"),
        ("code,level,name\nX,city,Müller\n".encode("latin-1"), 0, "read as GB18030 this is none"),
        (b'code,level,name\nX,city,"a\nY,city,b\n', 2, "quotes that are closed"),
        (b'code,level,name\nX,city,"a"b\n', 2, "quotes"),
        (b"code,level,name\nX,city," + b"x" * (10 << 20) + b"\n", 2, "cells of at most"),
        ("code,level,name\nX,city,演示市\nY,city,".encode() + b"\xe5\x9c\n", 3, "damaged letter"),
        (b"PK\x03\x04rest", 0, "name a workbook .xlsx"),
        (b'code,level,name\n"X\nY",city,b\n', 2, "without blanks"),
    ],
)
def test_what_is_no_csv_is_refused_with_a_reason(
    refused: Refused, tmp_path: Path, raw: bytes, line: int, allowed: str
) -> None:
    file = tmp_path / "area.csv"
    file.write_bytes(raw)
    [fault] = refused(file, "area")
    assert fault.line == line
    assert allowed in fault.allowed
    assert len(fault.text()) < 400


def test_the_line_of_a_row_is_the_one_it_begins_on(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "area.csv"
    file.write_text('code,level,name\nX,city,"a\nb"\nY,town,c\n')
    assert [(fault.line, fault.column) for fault in refused(file, "area")] == [(2, "name"), (4, "level")]


@pytest.mark.parametrize("name", ["missing.csv", "missing.xlsx", "missing"])
def test_a_file_that_is_not_there_is_refused(refused: Refused, tmp_path: Path, name: str) -> None:
    [fault] = refused(tmp_path / name)
    assert "No such file" in fault.allowed


def test_a_folder_holds_files_named_as_forms(refused: Refused, tmp_path: Path) -> None:
    assert "area.csv" in refused(tmp_path)[0].allowed
    (tmp_path / "devcie.csv").write_text("uid\n")
    assert refused(tmp_path)[0].file == "devcie.csv"


def book(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    made = Workbook()
    del made["Sheet"]
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


AREAS: list[list[object]] = [["code", "level", "name"], ["X", "city", "演示市"]]


def test_a_workbook_of_one_sheet_needs_no_name_for_it(bring: Bring, tmp_path: Path) -> None:
    assert counts(bring(book(tmp_path / "a.xlsx", {"Sheet1": AREAS}), "area")) == {"area": (1, 0, 0)}


def test_sheets_of_a_workbook_are_read_in_order_of_reference(bring: Bring, tmp_path: Path) -> None:
    sheets: dict[str, list[list[object]]] = {
        "building": [["code", "name", "area", "floors"], ["B", "x", "G", 6]],
        "area": [["code", "level", "name"], ["G", "grid", "x"]],
        "Sheet3": [],
    }
    assert counts(bring(book(tmp_path / "a.xlsx", sheets))) == {"area": (1, 0, 0), "building": (1, 0, 0)}


def test_a_sheet_that_no_form_names_is_a_fault(refused: Refused, tmp_path: Path) -> None:
    [fault] = refused(book(tmp_path / "a.xlsx", {"area": AREAS, "devcie": [["uid"]]}))
    assert (fault.file, "device" in fault.allowed) == ("a.xlsx [devcie]", True)


def device_sheet(tmp_path: Path, **values: object) -> Path:
    columns = {"uid": "own:m-3", "kind": "smoke", "profile": "own", "dwelling": "501"} | values
    return book(tmp_path / "d.xlsx", {"device": [list(columns), [], list(columns.values())]})


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("installed_on", date(2025, 3, 1), "2025-03-01"),
        ("installed_on", MIDNIGHT, "2025-03-01"),
        ("installed_on", "2025/3/1", "2025-03-01"),
        ("breaker_a", 16, 16.0),
        ("breaker_a", "16.5", 16.5),
        ("max_silence_s", 86400, 86400),
        ("max_silence_s", "600", 600),
        ("serial", 1234567, "1234567"),
        ("serial", "00123", "00123"),
        ("serial", "3E5", "3E5"),
        ("label", "'=1+1", "=1+1"),
        ("label", "_x0041_", "A"),
        ("label", None, ""),
    ],
)
@pytest.mark.usefixtures("block")
def test_cells_of_a_workbook_mean_what_they_show(
    bring: Bring, tmp_path: Path, column: str, value: object, stored: object, engine: object
) -> None:
    bring(device_sheet(tmp_path, **{column: value}), "device")
    with reading(engine) as connection:  # type: ignore[arg-type]
        row = connection.execute(select(device.c[column]).where(device.c.uid == "own:m-3")).scalar_one()
    assert row == stored


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("serial", 1230000000000000, "format the column as text"),
        ("serial", 1.5e20, "format the column as text"),
        ("dwelling", 123456789012, "format the column as text"),
        ("dwelling", True, "TRUE or FALSE"),
        ("label", MIDNIGHT, "made a date of it"),
        ("label", "=1+1", "not a formula"),
        ("breaker_a", "=8+8", "not a formula"),
        ("serial", "#N/A", "an error here"),
        ("breaker_a", MIDNIGHT, "made a date of it"),
        ("installed_on", 45000, "this is a number"),
    ],
)
@pytest.mark.usefixtures("block")
def test_what_a_spreadsheet_made_of_a_cell_is_refused_with_advice(
    refused: Refused, tmp_path: Path, column: str, value: object, allowed: str
) -> None:
    [fault] = refused(device_sheet(tmp_path, **{column: value}), "device")
    assert (fault.line, fault.column) == (3, column)
    assert allowed in fault.allowed


@pytest.mark.usefixtures("block")
def test_a_code_shown_with_zeros_that_it_does_not_hold_is_refused(refused: Refused, tmp_path: Path) -> None:
    file = device_sheet(tmp_path, serial=123)
    made = load_workbook(file)
    made["device"]["E3"].number_format = "00000"
    made.save(file)
    assert "leading zeros may be lost" in refused(file, "device")[0].allowed


@pytest.mark.usefixtures("block")
def test_merged_cells_are_refused(refused: Refused, tmp_path: Path) -> None:
    file = device_sheet(tmp_path)
    made = load_workbook(file)
    made["device"].merge_cells("D3:D5")
    made.save(file)
    [fault] = refused(file, "device")
    assert (fault.line, "D3:D5" in fault.allowed) == (3, True)


def rewritten(file: Path, part: str, old: str, new: str, *, many: int = -1) -> Path:
    """The workbook with other text in one of its parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.infolist():
            text = before.read(one.filename)
            if one.filename == part:
                text = re.sub(old, lambda _: new, text.decode(), count=0 if many < 0 else many).encode()
            after.writestr(one.filename, text)
    file.write_bytes(made.getvalue())
    return file


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "allowed"),
    [
        (SHEET, "</sheetData>", '<row r="2000000"><c><v>1</v></c></row></sheetData>', "rows 1 to"),
        (
            SHEET,
            "</sheetData>",
            '<row r="9"><c r="ZZZ9"><v>1</v></c></row></sheetData>',
            "at most 256 columns",
        ),
        (SHEET, "</sheetData>", '<row r="9"><c t="s"><v>999</v></c></row></sheetData>', "damaged"),
        (SHEET, "</sheetData>", '<row r="9"><c><v>abc</v></c></row></sheetData>', "damaged"),
        (SHEET, "</sheetData>", "<row", "damaged"),
        (SHEET, "<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet', "document types"),
        (
            SHEET,
            "</sheetData>",
            f'<row r="9"><c t="str"><v>{"x" * (10 << 20)}</v></c></row></sheetData>',
            "cells",
        ),
        (SHEET, "<sheetData>", f'<sheetData a="{"x" * (10 << 20)}">', "a tag in it does not end"),
        ("xl/workbook.xml", "<sheet ", "<no ", "1 to 64 sheets"),
        ("xl/workbook.xml", "name=", "nome=", "make no sense"),
        ("xl/_rels/workbook.xml.rels", "sheet1.xml", "sheet9.xml", "the part"),
    ],
)
def test_a_workbook_that_was_tampered_with_is_refused(
    refused: Refused, tmp_path: Path, part: str, old: str, new: str, allowed: str
) -> None:
    file = rewritten(book(tmp_path / "a.xlsx", {"area": AREAS}), part, old, new, many=1)
    assert allowed in refused(file, "area")[0].allowed


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    refused: Refused, tmp_path: Path
) -> None:
    file = book(tmp_path / "a.xlsx", {"area": AREAS})
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("x", "w") as part:
        zeros = bytes(1 << 20)
        for _ in range(1025):
            part.write(zeros)
    assert file.stat().st_size < 4 << 20
    [fault] = refused(file, "area")
    assert "when unpacked" in fault.allowed


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        (b"code,level,name\nX,city,x\n", "an .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"PK\x03\x04" + bytes(100), "an .xlsx workbook"),
        (b"", "an .xlsx workbook"),
    ],
)
def test_what_is_only_named_a_workbook_is_refused(
    refused: Refused, tmp_path: Path, raw: bytes, allowed: str
) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(raw)
    [fault] = refused(file, "area")
    assert isinstance(fault, Fault)
    assert allowed in fault.allowed


def test_a_negative_place_in_the_shared_strings_is_no_other_text(refused: Refused, tmp_path: Path) -> None:
    file = book(tmp_path / "a.xlsx", {"area": AREAS})
    link = '<Relationship Id="s" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    rewritten(file, "xl/_rels/workbook.xml.rels", "</Relationships>", link)
    rewritten(file, SHEET, '<c r="C2".*?</c>', '<c r="C2" t="s"><v>-1</v></c>')
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", "<sst><si><t>other text</t></si></sst>")
    assert "damaged" in refused(file, "area")[0].allowed


@pytest.mark.parametrize("number", ["NaN", "inf", "1e999"])
def test_a_number_that_is_none_is_refused_in_our_words(refused: Refused, tmp_path: Path, number: str) -> None:
    row = f'<row r="9"><c r="A9"><v>{number}</v></c></row></sheetData>'
    file = rewritten(book(tmp_path / "a.xlsx", {"area": AREAS}), SHEET, "</sheetData>", row)
    fault = refused(file, "area")[0]
    assert (fault.value, "shows an error here" in fault.allowed) == ("(an error)", True)
