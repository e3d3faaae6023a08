"""How far copying has come, in a file beside the embedded store: days that are in the server and were read
back. A day that was cut short is copied anew; points that are written again are the same points."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "points.copied.json"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`target`: where to; `position`: what the store held (`SeriesReader.position`): copied to elsewhere, or
    of another store, it says nothing. `done`: every day is there.

    `days` as YYYY-MM-DD; the counts are of those. `joined`: points that share their place with another;
    `refused` and `expired`: what the server does not take, and what is older than it keeps; `unnamed`: points
    of series that no table knows. `damaged`: the ids of blocks that cannot be read.
    """

    target: str
    position: tuple[int, int]
    done: bool = False
    days: tuple[str, ...] = ()
    points: int = 0
    joined: int = 0
    refused: int = 0
    expired: int = 0
    unnamed: int = 0
    damaged: tuple[int, ...] = ()

    @property
    def in_server(self) -> int:
        """How many points were read back."""
        return self.points - self.joined - self.refused - self.expired


def load(folder: Path) -> Progress | None:
    """What is noted; None where nothing is, or nothing that can be read: then all is copied."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def save(folder: Path, progress: Progress) -> None:
    """All of it or nothing, whatever happens meanwhile. Raises OSError."""
    path = folder / FILE
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(progress) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
