"""What a change takes from people who need help: the last duty desk, and who can be told of a place.

One rule for every change that can lose somebody (ending a binding, a way, a substitution; erasing): the last
duty desk that can be reached is not lost without being told to; of places left with nobody who can be told
at once the caller is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from devices.bound import has_duty_desk
from devices.model import PlaceKind
from devices.registry.errors import StillNeeded
from devices.unreachable import unreachable_places

SHOWN: Final = 5
"""Codes that are named; of more only the number (chosen)."""
Alone = tuple[PlaceKind, str]
"""A place by kind and code: a dwelling and a stair may have the same."""


@contextmanager
def keeping_a_desk(connection: Connection, now_us: int, *, force: bool) -> Iterator[None]:
    """The change in the block must leave a duty desk that can be reached where there was one.

    Raises StillNeeded at its end unless `force`; the caller's transaction then rolls the change back. Both
    looks are in that transaction, a few milliseconds each.
    """
    had = not force and has_duty_desk(connection, now_us, live=True)
    yield
    if had and not has_duty_desk(connection, now_us, live=True):
        raise StillNeeded(
            "this is the last duty desk that can be reached: nobody would be told where nobody else is; "
            "--force does it all the same"
        )


def alone_now(connection: Connection, now_us: int, *, without: int = 0) -> frozenset[Alone]:
    """Places with a device and nobody to tell at once; `without` as for `unreachable_places`. 1.5 s at
    100,000 dwellings: before and after a change it is asked in reads of its own, so that no writer waits."""
    gaps = unreachable_places(connection, now_us, live=True, without=without)
    return frozenset((gap.kind, gap.code) for gap in gaps)


def codes_of(places: Collection[Alone]) -> tuple[str, ...]:
    """The codes of places, in their order."""
    return tuple(sorted(code for _, code in places))


def some_of(codes: tuple[str, ...]) -> str:
    """`101, 102 and 3 more`."""
    more = len(codes) - SHOWN
    return ", ".join(codes[:SHOWN]) + (f" and {more} more" if more > 0 else "")
