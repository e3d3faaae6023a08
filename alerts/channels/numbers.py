"""Telephone numbers in the forms that vendors dial. Pure.

`devices.addresses.normalise_address` makes the form for comparing; these are the forms for sending.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from alerts.channels.channel import Failed

NO_NUMBER: Final = Failed("the address is no telephone number", permanent=True)
_PUNCTUATION: Final = re.compile(r"[\s\-‐-―().·]+")
_DIGITS: Final = re.compile(r"\+?[0-9]{3,20}")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_SERVICE: Final = re.compile(r"(?:400|800)[0-9]{7}|[0-9]{3,6}")
"""400 and 800 numbers and short ones have no area code and no trunk zero."""


def e164(address: str) -> str:
    """`+` with country code and number (ITU-T E.164); mainland China where none is written.

    Empty for what is no number.
    """
    plain = _PUNCTUATION.sub("", unicodedata.normalize("NFKC", address))
    if not _DIGITS.fullmatch(plain):
        return ""
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if plain.startswith("+"):
        return "+86" + plain[3:].removeprefix("0") if plain.startswith("+86") else plain
    if plain.startswith("86") and _MOBILE.fullmatch(plain[2:]):
        return "+" + plain
    return "+86" + plain.removeprefix("0")


def domestic(address: str) -> str:
    """As dialled inside mainland China: 13900000000, 057112345678, 4001234567; of another country its code
    and number without `+`. Empty for what is no number."""
    number = e164(address)
    if not number.startswith("+86"):
        return number.removeprefix("+")
    rest = number[3:]
    return rest if _MOBILE.fullmatch(rest) or _SERVICE.fullmatch(rest) else "0" + rest
