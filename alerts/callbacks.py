"""Where providers post what became of messages: who posts what, how it is read, and what they want to hear.

Nothing that they post is signed. The end of the address is: it is made of a secret of the site and cannot be
guessed, so that whoever does not know it changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from alerts.channels.aliyun_receipts import (
    ALIYUN_THANKS,
    read_aliyun_replies,
    read_aliyun_sms,
    read_aliyun_voice,
)
from alerts.channels.receipts import Posted
from alerts.channels.tencent_receipts import TENCENT_THANKS, read_tencent_sms, read_tencent_voice
from devices.model import Carrier

CALLBACK_PATH: Final = "/callback/"
"""Between the configured address of the answers page and `CARRIER/SECRET`."""
_SECRET_BYTES: Final = 18
"""144 bits: nobody tries them all."""

_BY_TEXT: Final = ("回复1收到 2误报 3求助", "Reply 1 received, 2 false alarm, 3 help")
_BY_KEY: Final = ("按1收到，按2误报，按3求助", "Press 1 received, 2 false alarm, 3 help")
_HOW: Final = {
    Carrier.ALIYUN_SMS: _BY_TEXT,
    Carrier.TENCENT_SMS: _BY_TEXT,
    Carrier.ALIYUN_VOICE: _BY_KEY,
    Carrier.TENCENT_VOICE: _BY_KEY,
}


@dataclass(frozen=True, slots=True)
class Poster:
    """How posts of one provider are read, and the answer without which it posts again."""

    read: Callable[[bytes, int], Posted]
    thanks: bytes


def _read_aliyun_sms(body: bytes, now_us: int) -> Posted:
    """Status reports and replies, which may be sent to one address or to two."""
    reports, replies = read_aliyun_sms(body, now_us), read_aliyun_replies(body, now_us)
    unread = max(reports.unread - len(replies.replies), 0)
    return Posted(reports.receipts, replies.replies, unread)


POSTERS: Final[Mapping[Carrier, Poster]] = MappingProxyType(
    {
        Carrier.ALIYUN_SMS: Poster(_read_aliyun_sms, ALIYUN_THANKS),
        Carrier.ALIYUN_VOICE: Poster(read_aliyun_voice, ALIYUN_THANKS),
        Carrier.TENCENT_SMS: Poster(read_tencent_sms, TENCENT_THANKS),
        Carrier.TENCENT_VOICE: Poster(read_tencent_voice, TENCENT_THANKS),
    }
)


def how_to_answer(carrier: Carrier, language: str) -> str:
    """What people are told of answering by the way they were reached; empty where nothing can be heard."""
    both = _HOW.get(carrier)
    return "" if both is None else both[language != "zh-CN"]


def callback_secret(key: bytes, carrier: Carrier) -> str:
    """The one secret of this carrier's address under `key`."""
    mac = hmac.digest(key, f"gengfu callback|{carrier}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac[:_SECRET_BYTES]).decode()


def callback_url(answers_url: str, key: bytes, carrier: Carrier) -> str:
    """What is entered at the provider."""
    return f"{answers_url.rstrip('/')}{CALLBACK_PATH}{carrier}/{callback_secret(key, carrier)}"


def poster_of(key: bytes, carrier: str, secret: str) -> Carrier | None:
    """Whose address this is; None unless it is one of ours. Compared in constant time."""
    known = Carrier(carrier) if carrier in set(Carrier) else None
    if not key or known is None or known not in POSTERS:
        return None
    genuine = callback_secret(key, known)
    return known if hmac.compare_digest(genuine.encode(), secret.encode("utf-8", "replace")) else None
