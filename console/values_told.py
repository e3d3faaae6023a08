"""What the devices of an incident say, as a page tells it: worst devices first, of each what matters first.
Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from console.value_words import VALUE_WORDS, channel_words, doubt_words, is_bad, noun_in, value_words
from console.values_read import Card
from devices.model import Metric, Severity
from ingest.store.history import Series
from ingest.store.points import Points

DEVICES: Final = 8
"""Of one page (chosen): a storm raises hundreds, and nobody reads them at once."""
OLD_US: Final = 25 * 3_600_000_000
"""A value older than this is marked as old (chosen: devices that report daily are not, with an hour to
spare)."""
OPEN_CHARTS: Final = 3
"""Charts that are open from the start (chosen: a screen of them)."""
_LAST: Final = frozenset(
    {
        Metric.BATTERY_LOW, Metric.BATTERY_PCT, Metric.BATTERY_V,
        Metric.LINK_RSSI, Metric.LINK_SNR, Metric.LINK_LQI, Metric.LINK_MARGIN,
    }
)  # fmt: skip
"""What the device says of itself and its radio: of interest last."""


class RaisedAlarm(Protocol):
    """An alarm of the incident. `subject` is `UID/CHANNEL` or `UID/CHANNEL/METRIC`, or another place's."""

    @property
    def rule(self) -> str:
        """The rule's name."""

    @property
    def uid(self) -> str:
        """The device."""

    @property
    def subject(self) -> str:
        """What it is about."""

    @property
    def severity(self) -> str:
        """As a word: it may be one of a later release."""

    @property
    def raised_us(self) -> int:
        """When."""

    @property
    def cleared_us(self) -> int | None:
        """None while it stands."""


A = TypeVar("A", bound=RaisedAlarm)


@dataclass(frozen=True, slots=True)
class ToldValue:
    """One series in words. `at_us` is None where no point of it is known, and `value` says that then.
    `bad`: a flag that asks for a look."""

    slot: int
    metric: str
    channel: str
    value: str
    in_alarm: bool
    is_flag: bool
    at_us: int | None = None
    doubts: tuple[str, ...] = ()
    bad: bool = False
    usable: bool = False
    old: bool = False
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A device of a page: what it is called, the rules that it raised, what it says."""

    card: Card
    rules: tuple[str, ...]
    values: list[ToldValue]


def devices_in_alarm(alarms: Iterable[A]) -> dict[str, list[A]]:
    """The alarms by device, the worst device first: alarms that stand before those that are over, then by
    severity, then the one that came first."""
    found: dict[str, list[A]] = defaultdict(list)
    for alarm in sorted(alarms, key=_urgency):
        if alarm.uid:
            found[alarm.uid].append(alarm)
    return dict(found)


def _urgency(alarm: RaisedAlarm) -> tuple[bool, int, int]:
    known = alarm.severity in set(Severity)
    rank = Severity(alarm.severity).rank if known else -1  # of a later release: rather too high than too low
    return alarm.cleared_us is not None, rank, alarm.raised_us


def looked_at(
    many: Sequence[Series], alarms: Iterable[RaisedAlarm], looks_at: Mapping[str, Collection[Metric]]
) -> set[int]:
    """The slots of a device's series that some alarm is about: of its channel, of all channels where it is
    about the whole device or a place."""
    found: set[int] = set()
    for alarm in alarms:
        some = [one for one in many if one.metric in looks_at.get(alarm.rule, ())]
        channel, _, metric = alarm.subject.removeprefix(f"{alarm.uid}/").partition("/")
        if metric:
            some = [one for one in some if one.metric.name_on_wire == metric]
        if alarm.subject.startswith(f"{alarm.uid}/"):
            mine = [one for one in some if one.channel == channel]
            some = mine if mine or channel else some
        found |= {one.slot for one in some}
    return found


def shown_devices(
    devices: Sequence[tuple[Card, Sequence[Series], Sequence[RaisedAlarm]]],
    newest: Points,
    looks_at: Mapping[str, Collection[Metric]],
    now_us: int,
    language: str,
    *,
    lacks: bool,
) -> list[Shown]:
    """Each device with its values. `lacks`: newest points may be missing."""
    zh_cn, en = VALUE_WORDS["value.unread" if lacks else "value.unheard"]
    missing = zh_cn if language == "zh-CN" else en
    shown: list[Shown] = []
    for card, many, alarms in devices:
        about = looked_at(many, alarms, looks_at)
        values = told_values(many, newest, about, now_us, language, missing)
        rules = tuple(dict.fromkeys(alarm.rule for alarm in alarms))
        shown.append(Shown(card, rules, values))
    return charts_open(shown)


def told_values(
    many: Sequence[Series],
    newest: Points,
    about: Collection[int],
    now_us: int,
    language: str,
    missing: str,
) -> list[ToldValue]:
    """Each series, flags that alarm first, then what the alarms are about (`about`: slots), what else is
    measured, flags that say nothing, link and battery. `missing` is said of a series without a point."""
    places = {int(slot): place for place, slot in enumerate(newest.slot)}
    told = []
    for one in sorted(many, key=lambda one: (one.metric, one.channel)):
        place, in_alarm = places.get(one.slot), one.slot in about
        if place is None:
            value = _without_point(one, in_alarm, language, missing)
        else:
            value = _with_point(one, newest, place, in_alarm, now_us, language)
        told.append((one, value))
    return [value for _, value in sorted(told, key=lambda pair: _rank(*pair))]


def _with_point(
    one: Series, newest: Points, place: int, in_alarm: bool, now_us: int, language: str
) -> ToldValue:
    value, at_us = float(newest.value[place]), int(newest.ts_ns[place]) // 1000
    return replace(
        _without_point(one, in_alarm, language, value_words(one.metric, value, language)),
        at_us=at_us,
        doubts=tuple(doubt_words(int(newest.quality[place]), language)),
        bad=is_bad(one.metric, value),
        usable=math.isfinite(value),
        old=now_us - at_us > OLD_US,
    )


def _without_point(one: Series, in_alarm: bool, language: str, said: str) -> ToldValue:
    return ToldValue(
        slot=one.slot,
        metric=noun_in(one.metric, language),
        channel=channel_words(one.channel, language),
        value=said,
        in_alarm=in_alarm,
        is_flag=one.metric.is_flag,
    )


def _rank(one: Series, told: ToldValue) -> int:
    if told.bad and one.metric not in _LAST:
        return 0
    if told.in_alarm:
        return 1
    if one.metric in _LAST and not told.bad:
        return 4
    return 3 if told.is_flag and not told.bad else 2


def charts_open(shown: Sequence[Shown]) -> list[Shown]:
    """The same with the charts open that are to be looked at first: of what the alarms are about, else of the
    first that is measured. Flags stay closed."""
    measured = [value for one in shown for value in one.values if not value.is_flag]
    wanted = [value for value in measured if value.in_alarm] or measured[:1]
    slots = {value.slot for value in wanted[:OPEN_CHARTS]}
    return [
        replace(one, values=[replace(value, opened=value.slot in slots) for value in one.values])
        for one in shown
    ]
