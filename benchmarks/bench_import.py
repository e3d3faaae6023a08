"""`gengfu bench import`: how long a registry takes to come in from a workbook and from CSV files.

A made-up town: devices in 0.6 times as many dwellings, twenty to a stair and three stairs to a building, as
many contacts as devices, each with a name, two addresses and one binding; every tenth dwelling has a note.
Each import runs in a process of its own on an empty database, the last one again on the full one. Times are
those of `import_sheets`: reading the file, checking, sealing, writing. `locked_s` is how long the write lock
was held, the longest of the two.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import inspect

from benchmarks.errors import CannotMeasure
from devices.database import open_database
from devices.schema import metadata
from devices.sheets import import_sheets
from devices.sheets.files import write_folder, write_workbook
from devices.sheets.forms import FORMS
from devices.vault import KEY_BYTES, Vault

PER_STAIR: Final = 20
STAIRS: Final = 3
BUILDINGS_PER_GRID: Final = 50
Row = list[str | int | float]


class ImportFigures(Struct, frozen=True):
    """What `gengfu bench import --json` prints. Seconds; `peak_mb` is the resident memory at its highest."""

    devices: int
    dwellings: int
    contacts: int
    bindings: int
    csv_s: float
    xlsx_s: float
    again_s: float
    locked_s: float
    peak_mb: int
    engine: str


class One(Struct, frozen=True):
    """One import in a process of its own."""

    seconds: float
    locked_s: float
    peak_mb: int
    touched: int


def run_bench(devices: int, database: str = "") -> ImportFigures:
    """The whole measurement; some minutes with 100,000 devices, most of it to make the book."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = database or f"sqlite:///{folder / 'registry.db'}"
        _refuse_full(url)
        book = {form: list(_sheet(form, devices)) for form in FORMS if form != "channel"}
        counts = {form: len(rows) - 1 for form, rows in book.items()}
        write_workbook(folder / "book.xlsx", book)
        write_folder(folder / "book", book)
        del book
        try:
            csv = _once(url, folder / "book")
            _empty(url)
            xlsx = _once(url, folder / "book.xlsx")
            again = _once(url, folder / "book.xlsx")
        finally:
            _empty(url)
    if again.touched:
        raise CannotMeasure(f"the same book changed {again.touched} rows the second time")
    return ImportFigures(
        devices=counts["device"],
        dwellings=counts["dwelling"],
        contacts=counts["contact"],
        bindings=counts["binding"],
        csv_s=round(csv.seconds, 1),
        xlsx_s=round(xlsx.seconds, 1),
        again_s=round(again.seconds, 1),
        locked_s=round(max(csv.locked_s, xlsx.locked_s), 2),
        peak_mb=max(csv.peak_mb, xlsx.peak_mb, again.peak_mb),
        engine=url.partition(":")[0].partition("+")[0],
    )


def _refuse_full(url: str) -> None:
    engine = open_database(url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    if tables:
        raise CannotMeasure(f"the database has tables ({tables[0]} …): an empty one is needed")


def _empty(url: str) -> None:
    """Takes the tables away that `main` made; there were none before."""
    engine = open_database(url)
    metadata.drop_all(engine)
    engine.dispose()


def _once(url: str, book: Path) -> One:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_import", url, str(book)], capture_output=True, check=False
    )
    if ended.returncode:
        raise CannotMeasure(f"the import failed: {ended.stderr.decode()[-2000:]}")
    return msgspec.json.decode(ended.stdout, type=One)


def main(url: str, book: Path) -> None:
    """One import; prints a `One`."""
    engine = open_database(url)
    metadata.create_all(engine)
    since = time.monotonic()
    done = import_sheets(
        engine, Vault(bytes(KEY_BYTES)), book, by="bench", now_us=time.time_ns() // 1000, dry_run=False
    )
    one = One(
        seconds=time.monotonic() - since,
        locked_s=done.locked_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        touched=sum(form.new + form.changed for form in done.forms),
    )
    sys.stdout.write(msgspec.json.encode(one).decode())


def _sheet(form: str, devices: int) -> Iterator[Row]:
    """The header and rows of one form of the town."""
    yield [*_HEADERS[form].split()]
    yield from _ROWS[form](devices)


_HEADERS: Final = {
    "area": "code level name parent",
    "building": "code name area floors",
    "stair": "code name building",
    "dwelling": "code stair floor flat attention",
    "contact": "code name language way_1 way_2",
    "binding": "contact role place_kind place rank delay_s quiet takes_unconfirmed",
    "device": "uid kind profile dwelling label breaker_a cable_a insulation earthing vendor model serial "
    "installed_on installed_by",
}


def _dwellings(devices: int) -> int:
    return max(1, devices * 6 // 10)


def _stairs(devices: int) -> int:
    return -(-_dwellings(devices) // PER_STAIR)


def _buildings(devices: int) -> int:
    return -(-_stairs(devices) // STAIRS)


def _areas(devices: int) -> Iterator[Row]:
    yield ["C", "city", "示例市", ""]
    for n in range(-(-_buildings(devices) // BUILDINGS_PER_GRID)):
        yield [f"G{n}", "grid", f"第{n}网格", "C"]


def _building_rows(devices: int) -> Iterator[Row]:
    for n in range(_buildings(devices)):
        yield [f"B{n}", f"{n}号楼", f"G{n // BUILDINGS_PER_GRID}", 10]


def _stair_rows(devices: int) -> Iterator[Row]:
    for n in range(_stairs(devices)):
        yield [f"S{n}", f"{n % STAIRS + 1}单元", f"B{n // STAIRS}"]


def _dwelling_rows(devices: int) -> Iterator[Row]:
    for n in range(_dwellings(devices)):
        floor = n % PER_STAIR // 2 + 1
        note = "lives_alone, over_75" if n % 10 == 0 else ""
        yield [f"D{n:07}", f"S{n // PER_STAIR}", floor, f"{floor}0{n % 2 + 1}", note]


def _contact_rows(devices: int) -> Iterator[Row]:
    for n in range(devices):
        phone = f"1380{n:07}"
        yield [
            f"P{n:06}",
            f"示例{n}",
            "zh-CN",
            f"sms apprise json://key/{phone}",
            f"voice webhook https://voice.example/{phone}",
        ]


def _binding_rows(devices: int) -> Iterator[Row]:
    dwellings = _dwellings(devices)
    for n in range(devices):
        yield [
            f"P{n:06}",
            "family",
            "dwelling",
            f"D{n % dwellings:07}",
            n // dwellings + 1,
            0,
            "22:00-07:00",
            "no",
        ]


def _device_rows(devices: int) -> Iterator[Row]:
    dwellings = _dwellings(devices)
    for n in range(devices):
        smoke = n < dwellings
        yield [
            f"zigbee:{n:016x}",
            "smoke" if smoke else "electrical",
            "zigbee2mqtt",
            f"D{n % dwellings:07}",
            "客厅" if smoke else "配电箱",
            "" if smoke else 32,
            "" if smoke else 40,
            "unknown" if smoke else "pvc",
            "unknown" if smoke else "tn-s",
            "Example",
            "Model 1",
            f"SN{n:09}",
            "2025-03-01",
            "team-1",
        ]


_ROWS: Final = {
    "area": _areas,
    "building": _building_rows,
    "stair": _stair_rows,
    "dwelling": _dwelling_rows,
    "contact": _contact_rows,
    "binding": _binding_rows,
    "device": _device_rows,
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
