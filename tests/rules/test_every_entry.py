"""Every entry of the catalogue has a story here: it raises, not before its time and not just below its level,
clears, and takes no notice of what nobody should judge by. A new entry without one makes this red."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from devices.model import InputKind, Quality
from rules.catalogue import Catalogue
from rules.kernels.flag import FlagRule
from rules.kinds import Rule
from rules.transition import To, Transition
from tests.rules import tales_of_circuits, tales_of_fire
from tests.rules.homes import table_of
from tests.rules.story import Story, shipped
from tests.rules.tale import OLD, Act, Say, Step, Tale, broken

TALES = [*tales_of_fire.TALES, *tales_of_circuits.TALES]
ELSEWHERE = {
    "silence": "test_silence.py",
    "dark": "test_dark.py",
    "gate": "test_gate.py",
    "bound": "test_bound.py",
}
"""Kinds that are no alarm of a reading, and the tests in `kernels` that tell of each of their entries."""


@cache
def entries() -> dict[str, Rule]:
    return {rule.name: rule for rule in shipped().rule}


def kernel_of(rule: Rule) -> str:
    return str(rule.__struct_config__.tag)


class Telling(Story):
    """One tale, as far as it has been told."""

    def __init__(self, tale: Tale) -> None:
        names = {tale.rule, *tale.beside}
        kept = tuple(rule for name, rule in entries().items() if name in names)
        super().__init__(Catalogue(version=1, rule=kept), table_of(tale.series))
        self.tale = tale

    def tell(self, *steps: Step) -> list[Transition]:
        """What these steps change of the tale's own rule."""
        found = chain.from_iterable(self._step(step) for step in steps)
        return [one for one in found if one.rule == self.tale.rule]

    def _step(self, step: Step) -> list[Transition]:
        if isinstance(step, Say):
            return self.read(*step)
        return self._act(step.kind, step.rule, step.at_s, step.slot, step.place)


def raised(tale: Tale) -> Telling:
    """The tale up to its alarm."""
    telling = Telling(tale)
    assert telling.tell(*tale.before) == []
    (alarm,) = telling.tell(tale.raising)
    assert (alarm.to, alarm.slot) == (To.RAISED, tale.raising.slot)
    return telling


def those(tales: Iterable[Tale]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("tale", list(tales), ids=lambda tale: tale.rule)


each = those(TALES)


def test_every_entry_has_a_story() -> None:
    told = [tale.rule for tale in TALES]
    folder = Path(__file__).with_name("kernels")
    for name, rule in entries().items():
        if kernel_of(rule) in ELSEWHERE:
            assert f'"{name}"' in (folder / ELSEWHERE[kernel_of(rule)]).read_text(encoding="utf-8"), name
        else:
            assert told.count(name) == 1, f"{name} needs a story in tests/rules/tales_of_*.py"
    assert set(told) <= set(entries())


@each
def test_it_raises_with_its_numbers_and_its_severity(tale: Tale) -> None:
    telling = Telling(tale)
    assert telling.tell(*tale.before) == []
    (alarm,) = telling.tell(tale.raising)
    assert (alarm.to, alarm.severity) == (To.RAISED, entries()[tale.rule].severity)
    assert alarm.why.en and alarm.why.zh_cn


@those(tale for tale in TALES if tale.sooner_s)
def test_it_does_not_raise_before_its_hold_is_over(tale: Tale) -> None:
    sooner = tale.raising._replace(at_s=tale.raising.at_s - tale.sooner_s)
    assert Telling(tale).tell(*tale.before, sooner) == []


def test_no_hold_is_left_out() -> None:
    holds = {name for name, rule in entries().items() if getattr(rule, "hold", 0)}
    there = {tale.rule for tale in TALES}
    assert holds & there <= {tale.rule for tale in TALES if tale.sooner_s}


@those(tale for tale in TALES if tale.beyond_s)
def test_it_does_not_raise_when_the_other_alarm_is_too_long_ago(tale: Tale) -> None:
    later = tale.raising._replace(at_s=tale.raising.at_s + tale.beyond_s)
    assert Telling(tale).tell(*tale.before, later) == []


@each
def test_just_below_its_level_it_never_raises(tale: Tale) -> None:
    assert Telling(tale).tell(*tale.less) == []


@each
def test_it_clears_and_not_before(tale: Tale) -> None:
    telling = raised(tale)
    assert telling.tell(*tale.calm[:-1]) == []
    (over,) = telling.tell(tale.calm[-1])
    assert over.to is To.CLEARED
    by_hand = isinstance(tale.calm[-1], Act)
    assert by_hand is (kernel_of(entries()[tale.rule]) in {"flag", "place"} or is_latched(tale.rule))


def is_latched(rule: str) -> bool:
    return bool(getattr(entries()[rule], "latched", False))


@each
def test_what_nobody_should_judge_by_raises_nothing_and_breaks_nothing(tale: Tale) -> None:
    for quality in tale.unseen:
        telling = Telling(tale)
        assert telling.tell(*tale.before, broken(tale.raising, quality)) == [], quality
        assert len(telling.tell(tale.raising)) == 1, quality


@those(tale for tale in TALES if tale.rule != "Q1")  # which is about just that
def test_a_value_that_is_missing_without_a_mark_raises_nothing(tale: Tale) -> None:
    nothing = broken(tale.raising, Quality.FAULT)._replace(quality=Quality(0))
    assert Telling(tale).tell(*tale.before, nothing) == []


@each
def test_a_person_ends_it(tale: Tale) -> None:
    place = next((step.place for step in tale.calm if isinstance(step, Act)), 0)
    slot = 0 if place else tale.raising.slot
    after = Act(InputKind.RESET, tale.rule, tale.raising.at_s + 1, slot, place)
    assert [one.to for one in raised(tale).tell(after)] == [To.CLEARED]


@pytest.mark.parametrize("quality", OLD)
@those(tale for tale in TALES if isinstance(entries()[tale.rule], FlagRule))
def test_a_life_flag_alarms_however_late_it_comes(tale: Tale, quality: Quality) -> None:
    telling = Telling(tale)
    telling.tell(*tale.before)
    assert [one.to for one in telling.tell(broken(tale.raising, quality))] == [To.RAISED]
