"""Which devices speak through which gateway: found from both ends, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.gateways import Gateways

UIDS = st.sampled_from(["", "gw:a", "gw:b", "gw:c"])


@given(st.lists(st.tuples(st.integers(0, 8), UIDS), max_size=40))
def test_the_newest_word_counts_from_both_ends(words: list[tuple[int, str]]) -> None:
    gateways, said = Gateways(), dict[int, str]()
    for device, uid in words:
        gateways.put(device, uid)
        said[device] = uid
    assert [gateways.of(device) for device in range(10)] == [said.get(device, "") for device in range(10)]
    for uid in ("gw:a", "gw:b"):
        assert gateways.behind([uid, "gw:none"]) == sorted(one for one, name in said.items() if name == uid)
    assert gateways.among(list(range(10))) == [one for one in range(10) if said.get(one)]


def test_a_device_that_names_another_gateway_each_time_fills_no_memory() -> None:
    gateways = Gateways()
    gateways.put(7, "gw:stays")
    for number in range(10_000):
        gateways.put(3, f"gw:{number}")
        assert len(gateways) < 1_100
    assert (gateways.of(3), gateways.of(7), gateways.of(4)) == ("gw:9999", "gw:stays", "")
    assert gateways.behind(["gw:stays"]) == [7]
    assert gateways.behind(["gw:9999", "gw:5"]) == [3]


def test_nobody_speaks_through_no_gateway() -> None:
    gateways = Gateways()
    gateways.put(1, "gw:a")
    gateways.put(1, "")
    assert gateways.behind(["", "gw:a"]) == []
    assert gateways.among([0, 1, 5]) == []
