"""Why the registry refused. The text names the value and what is allowed, and is fit to show as it is.

Errors:
* RegistryError
  * AlreadyThere: a thing with this code, uid or login exists; nothing was changed.
  * NotThere: what was named does not exist (or ended).
  * NotAllowed: a value the registry does not take.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar


class RegistryError(Exception):
    """A refused change or look-up; the caller's transaction holds nothing of it."""


class AlreadyThere(RegistryError):
    """It exists, with the same values or others."""


class NotThere(RegistryError):
    """It does not exist."""


class NotAllowed(RegistryError):
    """The value is outside what the registry takes."""


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


def check_rank(value: int) -> int:
    """An order from 1; raises NotAllowed."""
    if not 1 <= value <= 1000:
        raise NotAllowed(f"rank {value}: 1 (first) to 1000 is allowed")
    return value
