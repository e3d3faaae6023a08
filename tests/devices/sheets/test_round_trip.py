"""What is exported comes back as it was, whatever allowed text and structure the registry holds."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devices.database import open_database, reading
from devices.model import AreaLevel, PlaceKind, Role
from devices.registry.attention import check_attention
from devices.registry.bindings import ON_DUTY
from devices.registry.device_checks import (
    EARTHINGS,
    INSULATIONS,
    KINDS,
    RATING_MAX_A,
    SILENCE_MAX_S,
    SILENCE_MIN_S,
)
from devices.registry.errors import NotAllowed, check_handle
from devices.schema import metadata
from devices.sheets import FORMS, export_sheets, import_sheets
from devices.sheets.cells import guarded, unguarded
from devices.sheets.columns import show_way, way
from devices.sheets.files import write_folder
from devices.vault import KEY_BYTES, Vault
from tests.devices.conftest import NOW_US

VAULT = Vault(bytes(range(KEY_BYTES)))
HARD = [
    "=1+1",
    "+8613800001234",
    "-1",
    "@x",
    "'x",
    "''",
    "#N/A",
    "1.23E+15",
    "3月5日",
    "5-Mar",
    "00123",
    "_x0041_",
    'a "b", c',
    "a;b",
    "x\u0301",
    "𠮷",
    "TRUE",
    "ü",
    "1/2",
    "\ufeffx",
    "= x",
    "a'b",
]
LETTERS = st.one_of(st.characters(exclude_categories=["C", "Z"]), st.sampled_from(" '\"=+-@#,;_x0041"))


def is_code(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isprintable() and unicodedata.normalize("NFKC", text) == text


def is_handle(code: str) -> bool:
    try:
        check_handle(code, "contact")
    except NotAllowed:
        return False
    return True


def text(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    some = st.one_of(st.text(LETTERS, max_size=12), st.sampled_from(HARD))
    return some.map(lambda t: t.strip()[:longest].strip()).filter(
        lambda t: len(t) >= shortest and t.isprintable()
    )


CODES = st.lists(
    text(20).map(lambda t: "".join(unicodedata.normalize("NFKC", t).split())).filter(is_code),
    min_size=2,
    max_size=4,
    unique=True,
)
HANDLES = CODES.map(lambda codes: [code for code in codes if is_handle(code)] or ["gw-3"])
RATINGS = st.none() | st.floats(0, RATING_MAX_A, exclude_min=True, allow_subnormal=False)


def notes(text: str) -> str:
    try:
        return check_attention(text)
    except NotAllowed:
        return ""


def in_the_night(minutes: tuple[int, int]) -> str:
    begin, end = minutes
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


Rows = list[list[Any]]
CIRCUITS = st.tuples(RATINGS, RATINGS, st.sampled_from(INSULATIONS))
QUIET = st.none() | st.tuples(st.integers(0, 719), st.integers(720, 1439)).map(in_the_night)
YES_OR_NO = st.booleans().map(lambda yes: "yes" if yes else "no")
UIDS = st.lists(
    st.text("abcdef0123456789._-", min_size=1, max_size=8).map(lambda text: f"own:{text}"),
    min_size=1,
    max_size=4,
    unique=True,
)


@st.composite
def bindings(draw: st.DrawFn, people: list[str], places: dict[str, list[str]]) -> Rows:
    found: dict[tuple[str, ...], list[Any]] = {}
    for _ in range(draw(st.integers(0, 5))):
        kind, role = draw(st.sampled_from(list(PlaceKind))), draw(st.sampled_from(list(Role)))
        if role is Role.FAMILY:
            kind = PlaceKind.DWELLING
        key = (draw(st.sampled_from(people)), role.value, kind.value, draw(st.sampled_from(places[kind])))
        rank, delay_s = draw(st.integers(1, 1000)), draw(st.integers(0, 86_400))
        hours = None if role in ON_DUTY else draw(QUIET)
        unconfirmed = draw(YES_OR_NO) if role is Role.FIRE_BRIGADE else "no"
        found[key] = [*key, rank, delay_s, hours, unconfirmed]
    return list(found.values())


@st.composite
def contacts(draw: st.DrawFn, people: list[str]) -> Rows:
    paths = st.lists(st.text("abcXYZ019'=", min_size=1, max_size=8), max_size=3, unique=True)
    rows = []
    for code in people:
        ways = [f"sms apprise json://{one}" for one in draw(paths)]
        language = draw(st.sampled_from(["zh-CN", "en"]))
        rows.append([code, draw(text(100)), language, *ways, *[None] * (3 - len(ways))])
    return rows


@st.composite
def areas(draw: st.DrawFn, codes: list[str]) -> Rows:
    """A street, a community in it, and grids in the community."""
    levels = [AreaLevel.STREET, AreaLevel.COMMUNITY, *[AreaLevel.GRID] * len(codes)]
    return [
        [code, levels[n], draw(text(200)), codes[n - 1] if 0 < n < 3 else None]
        for n, code in enumerate(codes)
    ]


@st.composite
def dwellings(draw: st.DrawFn, codes: list[str], stairs: list[str]) -> Rows:
    return [
        [
            code,
            draw(st.sampled_from(stairs)),
            draw(st.integers(-10, 5)),
            draw(text(32)),
            draw(text(100, 0).map(notes)),
        ]
        for code in codes
    ]


@st.composite
def devices(draw: st.DrawFn, uids: list[str], places: dict[str, list[str]]) -> Rows:
    spots = st.one_of(
        st.sampled_from(places["dwelling"]).map(lambda code: (code, "", "")),
        st.sampled_from(places["stair"]).map(lambda code: ("", code, "")),
        st.sampled_from(places["building"]).map(lambda code: ("", "", code)),
    )
    return [
        [
            uid,
            draw(st.sampled_from(KINDS)),
            "own",
            *draw(spots),
            draw(text(200, 0)),
            *draw(CIRCUITS),
            draw(st.sampled_from(EARTHINGS)),
            draw(st.none() | st.integers(SILENCE_MIN_S, SILENCE_MAX_S)),
            draw(text(64, 0)),
            draw(text(64, 0)),
            draw(text(64, 0)),
            draw(st.sampled_from([None, "1999-12-31", "2025-03-01"])),
            draw(st.just("") | HANDLES.map(min)),
        ]
        for uid in uids
    ]


@st.composite
def registries(draw: st.DrawFn) -> dict[str, Rows]:
    """Rows of all forms as cells, key columns first, in the order of the forms' columns."""
    places = {kind: draw(CODES) for kind in ("area", "building", "stair", "dwelling")}
    people, uids = draw(HANDLES), draw(UIDS)
    buildings, stairs = places["building"], places["stair"]
    return {
        "area": draw(areas(places["area"])),
        "building": [
            [code, draw(text(200)), places["area"][1], draw(st.integers(5, 9))] for code in buildings
        ],
        "stair": [[code, draw(text(200)), draw(st.sampled_from(buildings))] for code in stairs],
        "dwelling": draw(dwellings(places["dwelling"], stairs)),
        "contact": draw(contacts(people)),
        "binding": draw(bindings(people, places)),
        "device": draw(devices(uids, places)),
        "channel": [[uid, "l1", draw(text(200, 0)), *draw(CIRCUITS)] for uid in uids[:2]],
    }


def header(form: str) -> list[Any]:
    names = [column.name for column in FORMS[form].columns]
    return [*names[:-1], "way_1", "way_2", "way_3"] if form == "contact" else names


def cells(row: list[Any]) -> list[str | int | float]:
    return [
        "" if value is None else guarded(str(value)) if isinstance(value, str) else value for value in row
    ]


def read(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("suffix", ["", ".xlsx"])
def test_an_export_changes_nothing_and_makes_the_same_registry_elsewhere(suffix: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(registries())
    def holds(rows: dict[str, list[list[Any]]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            check(Path(name), rows, suffix)

    holds()


def check(folder: Path, rows: dict[str, list[list[Any]]], suffix: str) -> None:
    first, second = (open_database(f"sqlite:///{folder / name}.db") for name in ("first", "second"))
    for engine in (first, second):
        metadata.create_all(engine)

    def bring(engine: Any, path: Path) -> tuple[int, int]:
        done = import_sheets(engine, VAULT, path, by="t", now_us=NOW_US)
        return sum(one.new for one in done.forms), sum(one.changed for one in done.forms)

    def export(engine: Any, name: str, *, reveal: bool = True) -> Path:
        path = folder / name
        export_sheets(engine, VAULT, path, tuple(FORMS), reveal=reveal, by="t", now_us=NOW_US)
        return path

    write_folder(
        folder / "made", {form: [cells(header(form)), *map(cells, some)] for form, some in rows.items()}
    )
    assert bring(first, folder / "made") == (sum(map(len, rows.values())), 0)
    out = export(first, f"out{suffix}")
    assert bring(first, out) == (0, 0)
    assert bring(first, export(first, f"masked{suffix}", reveal=False)) == (0, 0)
    assert bring(second, out) == (sum(map(len, rows.values())), 0)
    assert read(export(second, "again")) == read(export(first, "compared"))
    for engine in (first, second):
        with reading(engine) as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        engine.dispose()


@example("'")
@example("=1+1")
@example("1.23E+15")
@example("#N/A")
@given(value=text(40))
def test_guarded_text_is_no_formula_and_comes_back(value: str) -> None:
    cell = guarded(value)
    assert cell[0] not in "=+-@\t\r"
    assert unguarded(cell) == value


@given(st.text("abc'=", min_size=1, max_size=6))
def test_a_way_comes_back(path: str) -> None:
    said = f"sms apprise json://{path}"
    assert " ".join(way(show_way(way(said)))) == said
