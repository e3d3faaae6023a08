"""A TOML file of alerts taken key by key: every error names file, line, the key with its path, and what is
allowed.

Errors:
* PolicyError: the text is not TOML, or something in it is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rules.quantity import parse_span

FILE_BYTES: Final = 1 << 16
"""Of a policies file: the shipped one is a tenth of it (chosen)."""
MOST_TABLES: Final = 200
"""In one list (chosen: a policy of each severity in forty areas)."""


class PolicyError(Exception):
    """The policies file cannot be used; the text says where and what is allowed."""


@dataclass(frozen=True, slots=True)
class TomlText:
    """The text of a policies file, and what errors call it."""

    name: str
    text: str

    def tree(self) -> dict[str, Any]:
        """The file as TOML has it."""
        if len(self.text.encode("utf-8", "surrogatepass")) > FILE_BYTES:
            raise PolicyError(f"{self.name}: is too long: {FILE_BYTES} bytes are allowed")
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise PolicyError(f"{self.name}: not TOML: {error}") from None
        except (RecursionError, ValueError) as error:  # tables or numbers that no policy has
            raise PolicyError(f"{self.name}: not TOML: {type(error).__name__}") from None

    def wrong(self, key: str, problem: str) -> PolicyError:
        """An error at a key such as `policy[1].step[0].after`."""
        line = self._line(key)
        return PolicyError(f"{self.name}{f', line {line}' if line else ''}: key `{key}`: {problem}")

    def _line(self, key: str) -> int:
        """The line of the key, else of the table it stands in; 0 where that cannot be found."""
        lines = self.text.splitlines()
        found, start = 0, 0
        path = re.findall(r"([^.\[\]]+)(?:\[(\d+)\])?", key)
        if not any(number for _, number in path):
            return _plain_line(lines, [word for word, _ in path])
        for n, (word, number) in enumerate(path):
            end = len(lines)
            if number:
                dotted = ".".join(re.escape(part) for part, _ in path[: n + 1])
                heads = [i for i in range(start, end) if re.match(rf"\s*\[\[\s*{dotted}\s*\]\]", lines[i])]
                if int(number) >= len(heads):
                    return found
                start = heads[int(number)]
                found = start + 1
            else:
                start = start if n == 0 else start + 1
                stop = next((i for i in range(start, end) if n and re.match(r"\s*\[", lines[i])), end)
                said = rf"\s*(?:[\"']?){re.escape(word)}(?:[\"']?)\s*=|\s*\[+\s*{re.escape(word)}\s*\]"
                return next((i + 1 for i in range(start, stop) if re.match(said, lines[i])), found)
        return found


def _plain_line(lines: Sequence[str], path: Sequence[str]) -> int:
    """The line of a key in plain tables, else of the innermost table there is; 0 for none."""
    for depth in range(len(path), -1, -1):
        head = r"\s*\.\s*".join(rf"[\"']?{re.escape(word)}[\"']?" for word in path[:depth])
        start = next((i for i, line in enumerate(lines) if re.match(rf"\s*\[+\s*{head}\s*\]", line)), -1)
        if depth and start < 0:
            continue
        if depth == len(path):
            return start + 1
        end = next((i for i in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[i])), len(lines))
        said = rf"\s*[\"']?{re.escape(path[depth])}[\"']?\s*="
        return next((i + 1 for i in range(start + 1, end) if re.match(said, lines[i])), start + 1)
    return 0


class TomlTable:
    """A table of the file that knows its path: its keys are taken one by one."""

    def __init__(self, file: TomlText, at: str, value: object) -> None:
        if not isinstance(value, dict):
            raise file.wrong(at, f"is {_kind_of(value)}; allowed: a table")
        self.file = file
        self.at = at
        self._values = value

    def key(self, name: str) -> str:
        """The path of a key of this table."""
        return f"{self.at}.{name}" if self.at else name

    def has(self, name: str) -> bool:
        """Whether the key stands there."""
        return name in self._values

    def take(self, name: str) -> object:
        """Its value as TOML has it; None where it is missing."""
        return self._values.get(name)

    def wrong(self, name: str, problem: str) -> PolicyError:
        """An error at a key of this table."""
        return self.file.wrong(self.key(name), problem)

    def done(self, allowed: Sequence[str]) -> None:
        """Refuses every other key."""
        for name in self._values:
            if name not in allowed:
                raise self.wrong(name, f"is unknown; allowed here: {', '.join(allowed)}")

    def table(self, name: str) -> TomlTable:
        """The table under a key; an empty one where it is missing."""
        return TomlTable(self.file, self.key(name), self._values.get(name, {}))

    def tables(self, name: str) -> list[TomlTable]:
        """The tables of a list, of which there may be none."""
        values = self.take(name)
        if not isinstance(values, list):
            what = f"is {_kind_of(values)}" if name in self._values else "is missing"
            key = re.sub(r"\[[^]]*\]", "", self.key(name))
            raise self.wrong(name, f"{what}; allowed: [[{key}]] tables")
        if len(values) > MOST_TABLES:
            raise self.wrong(name, f"are too many; {MOST_TABLES} are allowed")
        return [TomlTable(self.file, f"{self.key(name)}[{n}]", one) for n, one in enumerate(values)]

    def word(self, name: str, allowed: Sequence[str]) -> str:
        """One of the words allowed."""
        value = self.take(name)
        if isinstance(value, str) and value in allowed:
            return value
        said = f"`{value}` is unknown" if isinstance(value, str) else f"is {_kind_of(value)}"
        said = said if self.has(name) else "is missing"
        raise self.wrong(name, f"{said}; allowed: {', '.join(allowed)}")

    def words(self, name: str, allowed: Sequence[str], *, empty: bool = False) -> tuple[str, ...]:
        """Some of the words allowed, each once."""
        values = self.take(name)
        listed = f"allowed: a list of {', '.join(allowed)}"
        if not isinstance(values, list):
            said = f"is {_kind_of(values)}" if self.has(name) else "is missing"
            raise self.wrong(name, f"{said}; {listed}")
        if not all(isinstance(one, str) for one in values):
            raise self.wrong(name, f"holds what is no text; {listed}")
        if not (values or empty):
            raise self.wrong(name, f"is empty; {listed}")
        for one in values:
            if one not in allowed:
                raise self.wrong(name, f"`{one}` is unknown; {listed}")
        if len(set(values)) < len(values):
            raise self.wrong(name, f"says the same twice; {listed}, each once")
        return tuple(values)

    def span_s(self, name: str, least_s: float, most_s: float) -> float:
        """A time in seconds."""
        if not self.has(name):
            raise self.wrong(name, 'is missing; allowed: a time such as "60 s" or "5 min"')
        try:
            seconds = parse_span(self.take(name)) / 1_000_000
        except ValueError as error:
            raise self.wrong(name, f"{error}") from None
        if not least_s <= seconds <= most_s:
            raise self.wrong(name, f"`{self.take(name)}`: {least_s:g} s to {most_s / 86_400:g} d are allowed")
        return seconds

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, f"is {_kind_of(value)}; allowed: true, false")
        return value

    def text(self, name: str, longest: int) -> str:
        """A text; empty where it is missing."""
        value = self._values.get(name, "")
        if not isinstance(value, str) or len(value) > longest:
            raise self.wrong(name, f"is {_kind_of(value)}; allowed: a text of up to {longest} characters")
        return value


def _kind_of(value: object) -> str:
    kinds = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    kinds |= {dict: "a table", type(None): "nothing"}
    return kinds.get(type(value), "a time")
