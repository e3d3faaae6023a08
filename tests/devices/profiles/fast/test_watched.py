"""Messages of a form are watched for names of fires: those with other names are told, and no others."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.fast.watched import Watched
from devices.profiles.general.usual_names import USUAL

NAMES = sorted(USUAL, key=len, reverse=True)
TOKEN = re.compile(rf'[/"]({"|".join(map(re.escape, NAMES))})"', re.IGNORECASE)
TEXTS = [
    *("smoke", "Smoke", "fire", "SMOKE_ALARM", "carbon_monoxide", "gas.alarm", "hall/smoke", "co_alarm/x"),
    *("smoke_density", "firmware", "umbrella", 'm"smoke', "alarm", "\n", "烟", "color", "oxide", "fire" * 20),
]
TEXT = st.sampled_from(TEXTS)
SAID: st.SearchStrategy[Any] = st.recursive(
    st.one_of(TEXT, st.booleans(), st.integers(0, 2)),
    lambda below: st.one_of(st.dictionaries(TEXT, below, max_size=3), st.lists(below, max_size=2)),
    max_leaves=6,
)
PACKED = st.dictionaries(TEXT, SAID, max_size=4).map(
    lambda said: json.dumps(said, ensure_ascii=False).encode()
)


def names(payload: bytes) -> Counter[tuple[str, str, str]]:
    """The names with what stands before and behind their texts: a key's colon, or a value's key."""
    found = []
    text = payload.decode()
    for one in TOKEN.finditer(text):
        opening = text.rindex('"', 0, one.start() + 1)
        behind = re.match(r'" *(.?)', text[one.end() - 1 :], re.DOTALL)
        key = re.search(r'\\?"[^"]*": *$', text[:opening])
        before = re.search(r"([\\]?)$" if behind and behind[1] == ":" else r"(.) *$", text[:opening])
        assert behind is not None
        if behind[1] == ":":
            found.append((before[1] if before else "", one[0].lower(), ":"))
        elif key is not None:
            found.append((key[0].replace(" ", ""), one[0].lower(), ""))
        else:
            found.append((before[1] if before else "", one[0].lower(), behind[1]))
    return Counter(found)


@settings(deadline=None)
@given(PACKED, st.lists(PACKED, min_size=1, max_size=6), st.sampled_from([0, 4_096]), st.randoms())
def test_the_messages_with_other_names_than_usual_are_told_and_no_others(
    learnt: bytes, some: list[bytes], blanks: int, chance: Any
) -> None:
    payloads = [one + b" " * blanks for one in (learnt, *some, learnt)]
    chance.shuffle(payloads)
    expected = [n for n, one in enumerate(payloads) if names(one) != names(learnt)]
    assert Watched(learnt).doubtful(payloads) == expected


@pytest.mark.parametrize("many", [1, 200])
@pytest.mark.parametrize(
    "usual", [{"smoke": False}, {"smoke": False, "smoke_density": 3}, {"temperature": 3}]
)
def test_a_fire_beside_what_is_usual_is_told_wherever_it_stands(usual: dict[str, Any], many: int) -> None:
    plain = json.dumps({**usual, "pad": "x" * 60}).encode()
    watched = Watched(plain)
    for name in (*USUAL, "Fire", "hall/FIRE"):
        others = [{name: 1, **usual}, {**usual, "below": [{"n": name, "v": 1}]}, {**usual, "pad": name}]
        for said in others:
            odd = json.dumps(said).encode()
            payloads = [*[plain] * many, odd, *[plain] * many]
            assert watched.doubtful(payloads) == ([] if names(odd) == names(plain) else [many])
    assert watched.doubtful([plain, b'{"pad": 3}'] * many) == (
        list(range(1, 2 * many, 2)) if "smoke" in usual else []
    )


@pytest.mark.parametrize("many", [1, 200])
def test_as_many_stems_in_other_places_are_told(many: int) -> None:
    plain = b'{"smoke_density": 3, "door": "fire door", "firm": "umbrella"}'
    watched = Watched(plain)
    for odd in (
        b'{"smoke_density": 3, "fire": "open door", "firm": "umbrella"}',
        b'{"smoke": 3, "density": 2, "door": "fire door", "firm": "umbrella"}',
        b'{"smoke_density": 3, "door": "smoke", "firm": "umbrella"}',
    ):
        assert watched.doubtful([*[plain] * many, odd, plain]) == [many] * (names(odd) != names(plain))
    assert watched.doubtful([b'{"door": "fire door", "smoke_density": 3}'] * many) == []


def test_keys_of_ones_own_are_watched_as_well() -> None:
    watched = Watched(b'{"temperature": 3}', ["Rauchalarm"])
    assert Watched.takes("Rauchalarm")
    assert not Watched.takes("Brand")
    assert watched.doubtful([b'{"temperature": 3}', b'{"rauchalarm": 1}']) == [1]
