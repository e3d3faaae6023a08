"""The first of many codes, for a line that must stay short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SHOWN: Final = 5
"""Codes named at most (chosen: a line of the board)."""


def shortlist(codes: Sequence[str], *, chinese: bool = False) -> str:
    """`a, b and 3 more`, in Chinese `a、b 等 5 个`; all of them where they are no more than `SHOWN`."""
    named, more = ("、" if chinese else ", ").join(codes[:SHOWN]), len(codes) - SHOWN
    if more <= 0:
        return named
    return f"{named} 等 {len(codes)} 个" if chinese else f"{named} and {more} more"
