"""Separated fields: `21.5;230.1;0`, in one line or several.

With `columns` a line becomes an object by their names, without a list. An empty field is null. Fields beyond
the named columns are left out: firmware appends. A column named with the empty text is left out as well.
"""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

from devices.profiles.formats.format import FormatContext, Tree, Unreadable
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

if TYPE_CHECKING:
    from devices.profiles.language.file import Message

LONGEST: Final = 1 << 16
"""Octets (chosen)."""
MOST_LINES: Final = 1000
MOST_FIELDS: Final = 256
LONGEST_FIELD: Final = 256


def read_csv(payload: bytes, context: FormatContext) -> Tree:
    """What one line says, or a list of that where there are several. Quotes are RFC 4180's; blanks around
    fields and empty lines mean nothing.
    """
    if len(payload) > LONGEST:
        raise Unreadable(Reason.TOO_LARGE, f"more than {LONGEST} octets of separated fields")
    try:
        text = unpadded(payload).decode()
    except UnicodeDecodeError as error:
        raise Unreadable(Reason.NOT_UTF8, str(error)) from None
    lines = _lines(text, context.options.separator)
    columns = context.options.columns
    found = [_named(line, columns) if columns else line for line in lines]
    return found[0] if len(found) == 1 else found


def salvaged_csv(payload: bytes, options: Message) -> Tree:
    """What can be told of a payload that `read_csv` refuses: lines and fields up to its limits and to the
    first fault,
    null for what is too long. A list of lines, or the only one. Never raises."""
    text = unpadded(payload[:LONGEST]).decode(errors="replace")
    lines: list[list[str | None]] = []
    with suppress(csv.Error, TypeError, ValueError):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=options.separator, skipinitialspace=True)
        for fields in islice(reader, MOST_LINES):
            kept = [field.strip() for field in fields[:MOST_FIELDS]]
            lines.append([field if 0 < len(field) <= LONGEST_FIELD else None for field in kept])
    found = [_named(line, options.columns) if options.columns else line for line in lines if line]
    return found[0] if len(found) == 1 else found


def _lines(text: str, separator: str) -> list[list[str | None]]:
    lines: list[list[str | None]] = []
    try:
        for fields in csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True):
            if any(map(str.strip, fields)):
                lines.append([_field(each) for each in fields])
            if len(fields) > MOST_FIELDS or len(lines) > MOST_LINES:
                raise Unreadable(Reason.TOO_LARGE, f"more than {MOST_LINES} lines or {MOST_FIELDS} fields")
    except (csv.Error, TypeError, ValueError) as error:  # a separator that csv does not take is a ValueError
        raise Unreadable(Reason.UNREADABLE, str(error)) from None
    if not lines:
        raise Unreadable(Reason.UNREADABLE, "no fields")
    return lines


def _field(text: str) -> str | None:
    field = text.strip()
    if len(field) > LONGEST_FIELD:
        raise Unreadable(Reason.TOO_LARGE, f"a field of more than {LONGEST_FIELD} characters")
    return field or None


def _named(line: list[str | None], columns: list[str]) -> dict[str, str | None]:
    return {name: field for name, field in zip(columns, line, strict=False) if name}
