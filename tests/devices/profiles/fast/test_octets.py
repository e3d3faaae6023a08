"""Sparkplug by form: whatever comes, it means what the general way says."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.described import DescribedProfile
from devices.profiles.formats.sparkplug_wire import DataType
from devices.profiles.shipped import shipped_compiled
from tests.devices.profiles.fast.both_ways import Both
from tests.devices.profiles.formats.surroundings import field, single

AT_MS = 1_790_000_123_456
DATA = "spBv1.0/block 7/DDATA/gw2/panel"
BIRTH = "spBv1.0/block 7/DBIRTH/gw2/panel"
(SPARKPLUG,) = [one for one in shipped_compiled() if one.name == "sparkplug"]


def both() -> Both:
    general = DescribedProfile(SPARKPLUG, SPARKPLUG.objects)
    general.fast = None
    return Both(DescribedProfile(SPARKPLUG, SPARKPLUG.objects), general)


def message(*metrics: bytes, at: int = AT_MS, seq: int = 3) -> bytes:
    return field(1, at) + b"".join(field(2, one) for one in metrics) + field(3, seq)


def named(name: str, kind: DataType, value: bytes) -> bytes:
    return field(1, name) + field(3, AT_MS) + field(4, int(kind)) + value


def state(amps: float, watts: int, smoke: bool, *, seq: int = 3, at: int = AT_MS) -> tuple[str, bytes]:
    return DATA, message(
        named("current", DataType.FLOAT, single(12, amps)),
        named("power", DataType.INT32, field(10, watts & 0xFFFFFFFF)),
        named("smoke", DataType.BOOLEAN, field(14, int(smoke))),
        seq=seq,
        at=at,
    )


def by_alias(alias: int, value: int) -> tuple[str, bytes]:
    return DATA, message(field(2, alias) + field(11, value))


def born(*names: str) -> tuple[str, bytes]:
    metrics = (
        field(1, name) + field(2, n) + field(4, int(DataType.INT64)) + field(11, 5)
        for n, name in enumerate(names)
    )
    return BIRTH, message(*metrics)


def test_data_with_other_values_is_read_by_its_form() -> None:
    ways = both()
    ways.teach(state(3.5, 700, smoke=False))
    tick = [state(0.5 + n, (-1) ** n * 300 * n, smoke=n == 3, seq=n, at=AT_MS + n) for n in range(8)]
    assert ways.left(*tick) == 0
    decoded = ways.hear(*tick)
    assert decoded.value[decoded.metric == decoded.metric[1]].tolist() == [
        (-1) ** n * 300.0 * n for n in range(8)
    ]


def test_what_differs_in_more_than_values_goes_the_general_way() -> None:
    ways = both()
    usual = state(3.5, 700, smoke=False)
    ways.teach(usual)
    octets = usual[1]
    odd = [
        (DATA, octets.replace(b"current", b"voltage")),
        (DATA, octets + field(9, 1)),
        (DATA, octets[:-1]),
        (DATA, octets.replace(struct.pack("<f", 3.5), struct.pack("<f", float("nan")))),
        (DATA, octets.replace(struct.pack("<f", 3.5), struct.pack("<f", float("inf")))),
        state(3.5, 700, smoke=False, at=0),
    ]
    assert ways.left(*odd) == len(odd)
    ways.hear(*odd, usual, usual)


def test_a_new_birth_gives_aliases_another_meaning_at_once() -> None:
    ways = both()
    ways.hear(born("current", "voltage"))
    ways.teach(by_alias(0, 7))
    assert ways.left(*[by_alias(0, n) for n in range(8)]) == 0
    ways.hear(*[by_alias(0, n) for n in range(6)], born("voltage", "current"), by_alias(0, 9), by_alias(0, 8))
    decoded = ways.hear(*[by_alias(0, n) for n in range(8)])
    assert {int(one) for one in decoded.metric} == {int(ways.hear(born("voltage", "x")).metric[0])}


def test_one_birth_among_several_devices_changes_only_its_own() -> None:
    ways = both()
    other = "spBv1.0/block 7/DDATA/gw2/other"
    ways.hear(born("current"), (BIRTH.replace("panel", "other"), born("voltage")[1]))
    ways.teach(by_alias(0, 7), (other, by_alias(0, 7)[1]))
    ways.hear(*[by_alias(0, n) for n in range(6)], *[(other, by_alias(0, n)[1]) for n in range(6)])
    ways.hear(born("power"))
    ways.hear(*[by_alias(0, n) for n in range(6)], *[(other, by_alias(0, n)[1]) for n in range(6)])


values = st.builds(
    state,
    st.floats(width=32, allow_nan=True),
    st.integers(-(2**31), 2**31 - 1),
    st.booleans(),
    seq=st.integers(0, 2**64 - 1),
    at=st.integers(0, 2**64 - 1),
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    topic, octets = draw(values)
    at = draw(st.integers(0, len(octets) - 1))
    return topic, octets[:at] + draw(st.binary(max_size=3)) + octets[at + draw(st.integers(0, 3)) :]


TAUGHT = both()
TAUGHT.teach(state(3.5, 700, smoke=False), state(0.25, -5, smoke=True))


@settings(max_examples=150, deadline=None)
@given(st.lists(values | damaged(), min_size=4, max_size=9))
def test_whatever_octets_come_they_mean_what_the_general_way_says(tick: list[tuple[str, Any]]) -> None:
    TAUGHT.hear(*tick, state(3.5, 700, smoke=False))
