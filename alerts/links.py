"""Links for one contact and one incident: they cannot be guessed, altered or turned to another incident.

A token is `<incident>-<contact>-<mac>`, the mac 128 bits of HMAC-SHA256 in URL-safe base64. The link of a
summary (`alerts.rollup`) is of another kind, `s<message>-<mac>`: it is for the one contact and the incidents
that this message told of, and opens a list of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

LINK_PATH: Final = "/a/"
"""Between the configured address of the answers page and a link's token."""
OPEN_AFTER_CLOSE_US: Final = 24 * 3600 * 1_000_000
"""A link ends 24 h after close (life_safety, links and answers)."""
_MAC_BYTES: Final = 16
_SHAPE: Final = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-[A-Za-z0-9_-]{22}", re.ASCII)
_SUMMARY: Final = re.compile(r"s([1-9][0-9]{0,17})-[A-Za-z0-9_-]{22}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine token stands for."""

    incident_id: int
    contact_id: int


def link_token(key: bytes, incident_id: int, contact_id: int) -> str:
    """The one token for this contact and incident under `key`."""
    mac = _mac(key, f"gengfu link|{incident_id}|{contact_id}")
    return f"{incident_id}-{contact_id}-{mac}"


def read_link(key: bytes, token: str) -> Link | None:
    """What `token` stands for; None unless it is what `link_token` made. Compared in constant time."""
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        return None
    link = Link(int(shape[1]), int(shape[2]))
    genuine = link_token(key, link.incident_id, link.contact_id)
    return link if hmac.compare_digest(genuine.encode(), token.encode()) else None


def summary_token(key: bytes, notification_id: int) -> str:
    """The one token for this summary under `key`."""
    return f"s{notification_id}-{_mac(key, f'gengfu summary|{notification_id}')}"


def read_summary(key: bytes, token: str) -> int | None:
    """The number of the summary that `token` stands for; None unless it is what `summary_token` made.
    Compared in constant time."""
    shape = _SUMMARY.fullmatch(token)
    if shape is None:
        return None
    genuine = summary_token(key, int(shape[1]))
    return int(shape[1]) if hmac.compare_digest(genuine.encode(), token.encode()) else None


def _mac(key: bytes, said: str) -> str:
    mac = hmac.new(key, said.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:_MAC_BYTES]).rstrip(b"=").decode()


def link_url(answers_url: str, token: str) -> str:
    """What people tap; empty where no page is configured."""
    return f"{answers_url.rstrip('/')}{LINK_PATH}{token}" if answers_url else ""


def link_open(closed_us: int | None, now_us: int) -> bool:
    """Whether links of an incident closed at `closed_us` (None: still open) still show and take anything."""
    return closed_us is None or now_us < closed_us + OPEN_AFTER_CLOSE_US
