"""What is wrong with a file, all of it at once, in words for whoever made the file.

Errors:
* RegistryError
  * NotReadable: a file, or its rest from some line on, cannot be read; becomes a fault of that line.
  * FaultsFound: the file holds what the registry does not take; nothing was changed.
  * RegistryMoved: others kept changing the registry while the import was prepared; nothing was changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.registry.errors import RegistryError

SHOWN_MAX: Final = 1000
"""Faults kept to be shown; the others are counted (chosen: nobody mends more in one go)."""
VALUE_MAX: Final = 60
"""Characters of a value that are shown (chosen)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell, row or file that is refused. `line` counts from 1 as a person sees it in the file; 0: all of
    it. `value` holds no personal data in clear."""

    file: str
    line: int
    column: str
    value: str
    allowed: str

    def text(self) -> str:
        """One line for people."""
        where = [self.file, *([f"line {self.line}"] if self.line else []), *filter(None, [self.column])]
        value = f" {self.value!r}" if self.value else ""
        return f"{', '.join(where)}:{value}{':' if value else ''} {self.allowed}"


class NotReadable(RegistryError):
    """What cannot be read at `line` (0: at all); the text is what is allowed."""

    def __init__(self, allowed: str, line: int = 0) -> None:
        super().__init__(allowed)
        self.line = line


class FaultsFound(RegistryError):
    """The faults in order of file and line, at most SHOWN_MAX of them, and how many there are in all."""

    def __init__(self, faults: list[Fault], total: int) -> None:
        super().__init__("\n".join([*(fault.text() for fault in faults), *more(total - len(faults))]))
        self.faults = faults
        self.total = total


def more(left: int) -> list[str]:
    """The line that says how many are not shown; none where all are."""
    return [f"and {left} more"] if left > 0 else []


class RegistryMoved(RegistryError):
    """The registry changed between reading and writing, again and again."""


class Faults:
    """Gathers faults; keeps the first SHOWN_MAX and counts all."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[Fault] = []
        self._files: dict[str, int] = {}

    def add(self, file: str, line: int, column: str, value: str, allowed: str) -> None:
        """One more; the value is cut and made printable here."""
        self.total += 1
        self._files.setdefault(file, len(self._files))
        if len(self._kept) < SHOWN_MAX:
            self._kept.append(Fault(file, line, column, printable(value), allowed))

    def raise_any(self) -> None:
        """Raises FaultsFound if there is any."""
        if self.total:
            kept = sorted(self._kept, key=lambda fault: (self._files[fault.file], fault.line))
            raise FaultsFound(kept, self.total)


def printable(value: str) -> str:
    """The value in one short line: what does not print becomes ?, what is too long is cut."""
    short = value[: VALUE_MAX + 1]
    shown = "".join(letter if letter.isprintable() else "?" for letter in short)
    return shown if len(shown) <= VALUE_MAX else shown[:VALUE_MAX] + "…"
