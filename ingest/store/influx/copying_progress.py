"""How far copying has come, in a file beside the embedded store: days that are in the server and were read
back. A day that was cut short is copied anew; points that are written again are the same points."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "points.copied.json"


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A day's points: all that have a name. `joined`: those that share their place with another; `refused`
    and `expired`: what the server does not take, and what is older than it keeps; `unnamed`: points of series
    that no table knows."""

    points: int = 0
    joined: int = 0
    refused: int = 0
    expired: int = 0
    unnamed: int = 0

    @property
    def behind(self) -> int:
        """How many of the day the embedded store has and the server has not."""
        return self.refused + self.expired + self.unnamed


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`target`: where to; `position`: what the store held (`SeriesReader.position`): copied to elsewhere, or
    of another store, it says nothing. `done`: every day is there, and nothing stays behind, or somebody has
    accepted that. `days` by YYYY-MM-DD. `damaged`: the ids of blocks that cannot be read.
    """

    target: str
    position: tuple[int, int]
    done: bool = False
    days: Mapping[str, Noted] = {}
    damaged: tuple[int, ...] = ()

    def with_day(self, day: str, noted: Noted | None) -> Progress:
        """With what is known of a day now; None: it has to be copied."""
        others = {one: what for one, what in self.days.items() if one != day}
        days = others if noted is None else others | {day: noted}
        return msgspec.structs.replace(self, days=dict(sorted(days.items())))

    @property
    def total(self) -> Noted:
        """Of all days."""
        names = Noted.__struct_fields__
        return Noted(**{name: sum(getattr(one, name) for one in self.days.values()) for name in names})

    @property
    def in_server(self) -> int:
        """How many points were read back."""
        total = self.total
        return total.points - total.joined - total.refused - total.expired


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
