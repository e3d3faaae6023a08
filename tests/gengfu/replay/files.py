"""Small made-up recordings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

HEAD = "device,channel,metric,observed_at,value"
EIGHT_S = 1_772_352_000
"""Eight in the morning, UTC."""


def clock(second: float) -> str:
    """A time so many seconds after eight in the morning."""
    whole = int(second)
    hours, rest = divmod(whole, 3600)
    days, hours = divmod(8 + hours, 24)
    part = f"{second - whole:.6f}"[1:] if second != whole else ""
    return f"2026-03-{days + 1:02}T{hours:02}:{rest // 60:02}:{rest % 60:02}{part}Z"


def current(seconds: Iterable[float], value: float, device: str = "own:m") -> list[str]:
    """Lines of one current at these seconds."""
    return [f"{device},l1,current,{clock(second)},{value}" for second in seconds]


def overload() -> list[str]:
    """An overload of a 25 A circuit from 0 s on, over after 200 s."""
    return current(range(0, 200, 10), 40) + current(range(200, 600, 10), 10)


def written(path: Path, lines: Iterable[str], head: str = HEAD) -> Path:
    """A CSV file of these lines."""
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path
