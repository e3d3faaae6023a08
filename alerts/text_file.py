"""The texts that hold: the shipped ones, and a site's own in the place of single ones.

A file that is wrong costs nobody a message: of a text that cannot be used the shipped one is used, and the
rest of the file holds all the same. Reading the file is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from alerts.text_form import Text, TextFault, read_text
from alerts.text_rules import LANGUAGES, RULES, faults_of
from alerts.toml_table import PolicyError, TomlTable, TomlText

SHIPPED: Final = "texts.toml"
"""The name of the shipped file, which lies beside this one."""
Key = tuple[str, str]
"""The name of a text, and a language."""


@dataclass(frozen=True, slots=True)
class Texts:
    """`shipped` and `own` by name and language; `file` is what the site's own file is called."""

    shipped: Mapping[Key, Text]
    own: Mapping[Key, Text] = field(default_factory=dict)
    file: str = ""

    def find(self, name: str, language: str) -> Text | None:
        """The text of that name: the site's, else the shipped one, else none."""
        return self.own.get((name, language)) or self.shipped.get((name, language))


class ReadTexts(NamedTuple):
    """What a file says. `faults` are what is wrong with it, each with its line; `at` says how a text that is
    used is told of in the same way."""

    texts: Mapping[Key, Text]
    faults: tuple[str, ...]
    at: Mapping[Key, Callable[[str], str]]


@cache
def shipped_texts() -> Texts:
    """The texts of this release, read once from the package. Raises PolicyError where they are wrong."""
    read = read_texts(files("alerts").joinpath(SHIPPED).read_text(encoding="utf-8"), SHIPPED)
    if read.faults:
        raise PolicyError("; ".join(read.faults))
    return Texts(read.texts)


def read_texts(text: str, name: str) -> ReadTexts:
    """The texts of a file; `name` is what faults call it."""
    file = TomlText(name, text)
    found: dict[Key, Text] = {}
    at: dict[Key, Callable[[str], str]] = {}
    faults: list[str] = []
    for key, said, place in _entries(file, faults):
        wrong = _wrong_at(file, place)
        try:
            one = _checked(key, said)
        except TextFault as fault:
            faults.append(wrong(str(fault)))
            continue
        if key in found:
            faults.append(wrong(f"`{key[0]}` stands twice; the first holds"))
            continue
        found[key], at[key] = one, wrong
    return ReadTexts(found, tuple(faults), at)


def _entries(file: TomlText, faults: list[str]) -> Iterator[tuple[Key, object, str]]:
    """What stands in the file by key, and where; what is no entry goes to `faults`."""
    try:
        top = TomlTable(file, "", file.tree())
        if type(top.take("version")) is not int or top.take("version") != 1:
            raise file.wrong("version", "allowed: 1; write version = 1")
        tables = top.tables("text") if top.has("text") else []
    except PolicyError as error:
        faults.append(str(error))
        return
    faults += _strange(top, ("version", "text"))
    for table in tables:
        name = table.take("name")
        if not isinstance(name, str) or name not in RULES:
            faults.append(str(table.wrong("name", _unknown(name))))
            continue
        faults += _strange(table, ("name", *LANGUAGES))
        for language in LANGUAGES:
            if table.has(language):
                yield (name, language), table.take(language), table.key(language)


def _strange(table: TomlTable, allowed: tuple[str, ...]) -> Iterator[str]:
    try:
        table.done(allowed)
    except PolicyError as error:
        yield str(error)


def _unknown(name: object) -> str:
    if not isinstance(name, str):
        return "is missing or no text; gengfu texts list shows all"
    near = ", ".join(get_close_matches(name, RULES, 3))
    return f"`{name}` is no text; " + (f"near: {near}" if near else "gengfu texts list shows all")


def _checked(key: Key, said: object) -> Text:
    rule = RULES[key[0]]
    one = read_text(said, rule.places, sentences=rule.sentences)
    if wrong := list(faults_of(key[0], one)):
        raise TextFault("; ".join(wrong))
    return one


def _wrong_at(file: TomlText, key: str) -> Callable[[str], str]:
    return lambda problem: str(file.wrong(key, problem))
