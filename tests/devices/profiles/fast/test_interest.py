"""The places that a kind of message looks at: all of them, so that nothing it looks at goes unseen."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.described import DescribedProfile
from devices.profiles.fast.interest import Interest, Uses, interest_of
from tests.devices.profiles.describing import compiled, decode, world
from tests.devices.profiles.listening import readings
from tests.devices.profiles.made_up import CARRIER, METER, VENDOR


def test_uses_are_told_apart() -> None:
    root = interest_of(compiled(METER).kinds[0])
    assert root.keys["smoke"].uses == Uses.VALUE
    assert root.keys["kind"].uses == Uses.STRUCTURE
    assert root.keys["flow"].uses == Uses.OPERAND
    assert root.keys["at"].uses == Uses.TIME
    assert root.keys["n"].uses == Uses.SEQ
    assert root.keys["probe"].uses == Uses.VISITED
    assert root.keys["id"].uses & (Uses.STRUCTURE | Uses.NAMING)
    phase = root.keys["phases"].any_key
    assert phase is not None
    assert phase.keys["u"].uses == Uses.VALUE
    item = root.keys["list"].any_position
    assert item is not None
    assert item.keys["u"].uses & Uses.STRUCTURE
    assert item.keys["v"].uses & Uses.VALUE
    amps = root.keys["amps"].any_position
    assert amps is not None
    assert amps.uses == Uses.VALUE


def test_the_objects_that_may_stand_in_a_message_are_part_of_it() -> None:
    [kind] = compiled(CARRIER).kinds
    root = interest_of(kind, compiled(VENDOR).objects)
    assert root.keys["object"].keys["fire"].uses & Uses.VALUE


ACME = compiled(METER)


def pruned(tree: Any, interest: Interest) -> Any:
    """The tree without what nobody looks at."""
    if isinstance(tree, dict):
        below = {key: interest.keys.get(key) or interest.any_key for key in tree}
        return {key: pruned(value, place) for key, value in tree.items() if (place := below[key])}
    if isinstance(tree, list):
        each = [interest.positions.get(n) or interest.any_position for n in range(len(tree))]
        return [pruned(value, place) if place else None for value, place in zip(tree, each, strict=True)]
    return tree


_LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["l1", "leak", "mA", "in"])
_KEYS = st.sampled_from(
    [
        "smoke",
        "mains",
        "u",
        "amps",
        "phases",
        "list",
        "name",
        "v",
        "flow",
        "power",
        "k",
        "raw",
        "at",
        "old",
        "x",
    ]
)
_TREES = st.recursive(
    _LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS, below, max_size=5),
    max_leaves=20,
)


@given(said=st.dictionaries(_KEYS, _TREES, max_size=8))
def test_what_nobody_looks_at_changes_nothing(said: dict[str, Any]) -> None:
    whole = {"kind": "report", **said}
    kept = pruned(whole, interest_of(ACME.kinds[0]))
    results = []
    for tree in (whole, kept):
        profile = DescribedProfile(ACME, ())
        decoded = decode(profile, ("acme/7/report", tree))
        if any(one.key == "unread" for one in decoded.asides.said):
            return  # the name of a fire where nobody looks is heard all the same (`usual_names`)
        if not decoded.rejected:  # what is refused is searched for a fire as it stands
            results.append((readings(decoded, world(profile)), decoded.asides))
    assert len(results) in {0, 2}
    assert results[:1] == results[1:]
