"""A plain profile that learns: it notes what it was told, and holds flags that are never taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from devices.model import Metric
from devices.profiles.profile import Asides, Decoded, Hold, Note, Points, Proposal, Reply, Said
from ingest.journal_reader import JournalReader
from ingest.record import Record
from tests.ingest.house import House
from tests.ingest.plain import PlainProfile
from tests.ingest.redelivering import NOW_US

HOLD_US = 30_000_000


class LearningProfile(PlainProfile):
    """As `PlainProfile`; a payload may hold `learn` (a number: noted under the device), `hold` (1: a true
    flag of this message counts as false after HOLD_US), and `name` and `ask` (numbers: said, proposed and
    answered)."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def remember(self, notes: Iterable[Note]) -> None:
        for one in notes:
            self.known[one.key] = one.value
            if not one.value:
                del self.known[one.key]

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        decoded = super().decode(topics, payloads, points, received_us=received_us, retained=retained)
        notes, holds, said, proposals, replies = [], [], [], [], []
        for n, (topic, payload) in enumerate(zip(topics, payloads, strict=True)):
            try:
                body = msgspec.json.decode(payload, type=dict[str, float])
            except msgspec.DecodeError:
                continue
            uid = topic[2:]
            if "learn" in body:
                value = str(int(body["learn"])) if body["learn"] else ""
                notes.append(Note(self.name, "learnt", uid, value))
                self.remember(notes[-1:])
            if "hold" in body:
                row = points.row(uid, "")
                holds.append(Hold(n, row, int(Metric.SMOKE_ALARM), HOLD_US))
            if "name" in body:
                said.append(Said(uid, "label", f"number {body['name']:g}"))
            if "ask" in body:
                proposals.append(Proposal(f"asked:{uid}", topic, {"profile": self.name}))
                replies.append(Reply(f"{topic}/reply", b"yes"))
        asides = Asides(tuple(notes), tuple(said), tuple(proposals), tuple(replies), tuple(holds))
        return replace(decoded, asides=asides)


class LearningHouse(House):
    profile_type = LearningProfile


def records(house: House) -> list[Record]:
    """All that stands in the journal."""
    reader = JournalReader(house.folder / "journal", 0)
    found = [one for part in iter(reader.read, []) for one in part if isinstance(one, Record)]
    reader.close()
    return found


def smoke(house: House) -> list[tuple[int, float, int]]:
    """Slot, value and observed time of what was journalled of smoke flags, in order."""
    found = []
    flags = np.flatnonzero(house.index.table().metric == Metric.SMOKE_ALARM)
    for record in records(house):
        batch = house.index.seated(record.batch)
        for slot, value, at in zip(
            batch.slot.tolist(), batch.value.tolist(), batch.observed_us.tolist(), strict=True
        ):
            if slot in flags:
                found.append((slot, value, at - NOW_US))
    return found
