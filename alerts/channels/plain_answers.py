"""What an answer means whose sender has no agreed form: many refuse with HTTP 200 and say so in the body.

Accepted is a 2xx that says nothing against it. Refused are error codes and words under the names that vendors
use, one entry of a list that is refused, and a page for people, which a proxy or a firewall puts in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.channels.http import Reply, short_code
from alerts.channels.refusals import NOT_UNDERSTOOD

_CODES: Final = ("errcode", "code", "Code", "StatusCode", "statusCode", "errno", "ret", "status", "result")
_FLAGS: Final = ("ok", "success", "Success")
_ERRORS: Final = ("error", "errors", "Error")
_GOOD: Final = frozenset(
    {
        "",
        "0",
        "0.0",
        "false",
        "none",
        "ok",
        "success",
        "succeeded",
        "true",
        "accepted",
        "queued",
        "sent",
        "done",
    }
)
"""0 in its spellings, and words for it."""
_LISTED: Final = 50
"""Entries of a list that are looked at."""


def judge(reply: Reply) -> Outcome:
    """What a 2xx means."""
    start = reply.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return Failed(NOT_UNDERSTOOD)
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Accepted()
    entries = answer[:_LISTED] if isinstance(answer, list) else [answer]
    refusals = (_refusal(entry) for entry in entries if isinstance(entry, dict))
    return next(filter(None, refusals), Accepted())


def _refusal(answer: Mapping[str, Any]) -> Failed | None:
    for name in _FLAGS:
        if answer.get(name) is False:
            return Failed(f"{name} false")
    for name in _ERRORS:
        if answer.get(name) and str(answer[name]).strip().lower() not in _GOOD:
            return Failed(f"{name} {short_code(answer[name])}")
    for name in _CODES:
        if name in answer and not _is_good(answer[name]):
            return Failed(f"{name} {short_code(answer[name])}")
    return None


def _is_good(code: object) -> bool:
    """A word or number for success; an HTTP status of success that is repeated in the body too."""
    if isinstance(code, (dict, list)):
        return True  # a result of another kind, not a code
    text = str(code).strip().lower()
    return text in _GOOD or (text.isascii() and text.isdigit() and len(text) == 3 and text.startswith("2"))
