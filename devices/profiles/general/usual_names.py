"""The names that everybody gives a fire, and where in a message they say one. Pure.

A profile knows the names of its vendor; an installer's own device, or next year's firmware, says `fire`
beside them. So what a message says by one of these names and no column read is looked at once more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from devices.model import Metric
from devices.profiles.compiling.compiled import Column, CompiledObject, Items, Kind
from devices.profiles.general.findings import Finding, Tree
from devices.profiles.own.mapping import TRUE_WORDS

USUAL: Final = {
    "smoke": Metric.SMOKE_ALARM,
    "smoke_alarm": Metric.SMOKE_ALARM,
    "smokealarm": Metric.SMOKE_ALARM,
    "smoke.alarm": Metric.SMOKE_ALARM,
    "smoke_detected": Metric.SMOKE_ALARM,
    "smokedetected": Metric.SMOKE_ALARM,
    "fire": Metric.SMOKE_ALARM,
    "fire_alarm": Metric.SMOKE_ALARM,
    "firealarm": Metric.SMOKE_ALARM,
    "heat_alarm": Metric.HEAT_ALARM,
    "heatalarm": Metric.HEAT_ALARM,
    "heat.alarm": Metric.HEAT_ALARM,
    "gas_alarm": Metric.GAS_ALARM,
    "gasalarm": Metric.GAS_ALARM,
    "gas.alarm": Metric.GAS_ALARM,
    "co_alarm": Metric.GAS_ALARM,
    "carbon_monoxide": Metric.GAS_ALARM,
    "manual.alarm": Metric.MANUAL_ALARM,
}
"""Names that say by themselves what is on fire, in any case (chosen: those of the shipped profiles)."""
STEMS: Final = (b"moke", b"fire", b"larm", b"monoxide")
"""One of these stands in each of them, in lower case."""
SETTINGS: Final = frozenset(
    {
        *(
            "capabilities",
            "capability",
            "config",
            "configuration",
            "settings",
            "setting",
            "features",
            "feature",
        ),
        *("enabled", "enable", "thresholds", "threshold", "options", "supported", "exposes"),
    }
)
"""Below these keys a name says what a device can do, or is set to, and not what it senses (chosen)."""
FARES: Final = frozenset(
    {
        *("battery_low", "batterylow", "low_battery", "lowbattery", "battery_level", "batterylevel"),
        *("battery_pct", "battery_percent", "battery_percentage", "batterypercentage", "battery_voltage"),
        *("batteryvoltage", "battery_state", "batterystate", "battery_status", "batterystatus", "lowbat"),
        *("tamper", "tampered", "rssi", "snr", "lqi", "signal_strength", "signalstrength", "link_quality"),
        *(
            "linkquality",
            "connected",
            "online",
            "reachable",
            "available",
            "availability",
            "muted",
            "silenced",
        ),
    }
)
"""Below these keys a name is a detector's, and what stands behind it says how that fares (chosen). Neither
`battery` is among them, for one may burn, nor `fault`, `test` and `signal`, which a fire may stand below."""
_NOT_SENSED: Final = SETTINGS | FARES
NAMING: Final = ("name", "n", "id", "identifier", "service_id", "serviceId", "key")
"""The keys of an item that say how it is called."""
SAYING: Final = ("value", "v", "vb", "val", "state", "alarm")
"""The keys of an item that say its value."""
WITHIN: Final = ("properties", "paras", "params", "values", "data")
"""The keys of an item below which those may stand."""
_NESTED: Final = frozenset({dict, list})
_TOKEN: Final = re.compile(
    rb'[/"](?:%s)"' % b"|".join(re.escape(name.encode()) for name in sorted(USUAL, key=len, reverse=True)),
    re.IGNORECASE,
)


class Told(NamedTuple):
    """One of the usual names, and the scalar that stands behind it; `path`: the keys above it."""

    name: str
    raw: Any
    path: tuple[str, ...]


class Unread(NamedTuple):
    """A usual name that no column read, and whether what it says is a fire."""

    name: str
    is_true: bool


def says_true(raw: Any) -> bool:  # noqa: ANN401
    """Whether a scalar means true where nothing says that it is a flag: a number such as 12 may be a
    density."""
    if type(raw) is str:
        return raw.strip().lower() in TRUE_WORDS
    return raw is True or (type(raw) in (int, float) and raw == 1)


def may_tell(payload: bytes) -> bool:
    """Whether one of the names may stand in the octets; costs some searches for plain ones."""
    low = payload.lower()
    return any(map(low.__contains__, STEMS)) and _TOKEN.search(low) is not None


def told(tree: Tree, *, settings: bool = False) -> Iterator[Told]:
    """Every place of a tree where one of the names stands before a scalar: as a key, or as the name of an
    item; with `settings` also below `SETTINGS` and `FARES`. Costs a look at every object and list.

    An item that is called by one of `FARES` and one of the names, `battery_status/smoke`, says how a detector
    fares, or that it burns, and nobody knows which: an `alarm` of it counts, any other value does not.
    """
    waiting: list[tuple[Any, tuple[str, ...]]] = [(tree, ())]
    while waiting:
        value, path = waiting.pop()
        if type(value) is list:
            waiting += [(one, path) for one in value if type(one) in _NESTED]
            continue
        if type(value) is not dict:
            continue
        name, before = _name_of(value)
        if before in FARES and (alarms := _alarms_of(value)):
            yield Told(name, any(map(says_true, alarms)), path)
        if name and (settings or before not in _NOT_SENSED) and (raw := _said_by(value)) is not None:
            yield Told(name, raw, (*path, before))
        for key, one in value.items():
            low = key.lower()
            nested = type(one) in _NESTED
            if low in USUAL and (raw := _said_by(one) if nested else one) is not None:
                yield Told(low, raw, path)
            elif nested and (settings or low not in _NOT_SENSED):
                waiting.append((one, (*path, low)))


def _name_of(item: dict[str, Any]) -> tuple[str, str]:
    """The usual name that an item has as the last part of its own, and the part before it."""
    for key in names_in(item)[:1]:
        before, _, last = item[key].lower().rpartition("/")
        return last, before.rpartition("/")[2]
    return "", ""


def names_in(item: dict[str, Any]) -> list[str]:
    """The keys of an item at which one of the names stands as the last part of its own; the first counts."""
    return [
        key
        for key in NAMING
        if type(text := item.get(key)) is str
        and len(text) < _LONGEST
        and text.lower().rpartition("/")[2] in USUAL
    ]


_LONGEST: Final = 128


def _alarms_of(item: dict[str, Any]) -> list[Any]:
    """What stands at `alarm`, in the item and in what it holds its values in."""
    places = (item, *(item.get(key) for key in WITHIN))
    return [one["alarm"] for one in places if type(one) is dict and "alarm" in one]


def _said_by(value: Any) -> Any:  # noqa: ANN401
    """What an object, or a list of one, says; None where it says nothing plain."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is not dict:
        return None if type(value) in _NESTED else value
    if says_true(value.get("alarm")):
        return True  # whatever state stands beside it
    for key in SAYING:
        if key in value:
            raw = value[key]
            return None if type(raw) in _NESTED else raw
    for key in WITHIN:
        if type(value.get(key)) is dict:
            return next((value[key][one] for one in SAYING if type(value[key].get(one)) in _SCALARS), None)
    return None


_SCALARS: Final = frozenset({bool, int, float, str})


def set_only(tree: Tree) -> set[str]:
    """The names that are true below `SETTINGS` and `FARES`, and nowhere else."""
    true = [one for one in told(tree, settings=True) if says_true(one.raw)]
    sensed = {one.name for one in true if _NOT_SENSED.isdisjoint(one.path)}
    return {one.name for one in true} - sensed


class UnreadNames:
    """What a kind of message reads, so that what it does not read can be told."""

    def __init__(self, kind: Kind, objects: Sequence[CompiledObject]) -> None:
        said = kind.said
        self.asks = not said.echo and said.format in {"json", "senml", "sparkplug"} and kind.learns is None
        """Whether messages of this kind are looked at."""
        self._is_octets = said.format == "sparkplug"
        carried = objects if kind.object is not None or kind.codec_way is not None else ()
        groups = [*kind.items, *(items for one in carried for items in one.items)]
        self._names: dict[int, set[str]] = {}
        for items in groups:
            for column, names in _names(items):
                self._names.setdefault(id(column), set()).update(names)
        life = [
            pattern
            for items in groups
            for pattern, columns in items.patterns
            if any(one.is_life for one in columns)
        ]
        self._by_pattern = {name for name in USUAL if any(pattern.fullmatch(name) for pattern in life)}

    def unread(self, payload: bytes, tree: Tree, findings: Sequence[Finding]) -> list[Unread]:
        """The names that stand more often in a message than columns read them. Never raises."""
        if not self.asks or not (self._is_octets or may_tell(payload)):
            return []
        there = [one for one in told(tree) if one.name not in self._by_pattern]
        if not there:
            return []
        read, true = self._read(findings)
        every = Counter(one.name for one in there)
        fires = Counter(one.name for one in there if says_true(one.raw))
        found = []
        for name in every:
            metric = USUAL[name].name_on_wire
            is_true = fires[name] > true[name] + true[metric + _LOOSE]
            if is_true or every[name] > read[name] + read[metric + _LOOSE]:
                found.append(Unread(name, is_true))
        return found

    def _read(self, findings: Iterable[Finding]) -> tuple[Counter[str], Counter[str]]:
        """How often columns read each name, and how often it said a fire; those with composed names by their
        metric."""
        read: Counter[str] = Counter()
        true: Counter[str] = Counter()
        for one in findings:
            column = one.column
            names = self._names.get(id(column)) or ([column.metric.name_on_wire + _LOOSE] * column.is_life)
            for name in names:
                read[name] += 1
                true[name] += says_true(one.raw)
        return read, true


_LOOSE: Final = "*"


def _names(items: Items) -> Iterator[tuple[Column, list[str]]]:
    """Columns with those usual names under which they read a value."""
    for column in items.values:
        yield column, [str(step).lower() for step in column.way.steps if str(step).lower() in USUAL]
    for name, columns in items.exact.items():
        last = name.rpartition("/")[2].lower()
        for column in columns:
            steps = [str(step).lower() for step in column.way.steps]
            yield column, [one for one in {last, *steps} if one in USUAL]
