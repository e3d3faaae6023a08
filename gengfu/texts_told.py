"""How texts and previews read: lines for people, objects for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alerts.sayings import word
from alerts.text_file import Texts
from alerts.text_form import written
from alerts.text_rules import LANGUAGES, RULES
from gengfu.texts_preview import Preview


def names_in(texts: Texts) -> list[str]:
    """The texts that there are, in the order of their kinds."""
    there = {name for name, _ in (*texts.shipped, *texts.own)}
    return [name for name in RULES if name in there]


def json_of(texts: Texts, name: str) -> Iterator[Mapping[str, Any]]:
    """A text in each language; `file` is the site's, empty for a shipped one."""
    for language in LANGUAGES:
        if (text := texts.find(name, language)) is not None:
            yield {
                "name": name,
                "language": language,
                "file": texts.file if (name, language) in texts.own else "",
                "sentences": written(text),
                "places": list(RULES[name].places),
            }


def text_of(texts: Texts, name: str) -> Iterator[str]:
    """The same for people."""
    places = " ".join(f"{{{place}}}" for place in RULES[name].places)
    yield f"{name}  {places}".rstrip()
    for one in json_of(texts, name):
        by = f" (by {one['file']})" if one["file"] else ""
        yield f"  {one['language']}{by}"
        for sentence in one["sentences"]:
            forms = [sentence] if isinstance(sentence, str) else sentence
            yield from (f"    {'else ' if n else ''}{form}" for n, form in enumerate(forms))


def preview_json(previews: Iterable[Preview]) -> Iterator[Mapping[str, Any]]:
    """An object for each message; of its pieces those without `variable` are fixed by the provider."""
    for one in previews:
        yield {
            "severity": str(one.severity),
            "role": str(one.role),
            "language": one.language,
            "medium": str(one.medium),
            "carrier": str(one.carrier),
            "text": one.reading.text,
            "characters": len(one.reading.text),
            "alphabet": one.length.alphabet,
            "units": one.length.units,
            "sms": one.length.segments,
            "pieces": [
                {"text": piece.text, "variable": piece.variable, "cut": piece.cut}
                for piece in one.reading.pieces
            ],
            "exceeding": list(one.reading.exceeding),
        }


def preview_text(previews: Iterable[Preview]) -> Iterator[str]:
    """The same for people: what a provider's template fixes stands outside « »."""
    for one in previews:
        by = one.carrier or "the text as it is"
        length, count = one.length, len(one.reading.text)
        size = f"{count} characters, {length.segments} SMS ({length.units} of {length.alphabet})"
        yield f"{word(one.role, 'en')}, {one.language}, {word(one.medium, 'en')} by {by}: {size}"
        yield f"  {_marked(one)}".replace("\n", "\n  ")
        if one.reading.exceeding:
            yield f"  cut, too long for its place: {', '.join(one.reading.exceeding)}"


def _marked(one: Preview) -> str:
    if all(piece.variable for piece in one.reading.pieces):
        return one.reading.text
    return "".join(f"«{piece.text}»" if piece.variable else piece.text for piece in one.reading.pieces)
