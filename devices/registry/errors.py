"""Why the registry refused. The text names the value and what is allowed, and is fit to show as it is.

Errors:
* RegistryError
  * AlreadyThere: a thing with this code, uid or login exists; nothing was changed.
  * NotThere: what was named does not exist (or ended).
  * NotAllowed: a value the registry does not take.
  * StillNeeded: somebody would be left without help; `force` does it all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeVar


class RegistryError(Exception):
    """A refused change or look-up; the caller's transaction holds nothing of it."""


class AlreadyThere(RegistryError):
    """It exists, with the same values or others."""


class NotThere(RegistryError):
    """It does not exist."""


class NotAllowed(RegistryError):
    """The value is outside what the registry takes."""


class StillNeeded(RegistryError):
    """Somebody would be left without help; the text says who, and how to do it all the same."""


Word = TypeVar("Word", bound=StrEnum)


def one_of(kind: type[Word], text: str, what: str) -> Word:
    """`text` as a member of `kind`; raises NotAllowed naming all members."""
    try:
        return kind(text)
    except ValueError:
        raise NotAllowed(f"{what} {text!r}: allowed are {', '.join(kind)}") from None


def among(text: str, allowed: Iterable[str], what: str) -> str:
    """`text` if it is one of `allowed`; else raises NotAllowed naming them."""
    known = list(allowed)
    if text not in known:
        raise NotAllowed(f"{what} {text!r}: allowed are {', '.join(known)}")
    return text


def check_words(text: str, longest: int, what: str) -> str:
    """Trimmed text of 1 to `longest` printable characters; raises NotAllowed."""
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= longest or not trimmed.isprintable():
        raise NotAllowed(f"{what} {text!r}: 1 to {longest} printable characters are allowed")
    return trimmed


def check_note(text: str, longest: int, what: str) -> str:
    """Trimmed text of at most `longest` printable characters, also none; raises NotAllowed."""
    trimmed = text.strip()
    if len(trimmed) > longest or not trimmed.isprintable():
        raise NotAllowed(f"{what} {text!r}: at most {longest} printable characters are allowed")
    return trimmed


def check_code(text: str, what: str, longest: int = 64) -> str:
    """A handle: 1 to `longest` printable characters without blanks; raises NotAllowed."""
    if not 1 <= len(text) <= longest or not text.isprintable() or any(c.isspace() for c in text):
        raise NotAllowed(f"{what} {text!r}: 1 to {longest} printable characters without blanks are allowed")
    return text


_CJK: Final = "々〇\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_PERSONAL: Final = re.compile(rf"[{_CJK}]|[0-9]{{7,}}|(?<![0-9])1[3-9](?:[-._·]?[0-9]){{9}}(?![0-9])|@")
"""A name in its own letters; a number that may be somebody's (a landline has 7 digits, a mobile number may be
grouped); an e-mail address."""


def check_handle(text: str, what: str) -> str:
    """A code for a person, as `check_code`, in which no name and no number stands; raises NotAllowed.

    It is kept in clear and stays after the person is erased. Not guaranteed: a name in Latin letters.
    """
    code = check_code(text, what)
    if _PERSONAL.search(unicodedata.normalize("NFKC", code)):
        raise NotAllowed(
            f"{what}: allowed is a handle without personal data, such as gw-3: no CJK letters, no @, and "
            "fewer than 7 digits in a row; it is kept in clear"
        )
    return code


def check_rank(value: int) -> int:
    """An order from 1; raises NotAllowed."""
    if not 1 <= value <= 1000:
        raise NotAllowed(f"rank {value}: 1 (first) to 1000 is allowed")
    return value
