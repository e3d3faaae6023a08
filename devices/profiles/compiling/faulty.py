"""Where in a profile file something is wrong, and how its texts are compiled with that place at hand.

Errors:
* ProfileFault: names the place and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from devices.profiles.compiling.compiled import Choice, Pattern, Way, Word, word_of
from devices.profiles.language.lines import Part, Parts, key_of
from devices.profiles.language.meaning import When, Words
from devices.profiles.language.paths import path_of
from devices.profiles.language.templates import blanks, template_of

T = TypeVar("T")


class ProfileFault(Exception):
    """Something in a profile file that means nothing.

    `where` is the key's place, `message[0].values."ENERGY.Power"[1].unit`; `problem` says what is allowed.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem


class Place:
    """A place in a profile file. `names` are those that templates may use there; None: whatever they are."""

    __slots__ = ("names", "parts")

    def __init__(self, parts: Parts, names: frozenset[str] | None = None) -> None:
        self.parts = parts
        self.names = names

    def __str__(self) -> str:
        return key_of(self.parts)

    def at(self, *parts: Part) -> Place:
        """A place below."""
        return Place((*self.parts, *parts), self.names)

    def with_names(self, names: Iterable[str]) -> Place:
        """The same place, where templates may use further names."""
        return Place(self.parts, None if self.names is None else self.names.union(names))

    def fault(self, problem: str) -> ProfileFault:
        """What is wrong here."""
        return ProfileFault(str(self), problem)

    def read(self, make: Callable[[], T]) -> T:
        """What `make` makes; a ValueError of it is a fault here."""
        try:
            return make()
        except ValueError as error:
            raise self.fault(str(error)) from None

    def way(self, text: str, *, wild: bool = False) -> Way:
        """The way of a path that stands here."""
        return self.read(lambda: path_of(text, wild=wild))

    def way_if(self, text: str) -> Way | None:
        """The same; None for empty text."""
        return self.way(text) if text else None

    def ways(self, texts: Iterable[str]) -> tuple[Way, ...]:
        """The ways of a list of paths."""
        return tuple(self.at(n).way(text) for n, text in enumerate(texts))

    def pattern(self, text: str) -> Pattern:
        """The pattern of a template that stands here, whose names are bound."""
        pattern = self.read(lambda: template_of(text))
        for blank in blanks(pattern):
            if blank.way is None and self.names is not None and blank.name not in self.names:
                bound = ", ".join(sorted(self.names)) or "none"
                raise self.fault(f"`{text}`: nothing binds `{blank.name}`; bound here: {bound}")
        return pattern

    def pattern_if(self, text: str) -> Pattern | None:
        """The same; None for empty text."""
        return self.pattern(text) if text else None

    def patterns(self, texts: Iterable[str]) -> tuple[Pattern, ...]:
        """The patterns of a list of templates."""
        return tuple(self.at(n).pattern(text) for n, text in enumerate(texts))

    def words(self, words: Words) -> frozenset[Word]:
        """Words as they are compared."""
        return frozenset(word_of(word) for word in words)

    def choices(self, said: dict[str, Words | bool]) -> tuple[Choice, ...]:
        """The conditions of a table of paths and words."""
        return tuple(self.at(path)._choice(path, words) for path, words in said.items())

    def _choice(self, path: str, words: Words | bool) -> Choice:
        if isinstance(words, bool):
            return Choice(self.way(path), frozenset(), words)
        if not words:
            raise self.fault("no words; a list of values, true (any) or false (none) is allowed")
        return Choice(self.way(path), self.words(words), None)

    def when(self, when: When | None) -> tuple[tuple[Way, ...], tuple[Way, ...], tuple[Way, ...]]:
        """The ways of `has`, `any` and `lacks`."""
        if when is None:
            return (), (), ()
        if not (when.has or when.any or when.lacks):
            raise self.fault("says nothing; has, any and lacks are allowed")
        return (
            self.at("has").ways(when.has),
            self.at("any").ways(when.any),
            self.at("lacks").ways(when.lacks),
        )
