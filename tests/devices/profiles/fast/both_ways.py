"""A profile that says all that a file can, heard by form and the general way at once."""

from __future__ import annotations

import json
from typing import Any

from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import TICKS_BETWEEN, WORTH_A_FORM, FastWay
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.language.load import load_profile
from devices.profiles.profile import Decoded
from tests.devices.profiles.listening import Registry

FILE = """
name = "made-up"
tz = "Asia/Shanghai"

[[message]]
name = "hello"
topics = ["m/{id}/data"]
where = { kind = ["hello"] }
device = ["m:{id}"]
values = { power = "power.active" }

[[message]]
name = "data"
topics = ["m/{id}/data", "m/{id}/ch/{n}"]
device = ["m:{.serial|lower}", "m:{id}"]
time = [{ path = "t", format = "s" }, { path = "when" }]
seq = "no"
backfill = { old = [true] }
about = { label = "{.name}" }

[message.values]
smoke = "smoke.alarm"
door = { metric = "device.tamper", true = ["open"], false = ["shut"] }
mask = { metric = "device.fault", bit = 3 }
lit = { metric = "switch", invert = true }
charge = { metric = "charge.total", scale = 1000 }
volts = { metric = "voltage", list_channel = "l{n}" }
temperature = { metric = "temperature", sentinels = [327.67, "none"], low = -40, high = 85 }
percent = { metric = "battery.pct", low = 0, high = 100, null = "skip" }

[message.values.power]
metric = "power.active"
scale = 0.1
sign_from = { path = "flow", negative = ["out"], positive = ["in"] }

[message.values.current]
metric = "current"
unit = "mA"
multiply_by = { path = "ratio" }
channel = "ch{n}"

[[message.group]]
each = "parts.[].{key}"
name = "{key}"
value = "v"
unit = "u"
names = { energy = "energy.import", back = "energy.export" }

[[message]]
name = "there"
topics = ["m/{id}/there"]
format = "text"
device = ["m:{id}"]
presence = { online = ["on"], offline = ["off"] }

[[message]]
name = "single"
topics = ["m/{id}/one/{what}"]
format = "text"
device = ["m:{id}"]

[[message.group]]
name = "{what}"
names = { humidity = "humidity", smoke = "smoke.alarm", level = { metric = "battery.pct", high = 100 } }
"""
WHOLE: dict[str, Any] = {
    "t": 1_790_000_000,
    "no": 5,
    "old": False,
    "serial": "AB1",
    "name": "hall",
    "smoke": False,
    "door": "shut",
    "mask": 8,
    "lit": True,
    "temperature": 21.5,
    "percent": 50,
    "power": 1234,
    "flow": "in",
    "current": 1500,
    "ratio": 2,
    "volts": [230, 231.5],
    "parts": [{"energy": {"v": 5, "u": "kWh"}}],
    "more": {"deep": [1, {"x": None}]},
}
ODD: list[Any] = [
    *(0, 1, -1, -0.0, 8, 2.5, 1e300, 2**53 + 1, 2**63, 2**64, 10**400, 327.67, 1_790_000_000.25, 1e16),
    *(
        None,
        True,
        False,
        "open",
        "shut",
        "out",
        "12.5",
        " 7 ",
        "1_0",
        "nan",
        "none",
        "",
        "電",
        "on",
        "x" * 300,
    ),
    *("2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "kWh", "Wh", "hello", "\ud7ff"),
    *([], {}, [1, "2"], [230, None, True], {"value": 1}, [{"energy": {"v": 1}}], [{}]),
]


def profile(*, fast: bool) -> DescribedProfile:
    file = load_profile(FILE, file="made-up.toml", known={})
    made = DescribedProfile(compile_profile(file, site_tz="Asia/Shanghai", codecs=CODECS), [])
    if not fast:
        made.fast = None
    return made


def packed(tree: Any) -> bytes:
    return tree if isinstance(tree, bytes) else json.dumps(tree, ensure_ascii=False).encode()


def said(decoded: Decoded, places: list[tuple[str, str]]) -> Any:
    """Everything a tick said, comparable; the readings of one message in any order."""
    assert decoded.message.tolist() == sorted(decoded.message.tolist())
    lines = [
        (message, *places[row], metric, value.hex(), quality, observed_us)
        for message, row, metric, value, quality, observed_us in zip(
            decoded.message.tolist(),
            decoded.row.tolist(),
            decoded.metric.tolist(),
            decoded.value.tolist(),
            decoded.quality.tolist(),
            decoded.observed_us.tolist(),
            strict=True,
        )
    ]
    strangers = [
        (one.message, one.uid, one.channel, one.metric, one.value, one.observed_us, one.quality)
        for one in decoded.strangers
    ]
    return sorted(lines), decoded.seq.tolist(), decoded.rejected, strangers


class Both:
    """The same messages to a profile with the fast way, and to one without."""

    def __init__(self, fast: DescribedProfile | None = None, general: DescribedProfile | None = None) -> None:
        self.fast, self.general = fast or profile(fast=True), general or profile(fast=False)
        self.of_fast, self.of_general = Registry(), Registry()

    @property
    def way(self) -> FastWay:
        assert isinstance(self.fast.fast, FastWay)
        return self.fast.fast

    def hear(self, *messages: tuple[str, Any]) -> Decoded:
        topics, payloads = [topic for topic, _ in messages], [packed(one) for _, one in messages]
        decoded = self.fast.decode(topics, payloads, self.of_fast)
        judged = self.general.decode(topics, payloads, self.of_general)
        assert said(decoded, self.of_fast.places) == said(judged, self.of_general.places)
        assert self.way.declined == 0
        return decoded

    def teach(self, *messages: tuple[str, Any]) -> None:
        for message in messages:
            for _ in range(3):
                self.hear(*[message] * WORTH_A_FORM)
            for _ in range(TICKS_BETWEEN):
                self.hear()
            self.hear(message)

    def left(self, *messages: tuple[str, Any]) -> int:
        """How many of the messages the fast way leaves to the general way."""
        topics, payloads = [topic for topic, _ in messages], [packed(one) for _, one in messages]
        sources = self.fast._sources
        rest = self.way.take(sources.recall(topics), payloads, sources, self.of_fast)[1]
        sources.end_tick()
        return len(rest)


DATA = "m/ab1/data"
