# ruff: noqa: E501 - a table of faults, one in a line
from typing import Any

import pytest

from devices.model import Metric
from devices.profiles.compiling.compiled import AnyAt, Start, Way
from devices.profiles.compiling.whole_file import ProfileFault, compile_profile, seconds_of
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import load_profile

HEAD = """
name = "acme"
[[message]]
name = "state"
topics = ["acme/{id}/state"]
"""


def load(text: str) -> ProfileFile:
    return load_profile(text, file="acme.toml", known={})


def fault(text: str, **more: Any) -> ProfileFault:
    with pytest.raises(ProfileFault) as found:
        compile_profile(load(text), site_tz="Asia/Shanghai", **more)
    return found.value


def test_a_profile_is_compiled() -> None:
    compiled = compile_profile(
        load(
            HEAD
            + """
device = ["acme:{id|lower}"]
time = [{ path = "at", format = "ms" }]
where = { method = ["a", "B"], extra = false }
presence = { path = "lost", offline = [true], online = [false] }
values = { smoke = "smoke.alarm", t = [{ metric = "temperature" }, { metric = "temperature", role = "device" }] }
[[message.group]]
each = "loads[{n}]"
name = "{.k}"
value = "v"
values = { a = { metric = "current", unit = "mA", channel = "ch{n}" } }
names = { "U*" = "voltage", P = { metric = "power.active", unit = "kW" } }
[[object]]
name = "box"
where = { box = true }
max_silence = "25h"
values = { dens = { metric = "smoke.density", unit = "dB/m" } }
"""
        ),
        site_tz="Asia/Shanghai",
    )
    (kind,) = compiled.kinds
    whole, group = kind.items
    assert [column.metric for column in compiled.columns] == [
        Metric.SMOKE_ALARM,
        Metric.TEMPERATURE,
        Metric.TEMPERATURE_DEVICE,
        Metric.CURRENT,
        Metric.VOLTAGE,
        Metric.POWER_ACTIVE,
    ]
    assert [column.number for column in compiled.columns] == list(range(6))
    assert [column.where for column in whole.values] == [
        "message[0].values.smoke",
        "message[0].values.t[0]",
        "message[0].values.t[1]",
    ]
    assert group.each == Way(Start.PAYLOAD, ("loads", AnyAt("n")))
    assert group.exact["P"][0].scale == 1000.0
    assert group.patterns[0][0].match("Ua")
    assert group.values[0].where == "message[0].group[0].values.a"
    assert {choice.there for choice in kind.where} == {None, False}
    assert kind.where[0].words == {"a", "b"}
    assert kind.presence is not None
    assert kind.presence.offline == {"true"}
    assert compiled.objects[0].columns[0].metric is Metric.SMOKE_DENSITY_DBM
    assert compiled.objects[0].max_silence_s == 25 * 3600
    assert [topic.filter for topic in compiled.topics] == ["acme/+/state"]


@pytest.mark.parametrize(
    ("said", "where", "allowed"),
    [
        ('values = { x = "smoke.alarn" }', "message[0].values.x", "smoke.alarm, heat.alarm"),
        ('values = { "a.b" = { metric = "amps" } }', 'message[0].values."a.b".metric', "current"),
        ('values = { x = [{ metric = "current", unit = "mV" }] }', "message[0].values.x[0].unit", "`A`, `mA`"),
        ('values = { x = { metric = "smoke.density", unit = "g" } }', "message[0].values.x.unit", "ppm"),
        ('values = { x = { metric = "smoke.density", unit_path = "u" } }', "message[0].values.x.unit_path", "ppm"),
        ('values = { x = { metric = "voltage", role = "device" } }', "message[0].values.x.role", "temperature"),
        ('values = { x = { metric = "current", true = ["on"] } }', "message[0].values.x.true", "unit, unit_path"),
        ('values = { x = { metric = "switch", unit = "A" } }', "message[0].values.x.unit", "true, false"),
        ('values = { x = { metric = "switch", true = ["ON"], false = ["on"] } }', "message[0].values.x.false", "one of"),
        ('values = { x = { metric = "switch", true = ["b"], sentinels = ["B"] } }', "message[0].values.x.sentinels", "`b`"),
        ('values = { x = { metric = "smoke.alarm", sentinels = [1] } }', "message[0].values.x.sentinels", "life"),
        ('values = { x = { metric = "smoke.alarm", needs = ["y"] } }', "message[0].values.x.needs", "fire"),
        ('values = { x = { metric = "switch", bit = 1, nonzero = true } }', "message[0].values.x.bit", "allowed"),
        ('values = { x = { metric = "switch", const = 2 } }', "message[0].values.x.const", "true and false"),
        ('values = { x = { metric = "current", const = true } }', "message[0].values.x.const", "finite"),
        ('values = { x = { metric = "current", const = 1, sentinels = [1] } }', "message[0].values.x.sentinels", "const"),
        ('values = { x = { metric = "current", default = nan } }', "message[0].values.x.default", "finite"),
        ('values = { x = { metric = "current", scale = 0 } }', "message[0].values.x.scale", "not 0"),
        ('values = { x = { metric = "current", low = 2, high = 1 } }', "message[0].values.x.low", "high"),
        ('values = { x = { metric = "current", unit = "A", unit_path = "u" } }', "message[0].values.x.unit_path", "one of"),
        ('values = { x = { metric = "temperature", unit = "F", multiply_by = { path = "y" } } }', "message[0].values.x.unit", "offset"),
        ('values = { x = { metric = "current", quality = ["estimated", "fault"] } }', "message[0].values.x.quality[1]", "estimated, stale"),
        ('values = { x = { metric = "current", channel = "ch{n}" } }', "message[0].values.x.channel", "bound here: id"),
        ('values = { x = { metric = "current", list_channel = "ch" } }', "message[0].values.x.list_channel", "ch{n}"),
        ('values = { x = { metric = "current", when = {} } }', "message[0].values.x.when", "has, any"),
        ('values = { x = { metric = "current", sign_from = { path = "y", negative = ["a"], positive = ["A"] } } }', "message[0].values.x.sign_from", "differ"),
        ('values = { x = { metric = "current", multiply_by = { path = "y..z" } } }', "message[0].values.x.multiply_by.path", "empty"),
        ("values = { x = [] }", "message[0].values.x", "metric"),
        ('values = { "x{k}" = "current" }', 'message[0].values."x{k}"', "backquotes"),
        ('values = { x = { metric = "current", time = [{ path = "t", format = "unix" }] } }', "message[0].values.x.time[0].format", "`ms`"),
        ('time = [{ path = "t", tz = "Mars" }]\nvalues = { x = "current" }', "message[0].time[0].tz", "Asia/Shanghai"),
        ('time = [{ path = "t", format = "%d" }]\nvalues = { x = "current" }', "message[0].time[0].format", "%Y"),
        ('time = [{ path = "t", format = "%Y %Y" }]\nvalues = { x = "current" }', "message[0].time[0].format", "%Y"),
        ('time = [{ path = "t", earliest = "soon" }]\nvalues = { x = "current" }', "message[0].time[0].earliest", "iso"),
        ('device = ["a:{name}"]\nvalues = { x = "current" }', "message[0].device[0]", "bound here: id"),
        ('device = ["a:{id|upper}"]\nvalues = { x = "current" }', "message[0].device[0]", "lower, hex"),
        ('where = { a = [] }\nvalues = { x = "current" }', "message[0].where.a", "true (any)"),
        ('format = "text"\nwhere = { a = true }\nvalues = { "$" = "current" }', "message[0].where.a", "`$`"),
        ('format = "none"\nwhere = { a = true }', "message[0].where", "none"),
        ('columns = ["a"]\nvalues = { x = "current" }', "message[0].columns", "csv"),
        ("", "message[0].values", "format `none`"),
        ("presence = {}", "message[0].presence", "online"),
        ('presence = { online = [1], offline = ["1"] }', "message[0].presence.offline", "online"),
        ('presence = { online = [1], always = "online" }', "message[0].presence.always", "path"),
        ('codec = { name = "nix", path = "data" }', "message[0].codec.name", "ug65"),
        ('reply = { topic = "{id}/ok", payload = "{" }', "message[0].reply.payload", "`{{`"),
        ('learns = { each = "[]", alias = "{.a}", device = "{b}" }', "message[0].learns.device", "bound here: id"),
        ('[[message.group]]\neach = "a"', "message[0].group[0]", "values, names or units"),
        ('[[message.group]]\nnames = { a = "current" }', "message[0].group[0].name", "{key}"),
        ('[[message.group]]\nunits = { A = "current" }', "message[0].group[0].unit", "path"),
        ('[[message.group]]\nunit = "u"\nunits = { V = "current" }', "message[0].group[0].units.V", "`A`"),
        ('[[message]]\nname = "b"\ntopics = ["a/{x:(a+)+}"]', "message[0].values", "missing"),
        ('values = { x = "current" }\n[[message]]\nname = "b"\ntopics = ["q", "a/{x:(a+)+}"]\nformat = "none"', "message[1].topics[1]", "repetitions"),
        ('values = { x = "current" }\n[[message]]\nname = "state"\ntopics = ["q"]\nformat = "none"', "message[1].name", "state"),
        ('values = { x = "current" }\n[[message]]\nname = "b"\ntopics = ["acme/{id}/state"]\nformat = "none"', "message[1].topics[0]", "where"),
        ('values = { x = "current" }\n[[object]]\nname = "b"\nwhere = {}\nvalues = { x = "current" }', "object[0].where", "condition"),
        ('values = { x = "current" }\n[[object]]\nname = "b"\nwhere = { a = true }', "object[0].values", "something"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place_and_what_is_allowed(
    said: str, where: str, allowed: str
) -> None:
    found = fault(HEAD + said, codecs={"ug65"})
    assert found.where == where
    assert allowed in found.problem


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('name = "acme"', ""),
        ('tz = "Mars"\n' + HEAD.strip() + '\nvalues = { x = "current" }', "tz"),
        ('device = ["a:{nobody}"]\n' + HEAD.strip() + '\nvalues = { x = "current" }', "device[0]"),
        ('name = "acme"\n[[message]]\nname = "a"\nformat = "none"', "message[0].topics"),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole_is_named(text: str, where: str) -> None:
    assert fault(text).where == where


def test_kinds_of_one_topic_are_told_apart_by_where() -> None:
    two = HEAD + 'where = { a = true }\nvalues = { x = "current" }\n'
    two += '[[message]]\nname = "rest"\ntopics = ["acme/{id}/state"]\nvalues = { y = "current" }'
    assert [kind.name for kind in compile_profile(load(two), site_tz="UTC").kinds] == ["state", "rest"]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("", 0), ("90s", 90), ("2min", 120), ("25h", 90_000), ("2d", 172_800)]
)
def test_durations_are_read(duration: str, seconds: float) -> None:
    assert seconds_of(duration) == seconds
