"""XML parts of a workbook, read in pieces: constant memory whatever the part holds, and no entities.

openpyxl's reader builds a tree of every row, pads what a row's number promises, and does not tell merged
cells in its read-only mode: a small file could then take all memory, and merged cells would be empty ones.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, Final
from xml.parsers import expat

from devices.sheets.faults import NotReadable

PIECE: Final = 1 << 16
TEXT_MAX: Final = 1 << 20
"""Bytes of text in one element (chosen: a spreadsheet holds at most 32,767 characters in a cell)."""
PENDING_MAX: Final = 4 << 20
"""Bytes the parser may hold back waiting for the end of a tag (chosen)."""


class Part:
    """Handlers of one XML part: local names of elements, text gathered between tags.

    `found` is filled by a subclass and emptied by `elements` after each piece.
    """

    def __init__(self) -> None:
        self.found: list[object] = []
        self.text: list[str] = []
        self.length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends; `self.said()` is the text since the last tag that took it."""

    def said(self) -> str:
        """The text gathered since it was last taken or begun."""
        text = "".join(self.text)
        self.begin_text()
        return text

    def begin_text(self) -> None:
        """Text is gathered anew."""
        self.text.clear()
        self.length = 0

    def gather(self, text: str) -> None:
        """A piece of text; refuses what no cell can hold."""
        self.length += len(text)
        if self.length > TEXT_MAX:
            raise NotReadable(f"cells of at most {TEXT_MAX} characters")
        self.text.append(text)


def elements(source: IO[bytes], part: Part) -> Iterator[object]:
    """What `part` finds in the XML of `source`. Raises NotReadable."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, more: part.start(name.rpartition(" ")[2], more)
    parser.EndElementHandler = lambda name: part.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = part.gather
    parser.StartDoctypeDeclHandler = _refuse_doctype
    fed = 0
    try:
        while piece := source.read(PIECE):
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - max(0, parser.CurrentByteIndex) > PENDING_MAX:
                raise NotReadable("a workbook: a tag in it does not end")
            yield from part.found
            part.found.clear()
        parser.Parse(b"", True)
        yield from part.found
    except expat.ExpatError as error:
        raise NotReadable(f"a workbook: a part of it is damaged ({error})") from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, OverflowError):  # their words quote cells
        raise NotReadable("a workbook: a part of it is damaged") from None


def _refuse_doctype(*_: object) -> None:
    raise NotReadable("a workbook without document types")
