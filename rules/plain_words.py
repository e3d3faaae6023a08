"""What msgspec says of a value that does not fit a rule file, in words of rule files: what is allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_TYPE: Final = re.compile(r"Expected `(?P<type>[^`]+)`, got `(?P<got>[^`]+)`$")
_REGEX: Final = re.compile(r"Expected `str` matching regex ")
_LENGTH: Final = re.compile(r"Expected `(?P<type>str|array)` of length >= 1$")
_NUMBER: Final = re.compile(r"Expected `\w+` (?P<sign>>=|<=|>|<) (?P<limit>\S+)$")
_KINDS: Final = {
    "str": "a text in quotation marks",
    "bool": "true or false, without quotation marks",
    "int": "a whole number, without quotation marks",
    "array": "a list in square brackets",
    "object": "a table",
    "str | array": "a text, or a list of texts",
}
_GOT: Final = {
    "str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a table", "datetime": "a time", "date": "a date",
}  # fmt: skip
_SIGNS: Final = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
NAME: Final = "a capital letter and up to 7 more capital letters or digits"


def plain(said: str, choices: Sequence[str] = ()) -> str:
    """The sentence for people; `choices` are the words that may stand there, where these are few.

    What msgspec says in any other way is given back as it is.
    """
    if found := _TYPE.match(said):
        allowed = ", ".join(choices) or _KINDS.get(found["type"], found["type"])
        return f"is {_GOT.get(found['got'], found['got'])}; allowed: {allowed}"
    if _REGEX.match(said):
        return f"is no name of a rule; allowed: {NAME}"
    if found := _LENGTH.match(said):
        return f"is empty; allowed: {_KINDS[found['type']]} that is not"
    if found := _NUMBER.match(said):
        return f"allowed: a number {_SIGNS[found['sign']]} {found['limit']}"
    return said
