"""On which line of a TOML text a key stands, for messages to people.

The text is scanned once, in time that grows with its length. TOML that is none is scanned as far as it makes
sense: nothing raises.
"""

from __future__ import annotations

import bisect
import re
import tomllib
from typing import Final

Part = str | int
"""A key, or a position in a list, which counts from 0."""
Parts = tuple[Part, ...]

DEEPEST: Final = 64
"""Levels of nesting, and parts of a dotted key, that are looked into (chosen; the language needs 8). A key of
some 100,000 parts would keep tomllib busy for minutes: its time grows with their square."""

_TOP: Final[Parts] = ()
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_WHERE: Final = re.compile(r'\[([0-9]{1,9})\]|\.?"((?:[^"\\]|\\.)*)"|\.?([^.\[\]"]+)')
_SPACE: Final = re.compile(r"[ \t]*")
# Atomic groups: repeated groups that are possessive match wrongly before Python 3.11.5.
_BETWEEN: Final = re.compile(r"(?>(?:[ \t\r\n]|#[^\n]*)*)")
_TEXT: Final = re.compile(
    r'"""(?>(?:[^"\\]|\\.|"(?!""))*)"{3,5}|'
    r"'''(?>(?:[^']|'(?!''))*)'{3,5}|"
    r'"(?>(?:[^"\\\n]|\\.)*)"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_OTHER: Final = re.compile(r"[^,\]}\n#]*")


def line_of(text: str, where: str) -> int:
    """The line, from 1, of the key that `where` names in `text`: `message[2].values."ENERGY.Power".unit`.

    Where the text does not have the key, the line of the nearest table, list or key around it; 1 if there is
    none.
    """
    return Lines(text).line(parts_of(where))


def parts_of(where: str) -> Parts:
    """The parts of a key path as `key_of` writes it; what makes no sense in it is passed over."""
    return tuple(
        int(one[1]) if one[1] else _unquoted(one[2]) if one[2] is not None else one[3]
        for one in _WHERE.finditer(where)
    )


def key_of(parts: Parts) -> str:
    """A key path as people read it: keys that are not bare in double quotes."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}" for part in parts)
    return text.removeprefix(".")


def _quoted(key: str) -> str:
    if _BARE.fullmatch(key):
        return key
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(key: str) -> str:
    return re.sub(r"\\(.)", r"\1", key)


class Lines:
    """The lines of all keys of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(one.end() for one in re.finditer("\n", text))]
        self._lines: dict[Parts, int] = {}
        self._counts: dict[Parts, int] = {}
        """How many tables each list of tables (`[[…]]`) has so far."""
        self.too_deep = 0
        """The line where nesting goes beyond DEEPEST, and the scan ended; 0: nowhere."""
        try:
            self._scan()
        except _TooDeep as found:
            self.too_deep = self._line_at(found.at)

    def line(self, parts: Parts) -> int:
        """The line of a key, or of the nearest that encloses it."""
        for end in range(len(parts), 0, -1):
            found = self._lines.get(parts[:end])
            if found:
                return found
        return 1

    def _line_at(self, at: int) -> int:
        return bisect.bisect_right(self._starts, at)

    def _note(self, parts: Parts, at: int) -> None:
        self._lines.setdefault(parts, self._line_at(at))

    def _scan(self) -> None:
        """Statement by statement: headers, and keys with their values."""
        at, table = 0, _TOP
        while (at := self._between(at)) < len(self._text):
            if self._text[at] == "[":
                at, table = self._header(at, table)
            else:
                at = self._pair(at, table)
            end = self._text.find("\n", at)
            at = len(self._text) if end < 0 else end

    def _header(self, at: int, before: Parts) -> tuple[int, Parts]:
        """The table that a header opens; `before` where it is none."""
        many = self._text.startswith("[[", at)
        keys, end = self._key(at + 1 + many)
        if not keys:
            return end, before
        table: Parts = ()
        for key in keys[:-1]:
            table = (*table, key)
            self._note(table, at)
            if table in self._counts:
                table = (*table, self._counts[table] - 1)
        table = (*table, keys[-1])
        self._note(table, at)
        if many:
            place = self._counts.get(table, 0)
            self._counts[table] = place + 1
            table = (*table, place)
            self._note(table, at)
        return end, table

    def _pair(self, at: int, table: Parts) -> int:
        """Behind `key = value`, or behind what should have been one."""
        keys, end = self._key(at)
        place = table
        for key in keys:
            place = (*place, key)
            self._note(place, at)
        end = self._space(end)
        if not keys or not self._text.startswith("=", end):
            return end
        return self._value(self._space(end + 1), place)

    def _key(self, at: int) -> tuple[list[str], int]:
        """The parts of a dotted key that begins here, and where it ends."""
        keys: list[str] = []
        while True:
            at = self._space(at)
            found = _BARE.match(self._text, at) or _TEXT.match(self._text, at)
            if not found:
                return keys, at
            if len(keys) >= DEEPEST:
                raise _TooDeep(at)
            keys.append(_read_key(found[0]))
            at = self._space(found.end())
            if not self._text.startswith(".", at):
                return keys, at
            at += 1

    def _value(self, at: int, place: Parts) -> int:
        """Behind a value, having noted all inside it."""
        if len(place) > DEEPEST:
            raise _TooDeep(at)
        start = self._text[at : at + 1]
        if start == "[":
            return self._list(at + 1, place)
        if start == "{":
            return self._inline(at + 1, place)
        found = _TEXT.match(self._text, at) or _OTHER.match(self._text, at)
        return found.end() if found else at

    def _list(self, at: int, place: Parts) -> int:
        number = 0
        while True:
            at = self._between(at)
            if self._text[at : at + 1] in ("", "]"):
                return at + 1
            item = (*place, number)
            self._note(item, at)
            end = self._between(self._value(at, item))
            if not self._text.startswith(",", end):
                return end + 1 if self._text.startswith("]", end) else end
            at, number = end + 1, number + 1

    def _inline(self, at: int, place: Parts) -> int:
        while True:
            at = self._between(at)
            if self._text[at : at + 1] in ("", "}"):
                return at + 1
            end = self._between(self._pair(at, place))
            if not self._text.startswith(",", end):
                return end + 1 if self._text.startswith("}", end) else end
            at = end + 1

    def _space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _between(self, at: int) -> int:
        found = _BETWEEN.match(self._text, at)
        return found.end() if found else at


class _TooDeep(Exception):
    """Ends a scan."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def _read_key(written: str) -> str:
    if written[0] not in "\"'":
        return written
    try:
        key: str = tomllib.loads(f"k={written}")["k"]
    except ValueError:
        return written[1:-1]
    return key
