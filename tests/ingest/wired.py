"""A stream that is fed to the wire in pieces, and everything that comes of it."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.packets import Received, WireError
from ingest.wire import Wire


def taken(pieces: Iterable[bytes], limit: int) -> tuple[Received, str]:
    """Everything the pieces gave, and the WireError's text if one came; any other exception goes on."""
    reader, got = Wire(limit), Received()
    try:
        for piece in pieces:
            got.extend(reader.feed(piece))
        got.extend(reader.feed(b""))
    except WireError as error:
        return got, str(error)
    return got, ""


def one_by_one(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]
