"""What happens to state when rules change: what measures as before goes on, and what does not starts over.

What a rule measures is said by a short text of its own, so that a snapshot can say it of rules that are gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from rules.judged import JudgedKernel
from rules.kernel import ACTIVE
from rules.kernels.place_rule import PlaceRule
from rules.rule import BaseRule, JudgedRule

_JUDGING: Final = frozenset(JudgedRule.__struct_fields__) - {"metric_name", "below"}
"""What a rule may change without measuring another thing: names, levels, times, and where it holds."""
_MEETING: Final = ("scope", "apart", "across")
"""What decides which alarms of a place meet."""


def measures(rules: Iterable[BaseRule]) -> dict[str, str]:
    """What each rule measures, by its name: the same text for two rules of one kind where what a kernel has
    gathered for the one means the same for the other, in any release.

    Keys that stand as usual are left out, so that a key that is new in a release changes nothing.
    """
    return {rule.name: _measure(rule) for rule in rules}


def _measure(rule: BaseRule) -> str:
    fields = {one.name: one.default for one in msgspec.structs.fields(rule)}
    own = _MEETING if isinstance(rule, PlaceRule) else [name for name in fields if name not in _JUDGING]
    said = {name: value for name in own if (value := getattr(rule, name)) != fields[name]}
    facts = [str(rule.__struct_config__.tag), said]
    text = msgspec.json.encode(facts, enc_hook=str, order="deterministic")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def start_over(before: Mapping[str, str], now: Mapping[str, str], kernel: JudgedKernel[Any]) -> None:
    """In a kernel that took the state of rules that measured as `before` says: what was gathered for a rule
    that measures otherwise `now` is let go, and its hold too. An alarm that is active stays so."""
    pairs = kernel.pairs
    for number, rule in enumerate(kernel.rules):
        if before.get(rule.name, now[rule.name]) == now[rule.name]:
            continue
        of_rule = np.flatnonzero(pairs.rule[: pairs.n] == number)
        for name, blank in kernel.columns.items():
            pairs.state[name][of_rule] = blank
        pairs.state["status"][of_rule] &= np.uint8(ACTIVE)
        pairs.state["bits"][of_rule] = 0
        kernel.rouse(of_rule[pairs.slot[of_rule] >= 0])


def moved_places(before: Mapping[str, str], rules: Iterable[PlaceRule], now: Mapping[str, str]) -> set[str]:
    """The rules on places that are about other places, or other meetings, than before."""
    return {rule.name for rule in rules if before.get(rule.name, now[rule.name]) != now[rule.name]}
