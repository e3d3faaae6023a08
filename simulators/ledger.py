"""What a load run published and what the broker acknowledged: a bench counts lost and doubled by it.

The messages of one connection go round its devices, so that a run is a handful of ranges, however long. The
file holds one JSON object a line: `{"what", "first_device", "last_device", "first_seq", "last_seq", "qos"}`,
all bounds included, `what` one of `published`, `acknowledged`, `refused`. Nothing at QoS 0 is acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct


class Range(Struct, frozen=True):
    """Sequence numbers `first_seq` .. `last_seq` of each of the devices `first_device` .. `last_device`."""

    what: str
    first_device: int
    last_device: int
    first_seq: int
    last_seq: int
    qos: int = 1

    def __len__(self) -> int:
        return (self.last_device - self.first_device + 1) * (self.last_seq - self.first_seq + 1)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return (
            (device, seq)
            for device in range(self.first_device, self.last_device + 1)
            for seq in range(self.first_seq, self.last_seq + 1)
        )


def ranges_of(
    what: str, messages: int, first_device: int, devices: int, first_seq: int, qos: int = 1
) -> list[Range]:
    """The first `messages` messages of a connection that goes round `devices` devices: at most two ranges."""
    rounds, rest = divmod(messages, devices)
    full = Range(what, first_device, first_device + devices - 1, first_seq, first_seq + rounds - 1, qos)
    last = Range(what, first_device, first_device + rest - 1, first_seq + rounds, first_seq + rounds, qos)
    return [each for each in (full, last) if len(each)]


def write_ledger(path: Path, ranges: Iterable[Range]) -> None:
    """Writes the file whole. Raises OSError."""
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in ranges))


def read_ledger(path: Path) -> list[Range]:
    """What `write_ledger` wrote. Raises OSError, or msgspec.DecodeError for a file that is no ledger."""
    return msgspec.json.decode(b"[" + b",".join(path.read_bytes().splitlines()) + b"]", type=list[Range])
