"""A site's own rules, as a file would hold them, and a block to try them on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from devices.model import EngineInput, ReadingBatch
from gengfu.live_rules import LiveRules
from gengfu.rulebook import Rulebook, Stated, settle
from rules.overrides import Scope
from rules.transition import Transition
from tests.rules.story import block, reading, us

HOT = """
[[rule]]
name = "{name}"
kernel = "{kernel}"
metric = "{metric}"
severity = "{severity}"
raise = "{raise_}"
hold = "{hold}"
clear = "{clear}"
clear_hold = "0 s"
max_gap = "15 min"
{more}
title = {{ en = "Own rule", zh-CN = "自定规则" }}

[rule.source]
raise = "chosen: for this test"
hold = "chosen: for this test"
clear = "chosen: for this test"
clear_hold = "chosen: for this test"
max_gap = "chosen: for this test"
{sources}
"""
USUAL = {
    "name": "K1", "kernel": "threshold", "metric": "temperature", "severity": "P2",
    "raise_": "60 degC", "hold": "0 s", "clear": "50 degC", "more": "", "sources": "",
}  # fmt: skip


def own(**said: str) -> str:
    """A rule file with one rule: by itself K1, above 60 degC at once."""
    return "version = 1\n" + HOT.format(**(USUAL | said))


def override(number: int = 1, rule: str = "O3", **said: object) -> Stated:
    """An override of the one current monitor of the block, from ever and for good."""
    facts: dict[str, object] = {"id": number, "rule": rule, "scope": Scope.DEVICE, "ids": (3,)}
    facts |= {"from_us": 0, "author": "gw-3", "reason": "test"}
    return Stated(**(facts | said))  # type: ignore[arg-type]


settled = cache(settle)


class Site:
    """Rules over the block, told in seconds."""

    def __init__(self, book: Rulebook | None = None) -> None:
        self.rules = LiveRules(block(), book)

    def read(self, slot: int, at_s: float, value: float) -> list[Transition]:
        batch = reading(slot, at_s, value)
        return self.rules.evaluate(batch, [], batch.received_us)

    def still(self, at_s: float, inputs: Sequence[EngineInput] = ()) -> list[Transition]:
        """A record without readings."""
        return self.rules.evaluate(ReadingBatch.empty(us(at_s)), inputs, us(at_s))

    def turn(self, book: Rulebook, at_s: float) -> list[Transition]:
        """The book holds from here on, as ingest brings it in."""
        self.rules.prepare(settled(book))
        return self.rules.change(book.text(), us(at_s))
