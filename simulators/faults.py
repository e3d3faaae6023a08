"""Bad input of every kind that the wire has brought, with what must become of it. Values, for tests and demo.

What is right is not always one thing: a number of 400 digits may be refused or be a reading without a value.
So each input lists the refusals that are right (in the words of dead letters) and, apart from that, the
quality that its reading must carry where the message is accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.formats import own_topic, smoke_topic

NOT_JSON: Final = "not_json"
NOT_UTF8: Final = "not_utf8"
WRONG_TYPE: Final = "wrong_type"
NOTHING_KNOWN: Final = "nothing_known"
TOO_LARGE: Final = "too_large"
UNKNOWN_TOPIC: Final = "unknown_topic"
UNKNOWN_DEVICE: Final = "unknown_device"

IN_1970_MS: Final = 86_400_000
IN_2099_MS: Final = 4_070_908_800_000
DEEP: Final = 20_000
"""Brackets inside brackets: beyond the depth of any sane parser's stack."""


@dataclass(frozen=True, slots=True)
class BadInput:
    """One bad message and what may become of it.

    `refusals` are the right reasons to refuse it. `quality` is the flag its readings must carry when it is
    accepted: None where accepting is wrong, empty where the rest of the message is sound.
    """

    name: str
    topic: str
    payload: bytes
    refusals: tuple[str, ...]
    quality: str | None = None

    def allows(self, refusal: str, qualities: Collection[str]) -> bool:
        """Whether a service did right that refused it as `refusal` or, where that is empty, stored a reading
        with these quality flags."""
        if refusal:
            return refusal in self.refusals
        return self.quality is not None and (not self.quality or self.quality in qualities)


def bad_inputs(monitor: str, detector: str, at_ms: int, max_payload_bytes: int) -> list[BadInput]:
    """All of them. `monitor` and `detector` are native ids of registered devices (own format and
    zigbee2mqtt), `at_ms` a sane time; one payload is a byte larger than `max_payload_bytes`."""
    own, smoke = own_topic(monitor), smoke_topic(detector)
    return [
        *_broken_json(own, smoke),
        *_broken_text(own, smoke),
        *_wrong_types(own, smoke, at_ms),
        *_wrong_numbers(own, at_ms),
        *_wrong_clocks(own),
        *_wrong_places(own, at_ms),
        BadInput("oversize", own, _oversize(at_ms, max_payload_bytes + 1), (TOO_LARGE,)),
    ]


def garbage_topics(count: int, seed: int) -> Iterator[BadInput]:
    """`count` messages, each on a topic of its own, under prefixes that a service subscribes to.

    Half of them look like devices that nobody registered, half like nothing at all.
    """
    rng = np.random.default_rng(seed)
    for index in range(count):
        word = f"{int(rng.integers(2**40)):010x}{index:07d}"
        if index % 2:
            yield BadInput("garbage device", own_topic(word), b'{"at":1,"seq":1,"values":{}}', _STRANGE)
        else:
            yield BadInput("garbage topic", f"{smoke_topic(word)}/x/y", b"{}", _STRANGE)


_STRANGE: Final = (UNKNOWN_DEVICE, UNKNOWN_TOPIC, NOTHING_KNOWN)


def _broken_json(own: str, smoke: str) -> list[BadInput]:
    nested = b"[" * DEEP + b"]" * DEEP
    return [
        BadInput("empty payload", own, b"", (NOT_JSON,)),
        BadInput("cut off", own, b'{"at": 17', (NOT_JSON,)),
        BadInput("cut off state", smoke, b'{"smoke":tr', (NOT_JSON,)),
        BadInput("two objects", own, b"{}{}", (NOT_JSON,)),
        BadInput("plain words", smoke, b"online", (NOT_JSON,)),
        BadInput("single quotes", own, b"{'at': 1}", (NOT_JSON,)),
        BadInput("binary", own, bytes(range(1, 64)), (NOT_JSON,)),
        BadInput("deep nesting", own, b'{"values":' + nested + b"}", (NOT_JSON, WRONG_TYPE)),
        BadInput("deep array", smoke, nested, (NOT_JSON, WRONG_TYPE)),
    ]


def _broken_text(own: str, smoke: str) -> list[BadInput]:
    return [
        BadInput("lone surrogate byte", own, b'{"at":1,"seq":1,"values":{"\xed\xa0\x80":1}}', _TEXT),
        BadInput("latin-1", smoke, '{"action":"geprüft"}'.encode("latin-1"), _TEXT),
        BadInput("not text at all", smoke, b"\xff\xfe\xfd", _TEXT),
    ]


_TEXT: Final = (NOT_UTF8, NOT_JSON)


def _wrong_types(own: str, smoke: str, at_ms: int) -> list[BadInput]:
    def report(body: str) -> bytes:
        return f'{{"at":{at_ms},"seq":1,{body}}}'.encode()

    return [
        BadInput("array for an object", own, b"[1,2,3]", (WRONG_TYPE,)),
        BadInput("number for an object", smoke, b"42", (WRONG_TYPE,)),
        BadInput("null", own, b"null", (WRONG_TYPE,)),
        BadInput("values is a list", own, report('"values":[1]'), (WRONG_TYPE,)),
        BadInput("time in words", own, _IN_WORDS, (WRONG_TYPE,), "clock_invalid"),
        BadInput("text for a number", own, report('"values":{"current":"much"}'), (), "type_mismatch"),
        BadInput("object for a number", own, report('"values":{"current":{}}'), (), "type_mismatch"),
        BadInput("text for a flag", smoke, b'{"smoke":"perhaps"}', (), "type_mismatch"),
        BadInput("nothing known", own, report('"values":{"mood":1}'), (NOTHING_KNOWN,)),
        BadInput("nothing known in a state", smoke, b'{"color":"red"}', (NOTHING_KNOWN,)),
    ]


_IN_WORDS: Final = b'{"at":"yesterday","seq":1,"values":{"current":1.5}}'


def _wrong_numbers(own: str, at_ms: int) -> list[BadInput]:
    """JSON has neither NaN nor Infinity, though careless firmware prints them."""

    def report(value: str) -> bytes:
        return f'{{"at":{at_ms},"seq":1,"values":{{"current":{value}}}}}'.encode()

    huge_seq = f'{{"at":{at_ms},"seq":{10**40},"values":{{"current":1}}}}'.encode()
    return [
        BadInput("NaN literal", own, report("NaN"), (NOT_JSON,)),
        BadInput("Infinity literal", own, report("Infinity"), (NOT_JSON,)),
        BadInput("minus Infinity literal", own, report("-Infinity"), (NOT_JSON,)),
        BadInput("number beyond doubles", own, report("1e999"), _NUMBER, "type_mismatch"),
        BadInput("integer of 400 digits", own, report("9" * 400), _NUMBER, "type_mismatch"),
        BadInput("sequence of 41 digits", own, huge_seq, _NUMBER, ""),
    ]


_NUMBER: Final = (NOT_JSON, WRONG_TYPE)


def _wrong_clocks(own: str) -> list[BadInput]:
    def report(at_ms: int) -> bytes:
        return f'{{"at":{at_ms},"seq":1,"values":{{"current":1.5}}}}'.encode()

    return [
        BadInput("clock in 1970", own, report(IN_1970_MS), (), "clock_invalid"),
        BadInput("clock at zero", own, report(0), (), "clock_invalid"),
        BadInput("clock before 1970", own, report(-1), (), "clock_invalid"),
        BadInput("clock in 2099", own, report(IN_2099_MS), (), "clock_invalid"),
    ]


def _wrong_places(own: str, at_ms: int) -> list[BadInput]:
    good = f'{{"at":{at_ms},"seq":1,"values":{{"current":1.5}}}}'.encode()
    return [
        BadInput("unknown device", own_topic("gm-stranger"), good, (UNKNOWN_DEVICE,)),
        BadInput(
            "unknown detector", smoke_topic("0x0267660000000000"), b'{"smoke":false}', (UNKNOWN_DEVICE,)
        ),
        BadInput("unknown topic", f"{own}/more", good, (UNKNOWN_TOPIC,)),
    ]


def _oversize(at_ms: int, size: int) -> bytes:
    """A sound report of exactly `size` bytes, most of them blank."""
    head, tail = f'{{"at":{at_ms},"seq":1,'.encode(), b'"values":{"current":1.5}}'
    return head + b" " * (size - len(head) - len(tail)) + tail
