"""What holds for one device, in words: lines for people, and an object for each series and rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gengfu.rule_explain import ExplainedDevice
from gengfu.shipped import as_written, quantity_text
from gengfu.told_times import site_text, utc_or_none, utc_text
from gengfu.written import toml_text
from rules.explained import Explained
from rules.overrides import Override

_SHARED: Final[tuple[str, ...]] = (
    "kernel",
    "name",
    "severity",
    "title",
    "source",
    "metric",
    "insulation",
    "where",
)
"""Keys of a rule that are no numbers, or are told elsewhere."""
_SETTLED: Final[tuple[str, ...]] = ("raise", "hold", "clear", "clear_hold")


def text_lines(card: ExplainedDevice, timezone: str) -> Iterator[str]:
    """For people: the offline rules of the device, and a block for each series."""
    yield ", ".join([card.uid, *(f"{key} {value}" for key, value in card.circuit.items())])
    if card.refused:
        yield f"the own rule file is refused, and what was used last holds: {card.refused}"
    if not card.heard:
        yield "nothing was heard of it yet: below is what holds for each thing that it may measure"
    yield from _offline_lines(card)
    for one in card.series:
        yield ""
        yield f"{one.channel or 'device'} {one.metric}"
        if not one.rules:
            yield "  no rule watches it"
        for said in one.rules:
            off = f"  off: {said.why_off}" if said.why_off else ""
            yield f"  {said.rule.name:4} {said.rule.severity:3} {said.rule.title.en}{off}"
            if not off:
                yield f"       {', '.join(f'{key} {text}' for key, text in _numbers(said).items())}"
            yield from (f"       {_told(other, timezone)}" for other in said.by)
            incident = card.incident_of(said, one)
            if incident is not None:
                ends = "; a person must end it: the rule is off here now" if off else ""
                yield f"       its alarm is up in incident {incident}{ends}"


def _offline_lines(card: ExplainedDevice) -> Iterator[str]:
    yield ""
    yield "when it is not heard"
    for one in card.offline:
        said = f"  off: {one.why_off}" if one.why_off else ""
        yield f"  {one.rule.name:4} {one.rule.severity:3} {one.rule.title.en}{said}"
        if one.after:
            yield f"       after {one.after}"
        incident = card.standing.get((one.rule.name, f"{card.uid}/"))
        if incident is not None:
            yield f"       its alarm is up in incident {incident}"


def json_lines(card: ExplainedDevice) -> Iterator[str]:
    """An object for each offline rule of the device, and one for each series and rule."""
    for whole in card.offline:
        facts = {
            "device": card.uid,
            "channel": "",
            "metric": "",
            "heard": card.heard,
            "rule": whole.rule.name,
            "severity": whole.rule.severity,
            "on": not whole.why_off,
            "why_off": whole.why_off,
            "incident": card.standing.get((whole.rule.name, f"{card.uid}/")),
            "numbers": {"after": whole.after} if whole.after else {},
            "insulation": "",
            "overrides": [],
        }
        yield msgspec.json.encode(facts).decode()
    for one in card.series:
        for said in one.rules:
            facts = {
                "device": card.uid,
                "channel": one.channel,
                "metric": one.metric,
                "heard": card.heard,
                "rule": said.rule.name,
                "severity": said.rule.severity,
                "on": not said.why_off,
                "why_off": said.why_off,
                "incident": card.incident_of(said, one),
                "numbers": _numbers(said),
                "insulation": said.setting.insulation if said.setting else "",
                "overrides": [_as_object(other) for other in said.by],
            }
            yield msgspec.json.encode(facts).decode()


def _numbers(said: Explained) -> dict[str, str]:
    """Every number that holds there, by its key, with amperes for multiples of a rating."""
    written = {key: value for key, value in as_written(said.rule).items() if key not in _SHARED}
    numbers = {key: _words(value) for key, value in written.items() if value is not False and value != ()}
    setting = said.setting
    if setting is None:
        return numbers
    shown = _settled(said)
    settled = {key: shown[key] for key in _SETTLED if key in shown and key in numbers}
    if setting.insulation:
        settled["for insulation"] = setting.insulation
    return settled | {key: text for key, text in numbers.items() if key not in _SETTLED}


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_words(one)}" for key, one in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_words, value))
    return value if isinstance(value, str) else toml_text(value)


def _settled(said: Explained) -> dict[str, str]:
    """The levels and holds of a setting, as a rule file has them."""
    setting = said.setting
    assert setting is not None, said  # asked for settings only
    found = {"raise": _level(str(setting.raise_at), setting.raise_at.value, said.reference_a)}
    if setting.clear_below is not None:
        found["clear"] = _level(str(setting.clear_below), setting.clear_below.value, said.reference_a)
    return found | {"hold": quantity_text(setting.hold), "clear_hold": quantity_text(setting.clear_hold)}


def _level(text: str, value: float, reference_a: float) -> str:
    """With what readings are compared with, unrounded (12 digits: more than a double keeps of a product)."""
    return text if math.isnan(reference_a) else f"{text} = {value * reference_a:.12g} A"


def _told(one: Override, timezone: str) -> str:
    until = f"until {site_text(one.until_us, timezone)}" if one.until_us is not None else "for good"
    what = "switched off" if one.off else "changed"
    return f"{what} by override {one.id} ({one.scope}): {one.author}, {one.reason}, {until}"


def _as_object(one: Override) -> dict[str, Any]:
    return {
        "id": one.id,
        "scope": one.scope,
        "off": one.off,
        "author": one.author,
        "reason": one.reason,
        "from": utc_text(one.from_us),
        "until": utc_or_none(one.until_us),
    }
