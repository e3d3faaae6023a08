"""Records of one size for a journal, and a disk that is full after so many bytes."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from devices.model import ReadingBatch
from ingest.record import Messages, Record
from ingest.record_bytes import encode_record


def record(seq: int, readings: int = 3) -> Record:
    n = readings
    batch = ReadingBatch(
        1_000_000 + seq,
        np.arange(n, dtype=np.int32),
        np.full(n, seq, np.int64),
        np.zeros(n, np.uint16),
        np.full(n, float(seq)),
        np.zeros(n, np.uint32),
    )
    return Record(seq, batch, Messages.empty(), [], [], [], {}, 0, 0)


SIZE = len(encode_record(record(1)))


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a write stops there and then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
