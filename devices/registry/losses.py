"""What a change takes from people who need help: the last duty desk, and who can be told of a dwelling.

One rule for every change that can lose somebody (ending a binding, a way, a substitution; erasing): the last
duty desk that can be reached is not lost without being told to; of dwellings left with nobody who can be told
at once the caller is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, select

from devices.bound import has_duty_desk
from devices.registry.errors import StillNeeded
from devices.schema import dwelling
from devices.unreachable import unreachable_dwellings

SHOWN: Final = 5
"""Codes that are named; of more only the number (chosen)."""
_AT_ONCE: Final = 500


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


def alone_now(connection: Connection, now_us: int) -> frozenset[int]:
    """Ids of dwellings with a device and nobody who can be told at once. 1.5 s at 100,000 dwellings: before
    and after a change it is asked in reads of its own, so that no writer waits."""
    return frozenset(unreachable_dwellings(connection, now_us, live=True))


def codes_of(connection: Connection, dwellings: Collection[int]) -> tuple[str, ...]:
    """The codes of dwellings, in their order."""
    ids = sorted(dwellings)
    codes: list[str] = []
    for start in range(0, len(ids), _AT_ONCE):
        query = select(dwelling.c.code).where(dwelling.c.id.in_(ids[start : start + _AT_ONCE]))
        codes += connection.execute(query).scalars()
    return tuple(sorted(codes))


def some_of(codes: tuple[str, ...]) -> str:
    """`101, 102 and 3 more`."""
    more = len(codes) - SHOWN
    return ", ".join(codes[:SHOWN]) + (f" and {more} more" if more > 0 else "")
