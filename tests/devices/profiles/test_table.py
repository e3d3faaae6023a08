"""The table of numbers by key gives what a dict gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.table import NOT_HERE, Table

CROWDED = st.builds(lambda high, low: high << 32 | low, st.integers(-8, 8), st.integers(0, 2))
"""Keys that share their low bits: they overflow their buckets, however many there are."""
KEYS = st.one_of(CROWDED, st.integers(-(2**63), 2**63 - 1))


def found(table: Table, keys: list[int]) -> list[int]:
    numbers: list[int] = table.find(np.array(keys, np.int64)).tolist()
    return numbers


@given(st.lists(st.tuples(st.booleans(), KEYS), max_size=120), st.lists(KEYS, max_size=10))
def test_it_holds_what_a_dict_holds(steps: list[tuple[bool, int]], others: list[int]) -> None:
    table, plain = Table(), dict[int, int]()
    for number, (adds, key) in enumerate(steps):
        if adds and key not in plain:
            table.add(key, number)
            plain[key] = number
        elif not adds and key in plain:
            table.remove(key)
            del plain[key]
    asked = [key for _, key in steps] + others
    assert found(table, asked) == [plain.get(key, NOT_HERE) for key in asked]
    assert len(table) == len(plain)


def test_ten_thousand_keys_are_found_after_all_its_doublings() -> None:
    keys = np.random.default_rng(1).integers(1, 2**62, 10_000)
    table = Table()
    for number, key in enumerate(keys.tolist()):
        table.add(key, number)
    assert found(table, keys.tolist()) == list(range(10_000))
    table.clear()
    assert found(table, keys.tolist()) == [NOT_HERE] * 10_000
