"""What a cell of a file can be, and how text keeps its meaning in a spreadsheet. Pure.

A cell is text. A cell of a workbook that is not text is a `Typed`: the text that stands for it, and what it
is. Text that a spreadsheet would turn into something else (a formula, a number, a date) is exported behind an
apostrophe, the sign spreadsheets have for "text follows"; import takes one leading apostrophe away. So
whatever is exported comes back as it was, and nothing exported runs as a formula.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from devices.registry.errors import NotAllowed


class CellKind(Enum):
    """What a cell of a workbook is when it is not text."""

    NUMBER = auto()
    ROUNDED = auto()
    """A number of which the spreadsheet shows something else than it holds."""
    DATE = auto()
    TRUTH = auto()
    FORMULA = auto()
    ERROR = auto()


class Typed(str):
    """The text of a cell that is not text in its workbook, and what it is there."""

    __slots__ = ("kind",)
    kind: CellKind

    def __new__(cls, text: str, kind: CellKind) -> Typed:  # noqa: D102 - as a constructor
        self = super().__new__(cls, text)
        self.kind = kind
        return self


ADVICE: Final = {
    CellKind.ROUNDED: "text: a spreadsheet made a number of it, digits or leading zeros may be lost; "
    "format the column as text and type it again",
    CellKind.DATE: "text: a spreadsheet made a date of it; format the column as text and type it again",
    CellKind.TRUTH: "text: a spreadsheet made TRUE or FALSE of it; format the column as text, type it again",
    CellKind.FORMULA: "a value, not a formula; paste the values in its place",
    CellKind.ERROR: "a value; the spreadsheet shows an error here",
}

_MARK: Final = "'"
_RISKY: Final = frozenset("=+-@'#\t\r")
"""What begins a formula in some spreadsheet, an error word, or is our own mark."""
_MADE_BY_A_SPREADSHEET: Final = re.compile(
    r"-?\d(?:\.\d+)?E[+-]\d{2,3}"  # 1.23E+15
    r"|#+|#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)"
    r"|\d{1,2}月\d{1,2}日"
    r"|\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{2}"
)
"""What spreadsheets write to CSV in place of a long number, of `3E5`, of `3-5`, of a formula that failed."""


def guarded(text: str) -> str:
    """`text` as it is exported: behind an apostrophe where a spreadsheet would make something else of it."""
    if text and (text[0] in _RISKY or _MADE_BY_A_SPREADSHEET.fullmatch(text)):
        return _MARK + text
    return text


def unguarded(cell: str) -> str:
    """The text that a cell of a column of words stands for, trimmed.

    Raises NotAllowed with advice where a spreadsheet has made something else of what was typed.
    """
    if type(cell) is Typed:
        if cell.kind is not CellKind.NUMBER:
            raise NotAllowed(ADVICE[cell.kind])
        return str(cell)
    text = cell.strip()
    if text[:1] == _MARK:
        return text[1:].strip()
    if _MADE_BY_A_SPREADSHEET.fullmatch(text):
        raise NotAllowed(ADVICE[CellKind.ROUNDED])
    return text
