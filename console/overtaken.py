"""Whether an act must be asked about again, because others have acted since its form was made.

Asking is for people who cannot see each other's hands. It forbids nothing: pressed again the act goes in, and
what it may do, the alerts process decides as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alerts.case import Act

NEVER_ASKED: Final = frozenset({Act.ACKNOWLEDGE, Act.CONFIRM, Act.NEED_HELP, Act.NOTE, Act.MERGE, Act.SPLIT})
"""What brings people to a fire waits for no second press, and a note is in nobody's way. Merging and
splitting have a question of their own."""
MATTERS: Final = frozenset(str(one) for one in Act) - {Act.NOTE, Act.NEED_HELP}
"""Acts that change the state of an incident or who has it."""


@dataclass(frozen=True, slots=True)
class Between:
    """A line of the timeline since then: what (`kind`, an act's name or another), by whom (`user:LOGIN`,
    `contact:CODE` or `gengfu`), when."""

    kind: str
    by: str
    at_us: int


def overtaken(act: Act, own: frozenset[str], since: Iterable[Between]) -> Between | None:
    """The newest line since the form was made, for which `act` is asked about again; None: it just goes in.

    `own` are the names under which the reader acts: nobody is asked about what they did themselves. An act
    that the alerts process has not decided yet is on no timeline, and not asked about.
    """
    if act in NEVER_ASKED:
        return None
    theirs = [one for one in since if one.kind in MATTERS and one.by not in own]
    return max(theirs, key=lambda one: one.at_us, default=None)
