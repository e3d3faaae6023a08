"""Made-up vendors: profiles with all that a file can say, and their messages."""

from __future__ import annotations

METER = """
name = "acme"
[[message]]
name = "report"
topics = ["acme/{serial}/report", "{site}/acme-{serial:[0-9]+}"]
where = { kind = ["report"] }
device = ["acme:{.id|lower}", "acme:{serial}"]
seq = "n"
seq_default = 0
time = [{ path = "at", format = "ms" }, { path = "late", format = "s" }]
[message.values]
smoke = "smoke.alarm"
"mains.u" = "voltage"
amps = { metric = "current", list_channel = "ch{n}", sentinels = [6553.5] }
power.metric = "power.active"
power.sign_from = { path = "flow", negative = ["out"], positive = ["in"], remember = true }
raw = { metric = "current.residual", unit = "mA", multiply_by = { path = "k", remember = true } }
battery = { metric = "battery.pct", null = "skip" }
tamper = { metric = "device.tamper", default = false, when = { has = ["battery"] } }
moved = { metric = "device.alarm", const = true, hold_s = 60 }
hot = { metric = "temperature", needs = ["probe"] }
[[message.group]]
each = "phases.{phase}"
backfill = "old"
values = { u = { metric = "voltage", channel = "{phase}" } }
[[message.group]]
each = "list[{n}]"
name = "{.name}"
value = "v"
unit = "u"
label = "{.text}"
names = { "leak" = "current.residual", "t*" = { metric = "temperature", channel = "{.name}" } }
units = { "Hz" = "frequency" }

[[message]]
name = "hello"
topics = ["acme/{serial}/report"]
where = { kind = ["hello"] }
device = ["acme:{serial}"]
about = { model = "{.model}", firmware = "{.fw}" }
reply = { topic = "acme/{serial}/answer", payload = '{{"ack":{.n}}}' }

[[message]]
name = "word"
topics = ["acme/{serial}/smoke"]
format = "text"
device = ["acme:{serial}"]
values = { "" = { metric = "smoke.alarm", true = ["FIRE"], false = ["calm"] } }

[[message]]
name = "ignored"
topics = ["acme/{serial}/log"]
format = "none"
"""

TOPIC = "acme/7/report"


def report(**said: object) -> tuple[str, dict[str, object]]:
    return TOPIC, {"kind": "report", **said}


GATEWAY = """
name = "gate"
[[message]]
name = "batch"
topics = ["gate/{gate}/up"]
device = ["gate:{gate}"]
backfill = { old = [true] }
replayed = { cached = true }
[[message.group]]
each = "of.{name}[]"
device = ["gate:{gate}-{name}"]
time = [{ path = "ts", format = "s" }]
values = { smoke = "smoke.alarm", t = "temperature" }
"""

CARRIER = """
name = "carrier"
[[message]]
name = "up"
topics = ["lora/{eui}/up"]
device = ["lorawan:{eui|hex}"]
object = "object"
values = { rssi = "link.rssi" }
"""

VENDOR = """
name = "vendor"
[[object]]
name = "head"
where = { fire = true }
values = { fire = { metric = "smoke.alarm", true = ["yes"], false = ["no"] } }
about = { vendor = "Acme" }
max_silence = "25h"
"""
