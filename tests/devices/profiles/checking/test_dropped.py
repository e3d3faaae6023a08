"""Why a value that the profile knows became no reading, in words."""

from __future__ import annotations

from devices.profiles.checking.explain import explain
from devices.profiles.checking.explained import explained
from tests.devices.profiles.describing import described, octets

FILE = """
name = "acme"
[[message]]
name = "all"
topics = ["acme/{id}"]
device = ["acme:{id}"]
[message.values]
v = { metric = "voltage", when = { has = ["mains"] } }
w = { metric = "power.active", when = { lacks = ["error"] } }
b = { metric = "battery.pct", null = "skip", unit = "%" }
a = { metric = "current", unit = "A" }
s = "smoke.alarm"
[[message.group]]
each = "items[]"
device = ["acme:{.id}"]
name = "{.kind}"
value = "value"
when = { has = ["value"] }
names = { temp = "temperature" }
"""
SAID = {
    "v": 230,
    "w": 5,
    "error": 1,
    "b": None,
    "a": "3 kA",
    "s": "perhaps",
    "items": [
        {"id": "1", "kind": "light", "value": 1},
        {"kind": "temp"},
        {"id": "a+", "kind": "temp", "value": 2},
    ],
}


def lines(said: object) -> list[str]:
    profile, other = described(FILE), described(FILE.replace('"acme"', '"twin"', 1))
    return list(explained(explain("acme/1", octets(said), profile, [profile, other])))


def test_each_value_that_was_dropped_says_why() -> None:
    found = lines(SAID)
    for line in (
        "  no reading of v = 230: its `when` does not hold: `mains` is missing",
        "  no reading of w = 5: its `when` does not hold: `error` is there",
        '  no reading of b = null: null says nothing here: `null = "skip"`',
        '    from a = "3 kA"; the unit `kA` stands in the text; no value: the file says another '
        "unit than `kA`",
        '    from s = "perhaps"; any number but 0 is true; no value: smoke.alarm is a flag, '
        "and this is none that the profile knows",
    ):
        assert line in found
    assert any(line.endswith(": `names` has no `light`") for line in found)
    assert any(line.endswith(": the group's `when` does not hold: `value` is missing") for line in found)
    assert any(
        line.endswith("no device is called 'acme:a+': `+` and `#` are wildcards of MQTT") for line in found
    )


def test_it_says_whose_topics_fit_and_who_is_asked() -> None:
    found = lines(SAID)
    assert found[1] == "  the topic fits the profiles acme, twin: the first is asked"
    assert "  not profile twin: its topic fits too, but acme is asked before" in found
