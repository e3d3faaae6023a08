"""Values that were refused alone, until it is known whether it was for themselves: somebody may answer in the
server's place and refuse everything, with the words of a bad line.

Some are judged together: a comment must be taken, then each is posted once more, then four comments must be
taken. A suspect that is taken now was refused for something else; then, and where a comment is refused, all
others go free and are tried like any body.

So nothing is lost to who refuses everything for one stretch, however long, or for stretches of more than
`AT_ONCE` requests; nor where one of up to four servers that take turns refuses everything. Not guaranteed:
against who is deaf, well, deaf and well again within these few requests of one body.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.store.influx.server import PROBE, Later, Post, Refused, Taken

AT_ONCE: Final = 8
"""Judged together (chosen: to who refuses all, a body costs some twenty requests and not two a value)."""
_BEFORE, _ALL = 1, 5
"""Comments taken before each is posted once more, and in all (chosen)."""

Suspect = tuple[bytes, str]
"""A line of one value, and the words it was refused with."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`guilty` are refused, and `known` to be so from before. `free` are lines to be posted like any others.
    `deaf`: the words of who takes nothing."""

    guilty: tuple[Suspect, ...] = ()
    known: tuple[Suspect, ...] = ()
    free: bytes = b""
    deaf: str | None = None


class Suspects:
    """Those of one body. Not for several threads."""

    def __init__(self) -> None:
        self._once: list[bytes] = []
        self._twice: list[Suspect] = []
        self._known: list[Suspect] = []
        self._comments = 0

    def __bool__(self) -> bool:
        return bool(self._once or self._twice or self._known)

    def add(self, line: bytes) -> None:
        """It was refused alone."""
        self._once.append(line)

    def add_known(self, suspects: Iterable[Suspect]) -> None:
        """Their series are known to be refused: they are not posted once more."""
        self._known += suspects

    def is_due(self, *, nothing_else: bool) -> bool:
        """Whether they are to be judged now."""
        enough = bool(self._known) or len(self._once) >= AT_ONCE or self._comments > 0
        return enough or (nothing_else and bool(self))

    def ask(self, post: Post) -> Verdict | Later:
        """The next request. Later: it was not answered, and is the next again."""
        asks = self._comments < _BEFORE or not self._once
        answer = post(PROBE if asks else self._once[0])
        if isinstance(answer, Later):
            return answer
        if asks:
            return self._all_free(deaf=answer.why) if isinstance(answer, Refused) else self._heard()
        line = self._once.pop(0)
        if isinstance(answer, Taken):
            return self._all_free()
        self._twice.append((line, sys.intern(answer.why)))  # a million of them say the same
        return Verdict()

    def _heard(self) -> Verdict:
        self._comments += 1
        if self._comments < _ALL:
            return Verdict()
        verdict = Verdict(tuple(self._twice), tuple(self._known))
        self._begin_again()
        return verdict

    def _all_free(self, deaf: str | None = None) -> Verdict:
        lines = [line for line, _ in (*self._known, *self._twice)] + self._once
        self._begin_again()
        return Verdict(free=b"".join(lines), deaf=deaf)

    def _begin_again(self) -> None:
        self._once, self._twice, self._known, self._comments = [], [], [], 0
