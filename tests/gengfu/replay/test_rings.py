from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu.replay.circuits import read_circuits
from gengfu.replay.reading import RecordingError
from gengfu.replay.rings import ring_of

NAMES = st.sampled_from("abcdef")


def read(folder: Path, *lines: str) -> None:
    path = folder / "circuits.csv"
    path.write_text("\n".join(("device,channel,parent", *lines)) + "\n", encoding="utf-8")
    read_circuits(path)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("a,,a",), "line 2, column `parent`: a ring of gateways: a → a"),
        (("x,,a", "a,,b", "b,,a"), "a ring of gateways: a → b → a"),
        (("c,,", "a,l1,b", "b,,d", "d,l2,a"), "a ring of gateways: a → b → d → a"),
    ],
)
def test_gateways_in_a_ring_are_refused_with_the_line(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RecordingError) as error:
        read(tmp_path, *lines)
    assert said in str(error.value)
    assert "circuits.csv, line " in str(error.value)


def test_gateways_behind_gateways_are_none(tmp_path: Path) -> None:
    read(tmp_path, "a,,g", "a,l1,h", "b,,g", "g,,h", "h,,top", "c,,")


def test_a_long_chain_and_a_long_ring_are_seen_at_once() -> None:
    chain = {str(n): (str(n + 1),) for n in range(100_000)}
    assert ring_of(chain) == ()
    assert len(ring_of(chain | {"100000": ("0",)})) == 100_001


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3, unique=True)))
def test_a_ring_is_found_where_there_is_one_and_is_one(parents: dict[str, list[str]]) -> None:
    def above(device: str) -> set[str]:
        found: set[str] = set()
        asked = list(parents.get(device, ()))
        while asked:
            one = asked.pop()
            if one not in found:
                found.add(one)
                asked += parents.get(one, ())
        return found

    ring = ring_of(parents)
    assert bool(ring) == any(device in above(device) for device in parents)
    assert all(parent in parents[device] for device, parent in zip(ring, (*ring[1:], *ring[:1]), strict=True))
