"""What channels to chat robots share: an address with its secret, and texts that keep a vendor's limit.
Pure.

Nothing here raises: letters that UTF-8 cannot carry (lone surrogates) become `?`.
"""

from __future__ import annotations

from collections.abc import Mapping

_ELLIPSIS = "…"


def whole(text: str) -> str:
    """`text` as UTF-8 can carry it."""
    return text.encode("utf-8", "replace").decode()


def split_secret(address: str) -> tuple[str, str]:
    """The URL, and the secret after its first `#`: empty where there is none. A URL of a robot has no
    fragment of its own."""
    url, _, secret = whole(address).strip().partition("#")
    return url, secret.strip()


def cut_bytes(text: str, most: int) -> str:
    """`text` in at most `most` bytes of UTF-8: cut at a whole character, … where something is missing."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw.decode()
    room = most - len(_ELLIPSIS.encode())
    return raw[:room].decode("utf-8", "ignore") + _ELLIPSIS if room >= 0 else ""


def cut_letters(text: str, most: int) -> str:
    """The same, counted in characters."""
    letters = whole(text)
    return letters if len(letters) <= most else letters[: max(most - 1, 0)] + _ELLIPSIS


def with_link(text: str, link: str, most: int, between: str = "\n") -> str:
    """`text` and `link` in at most `most` bytes: the link whole at the end, unless the text has it already.

    What does not fit is cut from the text. A link that alone is too long is left out.
    """
    if not link or (link in text and len(text.encode("utf-8", "replace")) <= most):
        return cut_bytes(text, most)
    tail = between + whole(link)
    room = most - len(tail.encode())
    if room < 0:
        return cut_bytes(text, most)
    return cut_bytes(text.replace(link, "").rstrip(), room) + tail


def title_of(parts: Mapping[str, str], text: str) -> str:
    """A line to head a message with: severity, what and where; the text's first line where parts lack."""
    told = " ".join(word for word in (parts.get("severity", ""), parts.get("what", "")) if word)
    line = " · ".join(word for word in (told, parts.get("where", "")) if word)
    return whole(" ".join(line.split())) or whole(text.strip().partition("\n")[0])
