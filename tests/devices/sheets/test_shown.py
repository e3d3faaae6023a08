"""No fault shows a person's name or number, in whatever column it stands."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlalchemy import Engine

from devices.database import open_database
from devices.schema import metadata
from devices.sheets import FORMS, FaultsFound, import_sheets
from devices.sheets.columns import Column
from devices.sheets.forms import Form
from devices.vault import KEY_BYTES, Vault
from tests.devices.conftest import NOW_US
from tests.devices.sheets.conftest import BLOCK, Refused

VAULT = Vault(bytes(range(KEY_BYTES)))
SURNAMES = "王李张刘陈杨赵黄周吴"
GIVEN = "小明伟芳娜敏静丽强磊"
PINYIN = ["Wang", "Li Wei", "Wen", "En", "Zhang Xiaoming", "wang2", "LI", "Ou", "Tang Yes"]
NAMES = st.one_of(
    st.builds("".join, st.tuples(st.sampled_from(SURNAMES), st.text(GIVEN, min_size=1, max_size=2))),
    st.sampled_from(PINYIN),
)
DIGITS = st.integers(1_000_000, 10**12 - 1).map(str)
NUMBERS = st.one_of(
    DIGITS,
    DIGITS.map(lambda text: f"{text[:3]}-{text[3:6]}-{text[6:]}"),
    DIGITS.map(lambda text: f"+86 {text}"),
)
CELLS = st.one_of(
    NAMES.map(lambda name: (name, name)),
    NUMBERS.map(lambda number: (number, number)),
    st.tuples(NAMES, NUMBERS).map(lambda both: (f"{both[0]}家{both[1]}", both[1])),
    st.tuples(NAMES, st.sampled_from(["x@{}", "{}://x", "{}@x", "sms apprise {}://x", "sms {}", "'{}"])).map(
        lambda both: (both[1].format(both[0]), both[0])
    ),
)
"""What stands in a cell, and what of it must not be seen."""


@pytest.fixture
def engine_name() -> str:
    """What is shown is the same on every engine."""
    return "sqlite"


@pytest.fixture(scope="module")
def block_engine() -> Iterator[Engine]:
    """A registry with the block in it."""
    with tempfile.TemporaryDirectory() as name:
        engine = open_database(f"sqlite:///{name}/registry.db")
        metadata.create_all(engine)
        folder = Path(name, "block")
        folder.mkdir()
        for form, text in BLOCK.items():
            (folder / f"{form}.csv").write_text(text, encoding="utf-8")
        import_sheets(engine, VAULT, folder, by="t", now_us=NOW_US)
        yield engine
        engine.dispose()


def header(form: Form) -> list[str]:
    return [f"{one.name}_1" if one.many else one.name for one in form.columns]


def said_of(engine: Engine, form: Form, rows: list[list[str]]) -> str:
    """All that an import that is refused says, as text and as JSON; a dry run lest one is not refused."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, f"{form.name}.csv")
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
        try:
            import_sheets(engine, VAULT, file, forms=[form.name], by="t", now_us=NOW_US, dry_run=True)
        except FaultsFound as found:
            return str(found) + "".join(msgspec.json.encode(one).decode() for one in found.faults)
    return ""


@pytest.mark.parametrize(
    ("form", "column"),
    [(form, column) for form in FORMS.values() for column in form.columns],
    ids=lambda one: one.name,
)
def test_whatever_column_a_name_or_a_number_slips_into_no_fault_shows_it(
    block_engine: Engine, form: Form, column: Column
) -> None:
    place = form.columns.index(column)
    row = next(csv.reader(BLOCK[form.name].splitlines()[1:2]))
    names = BLOCK[form.name].splitlines()[0].split(",")
    known = dict(zip(names, row, strict=True))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @example(cell=("13800138000", "13800138000"))
    @example(cell=("Wang", "Wang"))
    @given(cell=CELLS)
    def holds(cell: tuple[str, str]) -> None:
        written, secret = cell
        cells = [known.get(name, "") for name in header(form)]
        cells[place] = written
        broken = [*cells, "one too many"]
        head = header(form)
        slipped_head = [written if n == place else name for n, name in enumerate(head)]
        for rows in ([head, cells, cells], [head, cells, broken], [slipped_head, cells]):
            said = said_of(block_engine, form, rows)
            assert secret not in said, said

    holds()


@pytest.mark.parametrize("value", ["张三丰", "13800138000"])
def test_a_whole_row_that_slipped_shows_nothing(block_engine: Engine, value: str) -> None:
    for form in FORMS.values():
        names = header(form)
        assert value not in said_of(block_engine, form, [names, [value] * len(names), [value] * len(names)])


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("building", "code,floors\nB,201\n", "201"),
        ("binding", "contact,role,place_kind,place\nchild,Family,dwelling,501\n", "Family"),
        ("binding", "contact,role,place_kind,place\nchild,volunteer,stair,501\n", "501"),
        ("binding", "contact,role,place_kind,place,quiet\nchild,family,dwelling,501,22-7\n", "22-7"),
        ("device", "uid,dwelling\nown:m-1,B3-1-502\n", "B3-1-502"),
        ("dwelling", "code,stair,floor,flat\n7,S1,13800138000,x\n", "138****8000"),
    ],
)
def test_what_can_be_neither_is_shown_so_that_people_find_it(
    refused: Refused, block: Path, form: str, text: str, value: str
) -> None:
    (block / f"{form}.csv").write_text(text, encoding="utf-8")
    assert refused(block / f"{form}.csv", form)[0].value == value


@pytest.mark.usefixtures("block")
def test_a_cell_that_is_no_text_shows_what_it_is(refused: Refused, tmp_path: Path) -> None:
    made = Workbook()
    sheet = made["Sheet"]
    for row in (["code", "name"], ["k", date(1948, 3, 1)], ["l", "=1+1"]):
        sheet.append(row)
    made.save(tmp_path / "a.xlsx")
    assert [fault.value for fault in refused(tmp_path / "a.xlsx", "contact")] == ["(a date)", "(a formula)"]
