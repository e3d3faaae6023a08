"""Values that a server refuses, kept where an operator sees them: as dead letters of the reason `store`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from ingest.deadletters import KEPT_PAYLOAD_BYTES, KEPT_PER_FLUSH, DeadLetter, add_count, add_letters
from ingest.store.influx.putting import RefusedLine
from ingest.strangers import clean

REASON: Final = "store"


def keep_refused(connection: Connection, refused: Sequence[RefusedLine], at_us: int) -> None:
    """Counts all of them, one at least, and keeps the last.

    Not guaranteed: that each is counted once. What is written again is refused again: where we die between
    this and the journal's mark, which follows 20 s behind, and where the server started anew.
    """
    add_count(connection, REASON, len(refused))
    add_letters(connection, REASON, [_letter(one, at_us) for one in refused[-KEPT_PER_FLUSH:]])


def _letter(one: RefusedLine, at_us: int) -> DeadLetter:
    return DeadLetter(at_us, REASON, clean(one.why), "", one.line[:KEPT_PAYLOAD_BYTES], len(one.line))
