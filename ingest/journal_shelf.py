"""The segments a journal has, in their order, and what they take of the disk."""

from __future__ import annotations

from pathlib import Path

from ingest.journal_errors import JournalFull
from ingest.journal_files import SLOT_HEAD_BYTES, Segment, list_segments, next_record, sync_folder
from ingest.journal_segment import OpenSegment, begin_slot
from ingest.reserve import Reserve


class Shelf:
    """All segments of `folder`; slots among them come from `reserve` and go back to it.

    A process can die while it goes from a segment to a slot of the same seq, or back. Of such a pair the one
    without records goes at the start: no path and no record then stands twice.
    """

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        """`reserve_bytes` is the size of the reserve, 0 for none. Raises OSError."""
        self._folder = folder
        found = list_segments(folder)
        self.reserve = Reserve(folder, reserve_bytes, [one.path for one in found if one.in_reserve])
        self._sizes = {one.path: one.path.stat().st_size for one in found if not one.in_reserve}
        self._segments = found
        self.forget(*_empty_twins(found))

    @property
    def newest(self) -> Segment | None:
        """The segment with the newest records; None without any."""
        return self._segments[-1] if self._segments else None

    @property
    def bytes_on_disk(self) -> int:
        """The size of all segments outside the reserve together."""
        return sum(self._sizes.values())

    def add(self, segment: Segment) -> None:
        """Takes up a new segment. One at the same place was what is now the new one."""
        others = [one for one in self._segments if one.path != segment.path]
        self._segments = sorted([*others, segment], key=lambda one: one.order)
        if not segment.in_reserve:
            self._sizes[segment.path] = 0

    def grew(self, segment: Segment, size: int) -> None:
        """It has so many bytes now. Those of the reserve do not count."""
        if not segment.in_reserve:
            self._sizes[segment.path] = size

    def begin_slot(self, first_seq: int, size: int = 0) -> OpenSegment:
        """A free slot, with room for `size` bytes of record. Raises JournalFull, OSError with none taken."""
        if not self.reserve.slot_bytes:
            raise JournalFull("the journal is full, and no reserve is configured")
        if size > self.reserve.slot_bytes - SLOT_HEAD_BYTES:
            raise JournalFull(f"a record of {size} bytes is too long for the reserve")
        path = self.reserve.take()
        if path is None:
            raise JournalFull("journal and reserve are full; a snapshot or the store must make room")
        try:
            return begin_slot(path, first_seq, self.reserve.slot_bytes)
        except OSError:
            self.reserve.give_back(path)
            raise

    def past(self, floor: int, slots_floor: int) -> list[Segment]:
        """Segments with no record above `floor`, slots with none above `slots_floor`; never the newest.

        Where a record ends is told by the next higher seq only: a slot and a segment can begin with the same.
        """
        found = []
        for number, one in enumerate(self._segments):
            above = (after.first_seq for after in self._segments[number + 1 :])
            end = next((seq for seq in above if seq > one.first_seq), None)
            if end is not None and end <= (slots_floor if one.in_reserve else floor) + 1:
                found.append(one)
        return found

    def forget(self, *segments: Segment) -> None:
        """Takes segments away whose records nobody needs. Raises OSError; what is still there is kept."""
        for one in segments:
            if one.in_reserve:
                self.reserve.give_back(one.path)
            else:
                one.path.unlink(missing_ok=True)
                self._sizes.pop(one.path, None)
            self._segments.remove(one)
        if segments:
            sync_folder(self._folder)


def _empty_twins(segments: list[Segment]) -> list[Segment]:
    """Of a segment and a slot with the same first seq the one that holds no record: the segment first."""
    slots = {one.first_seq: one for one in segments if one.in_reserve}
    found = []
    for one in segments:
        if one.in_reserve or one.first_seq not in slots:
            continue
        slot = slots[one.first_seq]
        if _is_empty(one):
            found.append(one)
        elif _is_empty(slot):
            found.append(slot)
    return found


def _is_empty(segment: Segment) -> bool:
    data = segment.path.read_bytes()
    return next_record(data, segment.start, after=segment.first_seq - 1) is None
