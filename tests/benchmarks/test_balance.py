"""Lost and doubled are told by the series: a point too few here is not made good by one too many there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from benchmarks.balance import Balance, balance, compare, messages_by_form, points_by_form, stored_by_series
from devices.database import open_database, writing
from devices.model import Int64
from devices.schema import series
from gengfu.migrate import upgrade
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from ingest.store.reader import SeriesReader
from simulators.forms import FORMS, forms_of
from simulators.ledger import Range, ranges_of, write_ledger
from simulators.mix import FIXED, identities, parse_mix
from simulators.stencil import FIRST_SEQ

DEVICES = 3
MIX = parse_mix("own:60,smoke:25,bare:15")
START_NS = 1_763_755_200_000_000_000


def table(*rows: list[int]) -> Int64:
    return np.array(rows, np.int64)


def test_a_lost_and_a_doubled_point_do_not_cancel() -> None:
    sent = table([5, 5], [5, 5])
    assert compare(sent, sent, table([4, 5], [5, 6])) == Balance(lost=1, doubled=1)
    assert compare(sent, sent, sent) == Balance(0, 0)


def test_a_message_without_an_answer_may_be_stored_or_not() -> None:
    for stored, found in ((3, (1, 0)), (4, (0, 0)), (5, (0, 0)), (6, (0, 1))):
        assert compare(table([4]), table([5]), table([stored])) == found


def test_messages_are_counted_by_device_and_form_as_they_were_sent() -> None:
    ranges = ranges_of("published", 1234, 7, 20, FIRST_SEQ)
    found = messages_by_form(ranges, ("published",), 30, MIX)
    wanted = np.zeros((30, len(FORMS)), np.int64)
    for one in ranges:
        for device, seq in one:
            wanted[device, int(forms_of(np.array([device]), np.array([seq]), MIX)[0])] += 1
    assert (found == wanted).all()
    assert not messages_by_form(ranges, ("acknowledged",), 30, MIX).any()


def test_points_of_every_form_are_as_many_as_it_is_said_to_have() -> None:
    names, points = points_by_form()
    assert points.shape == (len(FORMS), len(names))
    assert points.sum(axis=1).tolist() == [form.points for form in FORMS]
    assert points.max() == 1


def test_points_of_a_series_that_nobody_sent_are_beyond() -> None:
    names, _ = points_by_form()
    known = (1, "own:a", *names[0])
    found, strange = stored_by_series(np.array([0, 4, 9]), [known, (2, "own:b", *names[0])], ["own:a"], names)
    assert (found.sum(), strange) == (4, 9)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A service's folder with the series of three devices, and a ledger of two messages of each."""
    names, points = points_by_form()
    columns = np.flatnonzero(points[0])
    uids = [one.uid for one in identities(0, DEVICES, parse_mix(FIXED))]
    rows = [(uid, *names[column]) for uid in uids for column in columns.tolist()]
    engine = open_database(f"sqlite:///{tmp_path / 'gengfu.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(
            insert(series),
            [
                {"slot": slot, "uid": uid, "channel": channel, "metric": metric, "created_us": 1}
                for slot, (uid, channel, metric) in enumerate(rows, 1)
            ],
        )
    engine.dispose()
    (tmp_path / "ledgers").mkdir()
    everything = [
        Range(what, 0, DEVICES - 1, FIRST_SEQ, FIRST_SEQ + 1) for what in ("published", "acknowledged")
    ]
    write_ledger(tmp_path / "ledgers" / "flat", everything)
    yield tmp_path


def store(data: Path, slots: list[int]) -> None:
    count = len(slots)
    times = START_NS + np.arange(count) * 1_000_000
    with closing(EmbeddedStore(data / "points.db", keep_days=36_500)) as embedded:
        points = Points(
            np.array(slots, np.int32), times, np.arange(count).astype(np.float64), np.zeros(count, np.uint32)
        )
        embedded.write(points, 1)


@pytest.mark.parametrize(
    ("less", "more", "found"),
    [([], [], (0, 0)), ([2], [7], (1, 1)), ([2, 2], [], (2, 0)), ([], [99], (0, 1))],
)
def test_the_files_of_a_service_are_held_against_the_ledger(
    data: Path, less: list[int], more: list[int], found: tuple[int, int]
) -> None:
    slots = [slot for slot in range(1, 4 * DEVICES + 1) for _ in range(2)] + more
    for slot in less:
        slots.remove(slot)
    store(data, slots)
    assert balance(data, data / "ledgers", DEVICES, parse_mix(FIXED)) == found


def test_points_are_counted_by_series_in_all_cells(tmp_path: Path) -> None:
    slots = [1, 1, 5000, 70_000, 70_000, 70_000]
    store(tmp_path, slots)
    with closing(SeriesReader.open(tmp_path / "points.db")) as reader:
        counts = reader.counts()
        assert {slot: int(counts[slot]) for slot in np.flatnonzero(counts).tolist()} == {
            1: 2,
            5000: 1,
            70_000: 3,
        }
        assert counts.sum() == reader.count()
