"""What the load generator's messages look like: every layout of every kind, with the places of its numbers.

A form is a topic and a payload with marks: `<device>` (7 digits), `<at>` (13), `<seq>` (10), and runs of at
most four `#`, digits that change with every message. The rest stands as it is: keys in several orders, with
and without blanks, numbers of several lengths, whole and with a fraction, negative, flags, null, keys that
nobody knows.

A device has a shape for good: its series, its key order, its optional keys. A message of it has one of the
shape's variants, by its sequence number: how many digits, which optional values, which flag. So a stream has
no constant length, and a device no more series than a real one.

Nothing here is an alarm: smoke, tamper, test and battery_low are false, currents stay far below any rating.
In the smoke kind `linkquality` differs from one message of a device to its next, whatever their variants.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from devices.model import Int64
from simulators.mix import BARE, FIXED, KINDS, OWN, SMOKE, SMOKE_PREFIX, Mix, kinds_of

_OWN_TOPIC: Final = "gengfu/load-<device>/readings"
_SMOKE_TOPIC: Final = f"zigbee2mqtt/0x{SMOKE_PREFIX}<device>"

_SPACED: Final = (
    '{"at": <at>, "seq": <seq>, "values": {"temperature.ambient": %s}, "channels": {"l1": '
    '{"current": %s, "current.residual": %s, "power.active": %s}}}'
)
_COMPACT: Final = (
    '{"seq":<seq>,"at":<at>,"fw":"1.14.2","channels":{"ch1":{"voltage":%s,"current":%s}},'
    '"values":{"temperature":%s,"link.rssi":%s}}'
)
_SWITCHED: Final = (
    '{"at":<at>,"seq":<seq>,"values":{"switch":%s},"channels":{"l1":'
    '{"current":%s,"power.factor":%s,"frequency":%s}}}'
)
_ROOM: Final = '{"at":<at>,"seq":<seq>,"values":{"temperature":%s,"humidity":%s%s}}'
_LINE: Final = '{"seq": <seq>, "at": <at>, "values": {"current": %s, "voltage": %s%s}}'
_DETECTOR: Final = (
    '{"linkquality":1##,"battery":%s,"battery_low":false,"smoke":false,"tamper":false%s,"test":false}'
)
_VERSIONS: Final = '{"installed_version":16777241,"latest_version":%s,"state":"%s"}'
_UPDATED: Final = (
    '{"battery":100,"battery_low":false,"linkquality":9#,"smoke":false,"tamper":false,"update":%s%s}'
)
_SMALL: Final = '{"smoke": false, "linkquality": 2#%s}'

_TEXTS: Final[dict[str, list[list[tuple[int, str]]]]] = {
    FIXED: [[(4, _SPACED % ("23.4375", "2.34####", "0.00421875", "523.140625"))]],
    OWN: [
        [
            (4, _SPACED % ("23.4#", "2.3####", "0.004####", "523.1####")),
            (4, _SPACED % ("23.####", "2.3", "0.00#", "52#")),
            (4, _SPACED % ("2#", "2.####", "0.0", "5##.#")),
            (4, _SPACED % ("21.##", "14.##", "0.0042##", "3###.25")),
        ],
        [
            (4, _COMPACT % ("229.#", "11.##", "31.#", "-7#")),
            (4, _COMPACT % ("23#", "9.#", "30", "-10#")),
            (4, _COMPACT % ("228.###", "0.####", "-4.#", "-6#")),
            (4, _COMPACT % ("230.0#", "10.####", "0.5#", "-9")),
        ],
        [
            (4, _SWITCHED % ("true", "0.3##", "0.9#", "50.0#")),
            (4, _SWITCHED % ("false", "0", "1", "49.9###")),
            (4, _SWITCHED % ("true", "12.####", "0.####", "50")),
            (4, _SWITCHED % ("true", "1#", "-0.9#", "49.#")),
        ],
    ],
    BARE: [
        [
            (2, _ROOM % ("2#.#", "5#.##", "")),
            (3, _ROOM % ("2#.####", "4#", ',"battery.pct":9#')),
            (2, _ROOM % ("-1.#", "60.####", "")),
            (3, _ROOM % ("1#", "55.#", ',"battery.pct":87.5')),
        ],
        [
            (2, _LINE % ("1.##", "23#", "")),
            (3, _LINE % ("0.0####", "229.##", ', "power.external": true')),
            (2, _LINE % ("13.####", "231.####", ', "model": "gm-2"')),
            (3, _LINE % ("7", "230.#", ', "power.external": true')),
        ],
    ],
    SMOKE: [
        [
            (7, _DETECTOR % ("9#", ',"temperature":2#.#')),
            (6, _DETECTOR % ("100", "")),
            (7, _DETECTOR % ("8#.5", ',"temperature":19.##')),
            (6, _DETECTOR % ("null", ',"temperature":-3.#')),
        ],
        [
            (6, _UPDATED % (_VERSIONS % ("16777241", "idle"), ',"voltage":3#00')),
            (6, _UPDATED % (_VERSIONS % ("16777258", "available"), ',"voltage":29##')),
            (5, _UPDATED % (_VERSIONS % ("null", "idle"), "")),
        ],
        [
            (3, _SMALL % ',"battery":7#'),
            (4, _SMALL % ',"battery":66.5,"temperature":22.##'),
            (3, _SMALL % ',"battery":100,"device":{"friendlyName":"kitchen","model":"HS1SA"}'),
        ],
    ],
}
"""Per kind its shapes, per shape its variants, each with the points that a decoder must find in it."""


@dataclass(frozen=True, slots=True)
class Form:
    """One layout. `points` readings come of each message of it."""

    kind: str
    topic: str
    payload: str
    points: int


FORMS: Final = tuple(
    Form(kind, _SMOKE_TOPIC if kind == SMOKE else _OWN_TOPIC, payload, points)
    for kind in KINDS
    for shape in _TEXTS[kind]
    for points, payload in shape
)
"""All forms; a form's number is its place here."""
POINTS: Final = np.array([form.points for form in FORMS], np.int64)
"""Points by form."""
_SHAPES: Final = max(len(shapes) for shapes in _TEXTS.values())


@cache
def _tables() -> tuple[Int64, Int64, Int64]:
    """Shapes by kind; and by kind * _SHAPES + shape the first form and how many variants there are."""
    first, variants = np.zeros((2, len(KINDS) * _SHAPES), np.int64)
    number = 0
    for kind, name in enumerate(KINDS):
        for shape, texts in enumerate(_TEXTS[name]):
            place = kind * _SHAPES + shape
            first[place], variants[place] = number, len(texts)
            number += len(texts)
    return np.array([len(_TEXTS[name]) for name in KINDS]), first, variants


def forms_of(devices: Int64, seqs: Int64, mix: Mix) -> Int64:
    """The forms' numbers of these messages: the kind and the shape by the device, the variant by both.

    The factors only scatter (Knuth's multiplicative hash); nothing overflows for a million devices and ten
    digits of sequence numbers.
    """
    shapes, first, variants = _tables()
    kind = kinds_of(devices, mix)
    scattered = devices * 2_654_435_761
    place = kind * np.int64(_SHAPES) + (scattered >> 20) % shapes.take(kind)
    forms: Int64 = ((scattered + seqs * 40_503) >> 13) % variants.take(place)
    forms += first.take(place)
    return forms
