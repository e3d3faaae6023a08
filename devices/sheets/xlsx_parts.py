"""The parts of a workbook beside its sheets: which sheets there are, shared strings, formats of numbers."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import IO, Any, Final, cast
from zlib import error as ZlibError

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from devices.sheets.faults import NotReadable
from devices.sheets.xml_parts import Part, elements

UNPACKED_MAX: Final = 1 << 30
"""Bytes of all parts of a workbook together (chosen: 100,000 devices with people need 200 MB)."""
STRINGS_MAX: Final = 192 << 20
"""Bytes of the shared strings, the one part that is held in memory (chosen)."""
SHEETS_MAX: Final = 64
_PLAIN_FORMATS: Final = frozenset({"General", "0", "@", "general", "GENERAL"})
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_RELATION: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_STRICT_RELATION: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships id"


def unescaped(text: str) -> str:
    """Text of a workbook with `_x000A_` as the character it stands for (ECMA-376, ST_Xstring)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Strings(Part):
    """Shared strings, one per `si`, without the readings written above characters (`rPh`)."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._aside = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self._aside += 1
        self.begin_text()

    def end(self, name: str) -> None:
        if name == "t" and not self._aside:
            self._parts.append(self.said())
        elif name == "rPh":
            self._aside -= 1
        elif name == "si":
            self.found.append(unescaped("".join(self._parts)))
            self._parts.clear()
        self.begin_text()


class _Attributes(Part):
    """The attributes of all elements with one of some names, with the element they lie in."""

    def __init__(self, *wanted: str) -> None:
        super().__init__()
        self._wanted = wanted
        self._within: list[str] = [""]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._wanted:
            self.found.append((name, self._within[-1], attributes))
        self._within.append(name)
        self.begin_text()

    def end(self, name: str) -> None:
        self._within.pop()
        self.begin_text()


class Workbook:
    """A workbook's archive, checked against bounds before anything is unpacked. Raises NotReadable."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        listed = archive.infolist()
        if sum(one.file_size for one in listed) > UNPACKED_MAX:
            raise NotReadable(f"a workbook of at most {UNPACKED_MAX >> 20} MiB when unpacked")
        if any(one.flag_bits & 1 for one in listed):
            raise NotReadable("a workbook without password")
        self._sizes = {one.filename: one.file_size for one in listed}
        book = self._attributes("xl/workbook.xml", "sheet", "workbookPr")
        links = self._attributes("xl/_rels/workbook.xml.rels", "Relationship")
        targets = {said["Id"]: said for _, _, said in links}
        self.epoch = WINDOWS_EPOCH
        self.sheets: dict[str, str] = {}
        for name, _, said in book:
            if name == "workbookPr":
                self.epoch = MAC_EPOCH if said.get("date1904") in {"1", "true"} else WINDOWS_EPOCH
                continue
            link = targets.get(said.get(_RELATION) or said.get(_STRICT_RELATION) or "", {})
            if link.get("Type", "").endswith("/worksheet"):
                self.sheets[said["name"]] = _path(link["Target"])
        if not self.sheets or len(self.sheets) > SHEETS_MAX:
            raise NotReadable(f"a workbook of 1 to {SHEETS_MAX} sheets")
        self.formats = self._formats(self._linked(links, "/styles"))
        self.strings = self._strings(self._linked(links, "/sharedStrings"))

    def open(self, path: str) -> IO[bytes]:
        """The part at `path` unpacked, as it is read. Raises NotReadable."""
        try:
            return self._archive.open(path)
        except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            raise NotReadable(f"a workbook with the part {path}") from None

    def _linked(self, links: list[Any], kind: str) -> str:
        targets = (said["Target"] for _, _, said in links if said.get("Type", "").endswith(kind))
        return _path(next(targets, ""))

    def _attributes(self, path: str, *wanted: str) -> list[tuple[str, str, dict[str, str]]]:
        if self._sizes.get(path, 0) > 8 << 20:
            raise NotReadable(f"a workbook whose part {path} has at most 8 MiB")
        with self.open(path) as source:
            return cast("list[tuple[str, str, dict[str, str]]]", list(elements(source, _Attributes(*wanted))))

    def _strings(self, path: str) -> list[str]:
        if path not in self._sizes:
            return []
        if self._sizes[path] > STRINGS_MAX:
            raise NotReadable(f"a workbook with at most {STRINGS_MAX >> 20} MiB of shared strings")
        with self.open(path) as source:
            return cast("list[str]", list(elements(source, _Strings())))

    def _formats(self, path: str) -> list[str]:
        """For each cell style: `plain` (digits as they are), `date` or `other`."""
        if path not in self._sizes:
            return []
        styles = self._attributes(path, "numFmt", "xf")
        codes = dict(BUILTIN_FORMATS) | {
            int(said["numFmtId"]): said["formatCode"] for name, _, said in styles if name == "numFmt"
        }
        return [
            _kind(codes.get(int(said.get("numFmtId", "0")), "General"))
            for name, within, said in styles
            if name == "xf" and within == "cellXfs"
        ]


def _kind(code: str) -> str:
    if code in _PLAIN_FORMATS:
        return "plain"
    return "date" if is_date_format(code) else "other"


def _path(target: str) -> str:
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/") if target else ""


def open_workbook(file: IO[bytes]) -> Workbook:
    """The workbook in an open file. Raises NotReadable."""
    head = file.read(8)
    file.seek(0)
    if head[:4] == b"\xd0\xcf\x11\xe0":
        raise NotReadable(
            "an .xlsx workbook: this is an old .xls or has a password; save it as .xlsx without"
        )
    try:
        return Workbook(zipfile.ZipFile(file))
    except (zipfile.BadZipFile, ZlibError, EOFError, OSError):
        raise NotReadable("an .xlsx workbook: this is none, or it is damaged; save it as .xlsx") from None
    except (KeyError, ValueError, IndexError):
        raise NotReadable("an .xlsx workbook: parts of this one make no sense; save it anew") from None
