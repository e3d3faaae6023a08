"""`gengfu check` says of history that stayed behind in the data folder when a server was configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gengfu.check_history import NAME, history_finding
from gengfu.check_store import store_findings
from gengfu.config_store import Store
from gengfu.ports import free_port
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx.copying_progress import Noted, Progress, save
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

TARGET = "http://h:8086/write?db=g&consistency=one"
NOW_US = 1_790_000_000_000_000


def keep(folder: Path, *seconds: int) -> None:
    """A store whose writer ended, with points of so long ago."""
    store = EmbeddedStore(folder / "points.db", keep_days=30)
    n = len(seconds)
    ts_ns = np.array([NOW_US * 1000 - at * 10**9 for at in seconds], np.int64)
    store.prune(NOW_US)
    store.write(Points(np.ones(n, np.int32), ts_ns, np.ones(n), np.zeros(n, np.uint32)), 1)
    store.close()


def test_points_that_no_copy_is_known_of_are_told(tmp_path: Path) -> None:
    keep(tmp_path, 10)
    found = history_finding(tmp_path, TARGET)
    assert found
    assert (found.name, found.ok) == (NAME, None)
    wanted = "points.db holds history that is not known to be in the server: `gengfu influx copy`"
    assert found.text == wanted


def test_where_there_is_no_history_nothing_is_told(tmp_path: Path) -> None:
    assert history_finding(tmp_path, TARGET) is None
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"
    keep(tmp_path)
    assert history_finding(tmp_path, TARGET) is None, "a store that never had a point"


def test_points_that_are_too_old_to_be_read_are_no_history(tmp_path: Path) -> None:
    keep(tmp_path, 31 * 86_400)
    assert history_finding(tmp_path, TARGET) is None


def note(folder: Path, **other: Any) -> None:
    """As a whole copy to the target notes it, but for what is other."""
    reader = SeriesReader.open(folder / "points.db")
    whole = Progress(target=TARGET, position=reader.position, done=True, days={"2026-09-21": Noted(points=1)})
    reader.close()
    save(folder, msgspec.structs.replace(whole, **other))


def test_history_that_is_noted_as_copied_to_this_server_is_not_told(tmp_path: Path) -> None:
    keep(tmp_path, 10)
    note(tmp_path)
    assert history_finding(tmp_path, TARGET) is None


@pytest.mark.parametrize("other", [{"done": False}, {"target": "http://other:8086/write?db=g"}])
def test_a_copy_in_part_or_to_another_server_does_not_count(tmp_path: Path, other: dict[str, Any]) -> None:
    keep(tmp_path, 10)
    note(tmp_path, **other)
    assert history_finding(tmp_path, TARGET) is not None


def test_what_the_embedded_store_got_after_the_copy_is_told(tmp_path: Path) -> None:
    keep(tmp_path, 10)
    note(tmp_path)
    keep(tmp_path, 5)
    assert history_finding(tmp_path, TARGET) is not None


@pytest.mark.parametrize("said", ["", "{", "[]", '{"done": true}'])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, said: str) -> None:
    keep(tmp_path, 10)
    (tmp_path / "points.copied.json").write_text(said)
    assert history_finding(tmp_path, TARGET) is not None


def test_a_file_that_is_no_store_is_a_note_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "points.db").write_bytes(b"no store" * 1000)
    found = history_finding(tmp_path, TARGET)
    assert found
    assert found.ok is None
    assert "points.db is not a series store" in found.text


def test_it_is_told_beside_the_server_and_not_of_the_embedded_store(tmp_path: Path) -> None:
    keep(tmp_path, 10)
    server = Store(kind="influxdb", url=f"http://127.0.0.1:{free_port()}", database="g")
    assert [one.name for one in store_findings(server, tmp_path)] == ["series store", NAME]
    assert list(store_findings(Store(), tmp_path)) == []
