"""Whatever one message holds, reading it and looking for its life flags is bounded, counted in steps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.model import Metric
from devices.profiles.compiling.compiled import AnyKey, Blank, Pattern
from devices.profiles.formats.json_text import EXPONENTS_MAX, too_costly
from devices.profiles.general.findings import NAMES_A_STEP, STEPS_MAX, Found, TooMuch
from devices.profiles.general.naming import NAME_LENGTH_MAX, name_of
from devices.profiles.general.rescuing import LOOKED_AT_MAX, TrueFlags
from devices.profiles.general.walk import walk
from devices.profiles.profile import Reason
from tests.devices.profiles.describing import compiled, decode, described, heard

FILE = """
name = "acme"
[[message]]
name = "all"
topics = ["acme/{id}"]
device = ["acme:{id}"]
[message.values]
smoke = "smoke.alarm"
[[message.group]]
each = "{box}.{key}"
name = "{box}/{key}"
names = { "*/power*" = "power.active", "*/smoke" = "smoke.alarm", "*/a*b*c*d" = "voltage" }
"""


def test_a_name_that_is_longer_than_any_device_has_is_nobodys() -> None:
    box = "b" * (NAME_LENGTH_MAX - len("/power"))
    profile = described(FILE)
    assert [one[3] for one in heard(profile, ("acme/1", {box: {"power": 5}}))] == [5.0]
    decoded = decode(profile, ("acme/1", {box + "b": {"power": 5}}))
    assert [one.reason for one in decoded.rejected] == [Reason.NOTHING_KNOWN]


def test_a_long_name_is_not_put_together() -> None:
    class Long(str):
        __slots__ = ()

        def lower(self) -> str:
            raise AssertionError("the name was filled")

    pattern = Pattern((Blank("box", None, ("lower",), 0), "/x"))
    long = "b" * NAME_LENGTH_MAX
    assert name_of(pattern, {"box": long}, lambda _: None) is None
    assert name_of(pattern, {"box": long[:-2]}, lambda _: None) == long[:-2] + "/x"
    with pytest.raises(AssertionError, match="filled"):
        name_of(pattern, {"box": Long("short")}, lambda _: None)


def test_places_that_lead_nowhere_are_counted_too() -> None:
    (kind,) = compiled(FILE).kinds
    assert any(isinstance(step, AnyKey) for step in kind.items[1].each.steps)
    found = Found()
    tree: dict[str, Any] = {f"k{n}": {} for n in range(STEPS_MAX)}
    walk(kind.items, tree, {}, None, found)
    assert found.steps == STEPS_MAX
    tree["more"] = {}
    with pytest.raises(TooMuch, match="steps"):
        walk(kind.items, tree, {}, None, Found())


def test_names_tried_with_patterns_cost_steps_by_the_patterns() -> None:
    names = ",".join(f'"*/n{n}*" = "voltage"' for n in range(4 * NAMES_A_STEP))
    (kind,) = compiled(FILE.replace("names = { ", f"names = {{ {names}, ")).kinds
    found = Found()
    walk(kind.items, {"box": {"zero": 1, "one": 1}}, {}, None, found)
    assert found.steps == 1 + 2 + 2 * 4  # the box, its keys, and what each was tried with


def test_a_message_beyond_its_steps_is_refused_and_its_fire_is_heard() -> None:
    tree: dict[str, Any] = {f"k{n}": {} for n in range(STEPS_MAX + 1)}
    profile = described(FILE)
    decoded = decode(profile, ("acme/1", {"smoke": True, **tree}))
    assert [one.reason for one in decoded.rejected] == [Reason.TOO_LARGE]
    assert decoded.metric.tolist() == [Metric.SMOKE_ALARM]


@pytest.mark.parametrize("key", ["smoke", "box/smoke"])
def test_a_flag_is_looked_for_in_as_many_places_as_a_message_may_have_values(key: str) -> None:
    (kind,) = compiled(FILE).kinds
    flags = TrueFlags(kind, ())
    calm = json.dumps({key: 0})[1:-1] + ","
    last = json.dumps({key: 1})[1:-1]
    within = "{" + calm * (LOOKED_AT_MAX - 1) + last
    beyond = "{" + calm * LOOKED_AT_MAX + last
    assert [one.column.metric for one in flags.true_flags(within.encode(), {})] == [Metric.SMOKE_ALARM]
    assert flags.true_flags(beyond.encode(), {}) == []


def test_one_and_true_and_their_words_are_judged_each_for_itself() -> None:
    text = FILE.replace(
        'smoke = "smoke.alarm"', 'smoke = { metric = "smoke.alarm", true = ["1"], false = ["x"] }'
    )
    (kind,) = compiled(text).kinds
    for fire in ('"1"', "1"):
        found = TrueFlags(kind, ()).true_flags(b'{"smoke": "x", "smoke": 0, "smoke": %s,' % fire.encode(), {})
        assert [one.column.metric for one in found] == [Metric.SMOKE_ALARM]


def test_numbers_that_cost_the_parser_much_are_bounded_and_a_fire_beside_them_is_heard() -> None:
    for number, most in (("1e308", 100), ("4.9e-324", 100), ("1e23", EXPONENTS_MAX)):
        fits = '{"pad":"' + "x" * 1_024 + '","smoke":true,"more":[' + ",".join([number] * most) + "]}"
        assert [one[3] for one in heard(described(FILE), ("acme/1", fits.encode()))] == [1.0]
        beyond = fits.replace("[", f"[{number},")
        decoded = decode(described(FILE), ("acme/1", beyond.encode()))
        assert [one.reason for one in decoded.rejected] == [Reason.TOO_LARGE]
        assert decoded.metric.tolist() == [Metric.SMOKE_ALARM]
    texts = '{"smoke":true,"more":"' + "f1e308" * 9_999 + '"}'
    assert too_costly(texts.encode()) == ""
