"""One board as HTML in pieces, each with the version at which it was last another: what pages must be sent.

A version is `EPOCH-NUMBER`; numbers of one epoch grow. Whoever names one is given what changed since.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from alerts.views import OpenIncident
from console.board_lines import Line

VERSION_MAX: Final = 40
"""Characters of a version, with room."""

Draw = Callable[[Line, bool], str]
"""A line and whether it is an untaken fire, as HTML."""


@dataclass(slots=True)
class _Piece:
    text: str = ""
    version: int = 0


@dataclass(slots=True)
class _DrawnLine:
    line: Line
    untaken: bool
    day: int
    html: str
    version: int


@dataclass(slots=True)
class Drawn:
    """The board of everybody who sees the same in the same language."""

    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    number: int = 0
    order: list[int] = field(default_factory=list)
    order_version: int = 0
    untaken: tuple[OpenIncident, ...] = ()
    head: _Piece = field(default_factory=_Piece)
    tail: _Piece = field(default_factory=_Piece)
    lines: dict[int, _DrawnLine] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """As pages name it."""
        return f"{self.epoch}-{self.number}"

    def is_as(self, lines: Sequence[Line], day: int) -> bool:
        """Whether these lines are drawn already, of this day."""
        if len(lines) != len(self.lines):
            return False
        return all(
            old.line is line and old.day == day for old, line in zip(self.lines.values(), lines, strict=True)
        )

    def put(self, lines: Sequence[Line], untaken: Collection[int], day: int, draw: Draw) -> bool:
        """The lines as they are now, in order; gives whether anything is another. Draws only what is."""
        number, fires, before = self.number + 1, frozenset(untaken), self.lines
        drawn: dict[int, _DrawnLine] = {}
        changed = False
        for line in lines:
            key, fire = line.incident.id, line.incident.id in fires
            old = before.get(key)
            if old is not None and old.line is line and old.untaken == fire and old.day == day:
                drawn[key] = old
                continue
            changed = True
            drawn[key] = _DrawnLine(line, fire, day, draw(line, fire), number)
        self.lines = drawn
        order = list(drawn)
        if order != self.order:
            self.order, self.order_version, changed = order, number, True
        self.untaken = tuple(line.incident for line in lines if line.incident.id in fires)
        if changed:
            self.number = number
        return changed

    def put_around(self, head: str, tail: str) -> bool:
        """What stands above and below the lines; whether it is another."""
        changed = (head, tail) != (self.head.text, self.tail.text)
        if changed:
            self.number += 1
            for piece, text in ((self.head, head), (self.tail, tail)):
                if piece.text != text:
                    piece.text, piece.version = text, self.number
        return changed

    def since(self, version: str) -> str:
        """What a page that shows `version` lacks, as JSON on one line; the `whole` of it for a version of
        another epoch. Empty where it lacks nothing."""
        epoch, _, shown = version.partition("-")
        known = int(shown) if epoch == self.epoch and shown.isdecimal() and len(shown) < 16 else -1
        if known >= self.number:
            return ""
        news: dict[str, object] = {"version": self.version, "whole": known < 0}
        if self.order_version > known:
            news["order"] = self.order
        for name, piece in (("head", self.head), ("tail", self.tail)):
            if piece.version > known:
                news[name] = piece.text
        if fresh := {key: one.html for key, one in self.lines.items() if one.version > known}:
            news["lines"] = fresh
        return json.dumps(news, ensure_ascii=False, separators=(",", ":"))
