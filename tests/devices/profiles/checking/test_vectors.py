from __future__ import annotations

import pytest

from devices.profiles.checking.vectors import Shown, matched, run_vectors
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.language.file import Expected
from devices.profiles.language.load import load_profile

PROFILE = """\
name = "acme"
device = ["acme:{id}"]

[[message]]
name = "state"
topics = ["acme/{id}/state"]
time = [{ path = "t", format = "s" }]
values.smoke = "smoke.alarm"
values.a = { metric = "current", channel = "l1", unit = "mA", sentinels = [65535] }
values.b = { metric = "current", channel = "l2" }
about.label = "{.name}"

[message.values.p]
metric = "power.active"
sign_from = { path = "way", negative = ["out"], positive = ["in"], remember = true }

[[test]]
name = "one"
topic = "acme/1/state"
"""
STATE = """payload = '{"t": 1767225600, "smoke": 1, "a": 1500, "b": 2, "name": "hall"}'\n"""


def discords(test: str) -> list[tuple[str, str]]:
    profile = load_profile(PROFILE + test, file="acme.toml", known={})
    compiled = compile_profile(profile, site_tz="Asia/Shanghai")
    [outcome] = run_vectors(profile, lambda: DescribedProfile(compiled, ()))
    return [(one.where, one.problem) for one in outcome.discords]


def expecting(*lines: str) -> str:
    return f"{STATE}expect = [\n" + "".join(f"{{ {line} }},\n" for line in lines) + "]\n"


WHOLE = (
    'metric = "current", channel = "l2", value = 2.0000000001, unit = "A"',
    'metric = "smoke.alarm", value = true, device = "acme:1", observed_at = "2026-01-01T08:00:00+08:00"',
    'metric = "current", value = 1.5',
    'metric = "label", value = "hall"',
)


def test_readings_may_be_expected_in_any_order_and_with_as_little_as_one_cares_to_say() -> None:
    assert discords(expecting(*WHOLE)) == []


@pytest.mark.parametrize(
    ("wrong", "where", "problem"),
    [
        ('metric = "smoke.alarm", value = false', "test[0].expect[1]", "got acme:1 smoke.alarm = true at"),
        ('metric = "smoke.alarm", value = true, device = "acme:2"', "test[0].expect[1]", "got acme:1"),
        (
            'metric = "smoke.alarm", value = true, observed_at = "2026-01-01T08:00:01+08:00"',
            "test[0].expect[1]",
            "expected smoke.alarm = true at 2026-01-01T08:00:01+08:00, got acme:1 smoke.alarm = true at",
        ),
        ('metric = "smoke.alarm", quality = ["sentinel"]', "test[0].expect[1]", "nothing (sentinel), got"),
        ('metric = "voltage", value = 230, unit = "V"', "test[0].expect[1]", "not found: voltage = 230 V"),
        (
            'metric = "smoke.alarm", value = true, observed_at = "soon"',
            "test[0].expect[1].observed_at",
            "not a time with its zone, such as 2026-01-01T08:00:00Z",
        ),
    ],
)
def test_what_differs_is_named_with_its_place(wrong: str, where: str, problem: str) -> None:
    found = discords(expecting(WHOLE[0], wrong, *WHOLE[2:]))
    assert found[0][0] == where
    assert problem in found[0][1]


def test_a_reading_that_nobody_expected_is_a_fault_unless_the_vector_shows_a_part_only() -> None:
    test = expecting(*WHOLE[1:])
    assert discords(test) == [
        ("test[0]", "not expected: acme:1 current l2 = 2 A at 2026-01-01T00:00:00.000Z")
    ]
    assert discords(test + "partly = true\n") == []


def test_a_value_left_out_and_flags_not_named_mean_none() -> None:
    payload = """payload = '{"a": 65535}'\n"""
    right = 'metric = "current", channel = "l1", quality = ["sentinel"]'
    assert discords(f"{payload}expect = [{{ {right} }}]\n") == []
    flagless = right.removesuffix(', quality = ["sentinel"]')
    assert len(discords(f"{payload}expect = [{{ {flagless} }}]\n")) == 1


def test_a_refusal_is_expected_by_its_reason() -> None:
    assert discords("payload = '{'\nrejected = \"not_json\"\n") == []
    assert discords(f'{STATE}rejected = "not_json"\npartly = true\n') == [
        ("test[0].rejected", "expected to be refused, got no refusal")
    ]
    [(where, problem)] = discords("payload = '{'\n")
    assert (where, problem.startswith("refused: not_json (")) == ("test[0]", True)
    [(where, problem)] = discords("payload = '{'\nrejected = \"bad\"\n")
    assert (where, problem.startswith("no such reason; there are not_json,")) == ("test[0].rejected", True)


def test_messages_before_leave_what_is_remembered_and_are_not_looked_at() -> None:
    test = """\
payload = '{"p": 5}'
before = [{ topic = "acme/1/state", payload = '{"p": 1, "way": "out", "smoke": 1}' }]
expect = [{ metric = "power.active", value = -5 }]
"""
    assert discords(test) == []
    assert discords(test.replace('"way": "out"', '"way": "in"')) != []


def test_octets_are_given_as_hexadecimal_digits_and_a_retained_message_is_flagged() -> None:
    octets = b'{"b": 3}'.hex(" ")
    test = f'hex = "{octets}"\nretain = true\n'
    expect = 'expect = [{ metric = "current", value = 3, quality = ["retained"] }]\n'
    assert discords(test + expect) == []
    assert discords('hex = "1"\n') == [("test[0]", "hex: not hexadecimal digits in pairs")]
    assert discords(f'hex = "{octets}"\npayload = "x"\n') == [("test[0]", "payload and hex are both given")]
    assert discords('payload = "{}"\nbefore = [{ topik = "a" }]\n') == [
        ("test[0].before[0].topik", "unknown key; allowed are topic, payload, hex")
    ]


def shown(channel: str) -> Shown:
    return Shown("d", "current", "current", "", channel, 1.0, "A", 0, frozenset())


def test_as_many_readings_as_possible_find_an_expectation_that_fits() -> None:
    anywhere = Expected("current", 1.0)
    expected = [
        anywhere,
        Expected("current", 1.0, channel="a"),
        anywhere,
        Expected("current", 1.0, channel="b"),
    ]
    found = [shown(channel) for channel in "abcd"]
    assert sorted(matched(expected, found).values()) == [0, 1, 2, 3]
    assert matched([anywhere, anywhere], found[:1]) == {0: 0}
