"""A text with places such as `{where}`, taken apart once and filled often: no code, no formats. Pure.

A text is sentences; a sentence is forms, of which the first is taken that has something for each of its
places. Where none has, the sentence falls away. What fills a place is never read as a text.

Errors:
* TextFault: what is no text; it says what is wrong and what is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Final, NamedTuple


class Form(NamedTuple):
    """A text as it is written, and the places in it: nothing but their names stands in its braces."""

    written: str
    places: frozenset[str]


Sentence = tuple[Form, ...]
Text = tuple[Sentence, ...]
MOST_CHARS: Final = 300
"""Of one form (chosen: more than four short messages)."""
MOST_SENTENCES: Final = 12
MOST_FORMS: Final = 4


class TextFault(Exception):
    """What is no text."""


def read_form(text: object, places: Collection[str]) -> Form:
    """The form that `text` says, with places out of `places`. Raises TextFault."""
    if not isinstance(text, str) or not text.strip():
        raise TextFault("is no text or an empty one; allowed: a text in quotes")
    if len(text) > MOST_CHARS or not text.isprintable():
        raise TextFault(
            f"is too long or has control characters; {MOST_CHARS} characters on one line are allowed"
        )
    try:
        pieces = list(Formatter().parse(text))
    except ValueError:
        raise TextFault("has a brace that is not closed or not opened; write {{ and }} for braces") from None
    found = (_place(name, spec, turned, places) for _, name, spec, turned in pieces if name is not None)
    return Form(text, frozenset(found))


def _place(name: str, spec: str | None, turned: str | None, places: Collection[str]) -> str:
    allowed = ", ".join(f"{{{place}}}" for place in places) or "none"
    if name == "link":
        raise TextFault("has the place {link}: the link follows every text by itself, leave it out")
    if spec or turned or name not in places:
        shown = name + (f"!{turned}" if turned else "") + (f":{spec}" if spec else "")
        raise TextFault(f"has the place {{{shown[:40]}}}, which is unknown here; allowed: {allowed}")
    return name


def read_text(said: object, places: Collection[str], *, sentences: bool) -> Text:
    """A list of sentences, each a text or a list of forms; or with `sentences` false one text alone. Raises
    TextFault."""
    if not sentences:
        return ((read_form(said, places),),)
    if not isinstance(said, list) or not 0 < len(said) <= MOST_SENTENCES:
        raise TextFault(f"is no list of sentences; allowed: a list of 1 to {MOST_SENTENCES} texts")
    return tuple(_sentence(one, places) for one in said)


def _sentence(said: object, places: Collection[str]) -> Sentence:
    if not isinstance(said, list):
        return (read_form(said, places),)
    if not 0 < len(said) <= MOST_FORMS:
        raise TextFault(f"has a list of forms that is too long or empty; 1 to {MOST_FORMS} are allowed")
    return tuple(read_form(one, places) for one in said)


def fixed_in(text: Text) -> str:
    """All that is fixed, with a space for each place and between forms."""
    forms = (form for sentence in text for form in sentence)
    return " ".join(fixed for form in forms for fixed, *_ in Formatter().parse(form.written))


def holds(text: Text, place: str, sure: Collection[str]) -> bool:
    """Whether the text says what `place` is filled with whenever there is something: a sentence has it in all
    of its forms, and nothing else in the last one that could be empty. `sure` places never are."""
    return any(
        all(place in form.places for form in sentence) and sentence[-1].places - {place} <= set(sure)
        for sentence in text
    )


def filled(sentence: Sentence, values: Mapping[str, str]) -> str:
    """The first form that is whole; empty where none is."""
    for written, places in sentence:
        for place in places:
            if not values[place]:
                break
        else:
            return written.format_map(values)
    return ""


def phrase(text: Text, values: Mapping[str, str]) -> str:
    """A text of one form, whatever its places hold."""
    return text[0][0].written.format_map(values)


def written(text: Text) -> list[str | list[str]]:
    """The sentences as a file has them."""
    return [
        sentence[0].written if len(sentence) == 1 else [form.written for form in sentence]
        for sentence in text
    ]
