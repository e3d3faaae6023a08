"""Names and numbers inside longer text: a provider's answer, a note somebody wrote. Pure.

`devices.addresses` says how one address is compared and masked; here it is looked for among other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devices.addresses import mask

_BETWEEN: Final = r"[\s\-‐-―().·]?"
"""What people put between digits, at most one at each place."""
_URL: Final = r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>]+"
_EMAIL: Final = r"[^\s\"'<>:/?&=@,;]+@[^\s\"'<>/?&=@,;]+\.[^\s\"'<>/?&=@,;]+"
_NUMBER: Final = rf"(?<![0-9A-Za-z])\+?[0-9](?:{_BETWEEN}[0-9]){{6,}}(?![0-9A-Za-z])"
_ADDRESSES: Final = re.compile(f"{_URL}|{_EMAIL}|{_NUMBER}")
_LEAST_NAME: Final = 2
"""A name of one letter would hide half of every sentence."""
_LEAST_DIGITS: Final = 7
"""A Chinese landline without its area code; shorter numbers are flats, codes and amounts."""
HIDDEN: Final = "**"


def mask_within(text: str) -> str:
    """`text` with every URL, e-mail address and run of 7 or more digits masked.

    For words of providers, which may repeat where they sent to. Some of what it hides is no address, such as
    a long number of an error; nothing that is one is meant to pass.
    """
    return _ADDRESSES.sub(lambda found: mask(found[0]), text)


@dataclass(frozen=True, slots=True)
class Traces:
    """How one person may stand in text: finds the name and the addresses, however the digits are grouped."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, names: Iterable[str], addresses: Iterable[str]) -> Traces:
        """What to look for. Names of one letter are not: they would be found everywhere."""
        parts = {re.escape(name) for name in names if len(name) >= _LEAST_NAME}
        for address in addresses:
            parts |= _forms(address)
        longest_first = sorted(parts, key=lambda part: (-len(part), part))
        return cls(re.compile("|".join(longest_first)) if parts else None)

    def hidden_in(self, text: str) -> str:
        """`text` with every trace replaced by `**`; the same text where there is none."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text


def _forms(address: str) -> set[str]:
    """The address itself, the e-mail addresses in it, and its numbers with anything between the digits."""
    forms = {re.escape(address), *(re.escape(one) for one in re.findall(_EMAIL, address))}
    for digits in re.findall(rf"[0-9]{{{_LEAST_DIGITS},}}", re.sub(_BETWEEN[:-1], "", address)):
        forms.add(rf"(?<![0-9])(?:\+?86{_BETWEEN})?{_BETWEEN.join(_domestic(digits))}(?![0-9])")
    return forms


def _domestic(digits: str) -> str:
    """Without the country's code, which is looked for on its own."""
    return re.sub(r"^(?:00)?86(?=1[0-9]{10}$)", "", digits)
