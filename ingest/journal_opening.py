"""Where a journal goes on when it is opened: behind its newest record, else in a new segment."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import structlog

from ingest.journal_files import FULL, Damage
from ingest.journal_segment import OpenSegment, begin_slot, make_segment, resume_segment
from ingest.journal_shelf import Shelf

log = structlog.get_logger()


class Opened(NamedTuple):
    """The segment to write to, the seq of its next record, and what could not be read before that."""

    segment: OpenSegment
    next_seq: int
    damage: list[Damage]


def open_newest(folder: Path, shelf: Shelf, segment_bytes: int, at_least: int) -> Opened:
    """Continues the newest segment after its last whole record; what follows that is a torn tail.

    Where the folder knows less than `at_least`, or nothing, a new segment begins with that seq. Raises
    OSError where the disk has no room for one, nor the reserve.
    """
    newest = shelf.newest
    if newest is None:
        next_seq = max(at_least, 1)
        return Opened(_start_afresh(folder, shelf, segment_bytes, next_seq), next_seq, [])
    opened, last_seq, damage = resume_segment(newest, segment_bytes)
    shelf.grew(newest, opened.end)
    next_seq = last_seq + 1
    if at_least <= next_seq:
        return Opened(opened, next_seq, damage)
    log.error("journal_behind", next_seq=next_seq, continues_with=at_least)
    opened.close()
    return Opened(_start_afresh(folder, shelf, segment_bytes, at_least, opened), at_least, damage)


def _start_afresh(
    folder: Path, shelf: Shelf, segment_bytes: int, first_seq: int, before: OpenSegment | None = None
) -> OpenSegment:
    """A new segment; a slot where the disk has no room for one, if need be the empty one of `before`.

    Raises OSError where neither is there.
    """
    try:
        fresh = make_segment(folder, first_seq, segment_bytes)
    except OSError as error:
        if error.errno not in FULL:
            raise
        if shelf.reserve.free:
            fresh = shelf.begin_slot(first_seq)
        elif before and before.segment.in_reserve and before.is_empty:
            fresh = begin_slot(before.segment.path, first_seq, before.most)
        else:
            raise
    shelf.add(fresh.segment)
    return fresh
