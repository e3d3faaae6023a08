"""What came back: receipts of messages, keys pressed, and replies, whoever the vendor was. Pure.

Vendors post again what was not answered with 200, so that every receipt and reply may come twice: its `key`
is the same then.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.case import Act
from devices.model import Carrier

_LONGEST: Final = 300


class ReceiptState(StrEnum):
    """How far a message got. `answered`: somebody or something picked the telephone up."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    READ = "read"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message. `receipt` is the `Accepted.receipt` of its sending, `own_id` our id where
    the vendor sends it back (`accounts.own_id` of the key), `keys` the keys pressed in a call, `detail` the
    vendor's code. `address_hint` is the number in clear: never log it."""

    carrier: Carrier
    receipt: str
    state: ReceiptState
    at_us: int
    detail: str = ""
    keys: str = ""
    own_id: str = ""
    address_hint: str = field(default="", repr=False)

    @property
    def act(self) -> Act | None:
        """What the first key pressed means; None for no key or another."""
        return _ACTS.get(self.keys[:1])

    @property
    def key(self) -> str:
        """The same for the same receipt posted again."""
        return _digest(self.carrier, self.receipt, self.state, self.detail, self.keys)


@dataclass(frozen=True, slots=True)
class SmsReply:
    """A text that a person sent back. `act` None: a note. `address` is in clear: never log it."""

    carrier: Carrier
    address: str = field(repr=False)
    text: str
    act: Act | None
    at_us: int
    vendor_id: str = ""

    @property
    def key(self) -> str:
        """The same for the same reply posted again."""
        if self.vendor_id:
            return _digest(self.carrier, self.vendor_id)
        return _digest(self.carrier, self.address, self.text, str(self.at_us))


@dataclass(frozen=True, slots=True)
class Posted:
    """What was in one post or answer. `unread` counts entries that are none of the vendor's shapes."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[SmsReply, ...] = ()
    unread: int = 0


_ACTS: Final = {"1": Act.ACKNOWLEDGE, "2": Act.FALSE_ALARM, "3": Act.NEED_HELP}
_WORDS: Final = {
    Act.ACKNOWLEDGE: frozenset({"收到", "已收到", "知道了", "确认", "ok", "acknowledge", "acknowledged"}),
    Act.FALSE_ALARM: frozenset({"误报", "是误报", "false", "falsealarm"}),
    Act.NEED_HELP: frozenset({"求助", "需要帮助", "救命", "help", "needhelp"}),
}
"""What may follow a digit or stand alone: the words of the question, and near ones. Other words make it a
note, so that "1号楼没事" is not taken for an answer."""
_DIGIT: Final = re.compile(r"([123])(.*)", re.DOTALL)


def act_of(text: str) -> Act | None:
    """1 acknowledge, 2 false alarm, 3 need help, full-width too, alone or with the word that belongs to it,
    or that word alone; None for all else."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).lower()
    plain = "".join(letter for letter in plain if unicodedata.category(letter)[0] in "LN")
    match = _DIGIT.fullmatch(plain)
    if match is None:
        return next((act for act, words in _WORDS.items() if plain in words), None)
    act = _ACTS[match[1]]
    return act if not match[2] or match[2] in _WORDS[act] else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
