from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles import memory
from devices.profiles.memory import Memory
from devices.profiles.profile import Note


def test_what_is_set_is_noted_once_and_only_when_it_changes() -> None:
    one = Memory("acme")
    assert one.set("alias", "lamp", "zigbee:1")
    assert one.set("alias", "lamp", "zigbee:2")
    assert one.taken() == (Note("acme", "alias", "lamp", "zigbee:2"),)
    assert one.set("alias", "lamp", "zigbee:2")
    assert one.taken() == ()


def test_an_empty_value_forgets_and_says_so() -> None:
    one = Memory("acme")
    one.set("alias", "lamp", "zigbee:1")
    one.taken()
    one.set("alias", "lamp", "")
    assert one.get("alias", "lamp") == ""
    assert len(one) == 0
    assert one.taken() == (Note("acme", "alias", "lamp", ""),)


def test_what_was_noted_is_restored_and_not_noted_again() -> None:
    one = Memory("acme")
    one.restore([Note("acme", "alias", "lamp", "zigbee:1"), Note("other", "alias", "lamp", "zigbee:9")])
    assert one.get("alias", "lamp") == "zigbee:1"
    assert one.taken() == ()


def test_beyond_its_limits_the_newest_is_refused_and_counted() -> None:
    one = Memory("acme")
    for n in range(memory.KEYS_MAX):
        assert one.set("t", str(n), "x")
    assert not one.set("t", "one more", "x")
    assert one.set("t", "0", "y")
    assert not one.set("t", "1", "x" * (memory.VALUE_BYTES_MAX + 1))
    assert (one.get("t", "1"), one.refused, len(one)) == ("x", 2, memory.KEYS_MAX)


_CHANGES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from(["", "1", "2"])), max_size=30
)


@given(changes=_CHANGES, taken_after=st.integers(0, 30))
def test_the_notes_rebuild_the_tables(changes: list[tuple[str, str, str]], taken_after: int) -> None:
    one = Memory("acme")
    notes: list[Note] = []
    for n, (table, key, value) in enumerate(changes):
        one.set(table, key, value)
        if n == taken_after:
            notes += one.taken()
    again = Memory("acme")
    again.restore([*notes, *one.taken()])
    assert all(dict(again.table(table)) == dict(one.table(table)) for table in "ab")
    assert len(again) == len(one)


def test_all_that_is_kept_is_bounded_together() -> None:
    one = Memory("acme")
    value = "x" * memory.VALUE_BYTES_MAX
    fit = memory.BYTES_MAX // (memory.VALUE_BYTES_MAX + 4)
    most = memory.TABLE_BYTES_MAX // (memory.VALUE_BYTES_MAX + 4)
    assert all(one.set("births", f"{n:04}", value) for n in range(most))
    assert not one.set("births", "more", value)
    assert all(one.set("t", f"{n:04}", value) for n in range(fit - most))
    assert not one.set("t", "more", value)
    assert one.set("t", "0000", "")
    assert one.set("t", "more", value)
    assert one.set("t", "more", "short")
    assert one.set("t", "0000", value[:-100])
