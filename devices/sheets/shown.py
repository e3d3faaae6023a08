"""Which refused cells a fault may show. Pure.

Columns slip: any cell may hold a person's name or number, whatever its column is for. So a cell is shown in
clear only where it can be neither: a word of the column's own vocabulary, a short number in a column of
numbers, hours in a column of hours, a code of single letters and few digits, or a code that the registry has
already (a handle without personal data). Everything else is hidden; line and column say where it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from devices.sheets.cells import CellKind, Typed
from devices.vault import mask

Clear = Callable[[str], bool]
"""Whether a trimmed cell can hold neither name nor number."""

DIGITS_MAX: Final = 6
"""Digits that are no phone number: a Chinese landline without its area code has seven."""
WORD_MIN: Final = 4
"""Letters of a word that nobody is called (chosen)."""
_NUMBER: Final = re.compile(r"[+-]?[0-9.,]{1,9}(?:[eE][+-]?[0-9]{1,2})?")
_HOURS: Final = re.compile(r"[0-9]{1,2}(?:[:.][0-9]{1,2})?\s*[-–~]\s*[0-9]{1,2}(?:[:.][0-9]{1,2})?")
_DAY: Final = re.compile(r"20[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}")
"""Of this century only: an earlier one is somebody's birthday sooner than an installation."""
_CODE: Final = re.compile(r"(?:[A-Za-z](?![A-Za-z])|[0-9]|[-_.#])+")
_UID: Final = re.compile(r"zigbee:[0-9a-f]{16}")
_PHONE: Final = re.compile(r"\+?[0-9][0-9\s\-().]{2,}")
_LONG_NUMBER: Final = re.compile(rf"[0-9]{{{DIGITS_MAX + 1},}}")
_KINDS: Final = {
    CellKind.ROUNDED: "(a number)",
    CellKind.DATE: "(a date)",
    CellKind.TRUTH: "(TRUE or FALSE)",
    CellKind.FORMULA: "(a formula)",
    CellKind.ERROR: "(an error)",
}


def hidden(cell: str) -> str:
    """A form that tells neither name nor number: `王**`, `138****1234`."""
    plain = unicodedata.normalize("NFKC", cell).strip()
    if not plain:
        return ""
    if _PHONE.fullmatch(plain):
        return mask(plain)
    return f"{plain[0]}**" if len(plain) > 1 else "**"


def shown(cell: str, clear: Clear, *, there: bool = False) -> str:
    """A refused cell as a fault shows it; `there`: the registry has this very code."""
    if type(cell) is Typed and cell.kind in _KINDS:
        return _KINDS[cell.kind]
    plain = cell.strip()
    return plain if clear(plain) or (there and is_handle(plain)) else hidden(plain)


def shown_code(code: str, *, there: bool) -> str:
    """A code within the words of a fault."""
    return shown(code, is_plain_code, there=there)


def never(_cell: str) -> bool:
    """Nothing of such a column is shown."""
    return False


def is_short_number(cell: str) -> bool:
    """Digits that are too few for a phone number."""
    plain = unicodedata.normalize("NFKC", cell)
    return _NUMBER.fullmatch(plain) is not None and _digits(plain) <= DIGITS_MAX


def is_hours(cell: str) -> bool:
    """The form of `22:00-07:00`, also with other marks."""
    return _HOURS.fullmatch(unicodedata.normalize("NFKC", cell)) is not None


def is_recent_day(cell: str) -> bool:
    """A day of this century."""
    return _DAY.fullmatch(cell) is not None


def is_plain_code(cell: str) -> bool:
    """`B3-1-501`: letters that stand alone and at most six digits, at least one; also uids of Zigbee."""
    return _UID.fullmatch(cell) is not None or (
        _CODE.fullmatch(cell) is not None and 0 < _digits(cell) <= DIGITS_MAX
    )


def is_handle(code: str) -> bool:
    """A code without Chinese letters and without a long run of digits."""
    return (
        code.isascii()
        and code.isprintable()
        and (_UID.fullmatch(code) is not None or _LONG_NUMBER.search(code) is None)
    )


def is_word_of(words: Iterable[str]) -> Clear:
    """One of some words, however written large or small; not the shortest (`En` is a name as well)."""
    known = {word.casefold() for word in words if len(word) >= WORD_MIN}
    return lambda cell: cell.casefold() in known


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)
