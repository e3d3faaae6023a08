"""What should lie in the series store after a load, series by series, and what does.

What each device sent follows from the generator's ledger, and how many points of which series a message has
from its form, read by the profiles themselves. A series is a device, a channel and a metric; nothing one
series lacks is made good by what another has too much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int32, Int64
from devices.profiles.shipped import choose, shipped_profiles
from ingest.store.reader import SeriesReader
from simulators.forms import FORMS, Form, forms_of
from simulators.ledger import Range, read_ledger
from simulators.mix import Mix, identities

AT_ONCE: Final = 1 << 20
"""Messages counted in one go: some dozen megabytes of arrays."""


class Balance(NamedTuple):
    """Points that are missing and points beyond, each summed over the series that have such."""

    lost: int
    doubled: int


class Name(NamedTuple):
    """A series of a device: channel, and the metric's code."""

    channel: str
    metric: int


def balance(data: Path, ledgers: Path, devices: int, mix: Mix) -> Balance:
    """Of a service that has ended, with what all runs in the folder `ledgers` sent it.

    Lost is what was acknowledged to the generator and is not stored, doubled what is stored beyond what was
    sent. A message sent and never acknowledged may be stored or not. Raises OSError, sqlite3.Error.
    """
    names, points = points_by_form()
    ranges = [one for file in sorted(ledgers.iterdir()) for one in read_ledger(file)]
    sent = messages_by_form(ranges, ("published",), devices, mix)
    sure = messages_by_form(ranges, ("acknowledged",), devices, mix)
    sure -= messages_by_form(ranges, ("refused",), devices, mix)
    with closing(sqlite3.connect(data / "gengfu.db", timeout=30)) as connection:
        series = connection.execute("SELECT slot, uid, channel, metric FROM series").fetchall()
    with closing(SeriesReader.open(data / "points.db")) as reader:
        counts = reader.counts()
    uids = [one.uid for one in identities(0, devices, mix)]
    stored, strange = stored_by_series(counts, series, uids, names)
    lost, doubled = compare(sure @ points, sent @ points, stored)
    return Balance(lost, doubled + strange)


def compare(sure: Int64, sent: Int64, stored: Int64) -> Balance:
    """Points by device and series: those that must be there, those that may, those that are. Pure."""
    return Balance(int(np.maximum(sure - stored, 0).sum()), int(np.maximum(stored - sent, 0).sum()))


def messages_by_form(ranges: Iterable[Range], whats: Sequence[str], devices: int, mix: Mix) -> Int64:
    """How many messages of each form each device has in these ranges: a row a device, a column a form."""
    found = np.zeros((devices, len(FORMS)), np.int64)
    for one in ranges:
        if one.what not in whats:
            continue
        index = np.arange(one.first_device, one.last_device + 1)
        rounds = max(1, AT_ONCE // len(index))
        for first in range(one.first_seq, one.last_seq + 1, rounds):
            seqs = np.arange(first, min(first + rounds, one.last_seq + 1))
            forms = forms_of(np.tile(index, len(seqs)), np.repeat(seqs, len(index)), mix)
            place = np.tile(np.arange(len(index)) * len(FORMS), len(seqs)) + forms
            part = np.bincount(place, minlength=len(index) * len(FORMS))
            found[one.first_device : one.last_device + 1] += part.reshape(len(index), len(FORMS))
    return found


def stored_by_series(
    counts: Int64, series: Iterable[tuple[int, str, str, int]], uids: Sequence[str], names: Sequence[Name]
) -> tuple[Int64, int]:
    """Points by device and series from points by slot, and how many lie in series that nobody sent."""
    row_of = {uid: row for row, uid in enumerate(uids)}
    column_of = {name: column for column, name in enumerate(names)}
    places = [
        (slot, row_of[uid], column_of[name])
        for slot, uid, channel, metric in series
        if uid in row_of and (name := Name(channel, metric)) in column_of and slot < len(counts)
    ]
    found = np.zeros((len(uids), len(names)), np.int64)
    slots, rows, columns = np.array(places, np.int64).reshape(-1, 3).T
    found[rows, columns] = counts[slots]
    return found, int(counts.sum() - found.sum())


def points_by_form() -> tuple[list[Name], NDArray[np.int64]]:
    """All series that a device can have, and how many points each form has of each: a row a form.

    As the profiles read one message of each form. Raises AssertionError where they do not find as many points
    as the form is said to have.
    """
    found = [_read(form) for form in FORMS]
    names = sorted({name for one in found for name in one})
    points = np.array([[one.count(name) for name in names] for one in found], np.int64)
    assert points.sum(axis=1).tolist() == [form.points for form in FORMS]
    return names, points


class _Channels:
    """Takes every device for registered; a row is a channel."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def row(self, _uid: str, channel: str) -> int:
        self.names.append(channel)
        return len(self.names) - 1

    def registered(self, row: Int32) -> Bool:
        return np.ones(len(row), np.bool_)


def _read(form: Form) -> list[Name]:
    """The series of the points in a message of this form."""
    digits = {"<device>": "0000001", "<at>": "1763755200000", "<seq>": "1000000000", "#": "1"}
    topic, payload = form.topic, form.payload
    for mark, number in digits.items():
        topic, payload = topic.replace(mark, number), payload.replace(mark, number)
    profile = choose(topic, shipped_profiles())
    assert profile
    channels = _Channels()
    decoded = profile.decode([topic], [payload.encode()], channels)
    rows, metrics = decoded.row.tolist(), decoded.metric.tolist()
    return [Name(channels.names[row], metric) for row, metric in zip(rows, metrics, strict=True)]
