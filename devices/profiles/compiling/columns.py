"""What a profile file says of one value → `Column`, with everything checked that can be known beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from devices.model import LIFE_FLAGS, METRIC_BY_NAME, Metric, Quality
from devices.profiles.compiling.clocks import Zones
from devices.profiles.compiling.compiled import Column, Elsewhere, Pattern, Way, Word, word_of
from devices.profiles.compiling.faulty import Place
from devices.profiles.general.channels import too_long
from devices.profiles.language.meaning import Meaning, Operand, Sign, Value
from devices.profiles.language.units import SMOKE_DENSITIES, Conversion, conversion_of, units_in_band
from devices.profiles.own.mapping import WORDS

QUALITIES: Final = MappingProxyType(
    {
        flag.names[0]: flag
        for flag in (Quality.SUSPECT, Quality.ESTIMATED, Quality.STALE, Quality.REPLAYED, Quality.BACKFILL)
    }
)
"""What a profile may say of all values of a column: hard flags would leave none, others are the service's."""
_FLAG_WORDS: Final[dict[Word, float]] = {"true": 1.0, "false": 0.0, 1.0: 1.0, 0.0: 0.0}
_LIFE_WORDS: Final[dict[Word, float]] = {word_of(word): value for word, value in WORDS.items()}
_OF_NUMBERS: Final = (
    "unit",
    "unit_path",
    "scale",
    "offset",
    "enum",
    "sign_from",
    "multiply_by",
    "broken_below",
    "low",
    "high",
)
_OF_FLAGS: Final = ("true", "false", "nonzero", "invert", "bit", "hold_s")
_NOT_WITH_CONST: Final = (
    *("true", "false", "enum", "nonzero", "invert", "bit", "default", "sign_from", "multiply_by"),
    *("sentinels", "faults", "broken_below", "unit_path", "scale", "offset", "low", "high"),
)
_UNSAID: Final = Value("")
_US: Final = 1_000_000


class Columns:
    """The columns of a profile (or of a vendor's object), numbered as they are added."""

    def __init__(self, zones: Zones) -> None:
        self.all: list[Column] = []
        self._zones = zones

    def of(
        self, place: Place, meaning: Meaning, stands: str, *, said_unit: str = "", in_band: str = ""
    ) -> tuple[Column, ...]:
        """The columns of one meaning, whose value stands at the path `stands` unless it says otherwise.

        `said_unit` is the unit in which values of this meaning come, `in_band` the path at which their unit
        stands, where the meaning names neither.
        """
        if isinstance(meaning, str):
            return (self._column(place, Value(meaning), stands, said_unit, in_band, bare=True),)
        if isinstance(meaning, Value):
            return (self._column(place, meaning, stands, said_unit, in_band),)
        if not meaning:
            raise place.fault("an empty list; one or more tables with a metric are allowed")
        return tuple(
            self._column(place.at(n), value, stands, said_unit, in_band) for n, value in enumerate(meaning)
        )

    def _column(
        self, place: Place, value: Value, stands: str, said_unit: str, in_band: str, *, bare: bool = False
    ) -> Column:
        metric = _metric(place, value, said_unit, bare=bare)
        _check(place, value, metric)
        if not metric.is_flag and metric.unit and not value.unit and value.const is None:
            unit_path = None if said_unit else in_band or None
            unit_path = unit_path if value.unit_path is None else value.unit_path
            unit = said_unit if unit_path is None else ""
        else:
            unit, unit_path = value.unit, value.unit_path
        scale, offset = _conversion(place, value, metric, unit)
        words = _words(place, value, metric)
        has, any_, lacks = place.at("when").when(value.when)
        path = stands if value.path is None else value.path
        unit_at = place.at("unit_path")
        if unit_path == "":  # behind the number: where the value itself stands
            unit_at, unit_path = (place if value.path is None else place.at("path")), path
        column = Column(
            number=len(self.all),
            metric=metric,
            where=str(place),
            way=(place if value.path is None else place.at("path")).way(path),
            channel=_channel(place.at("channel"), value.channel),
            list_channel=_list_channel(place, value),
            scale=scale,
            offset=offset,
            unit_way=None if unit_path is None else unit_at.way(unit_path),
            units=MappingProxyType({}) if unit_path is None else units_in_band(metric),
            words=words,
            sentinels=_sentinels(place, value, words),
            nonzero=value.nonzero or _takes_any_number(value, metric),
            invert=value.invert,
            bit=value.bit,
            const=_said(place.at("const"), value.const, metric),
            default=_said(place.at("default"), value.default, metric),
            sign=_sign(place.at("sign_from"), value.sign_from),
            factor=_factor(place.at("multiply_by"), value.multiply_by),
            low=value.low,
            high=value.high,
            null_is_silence=value.null == "skip",
            needs=place.at("needs").ways(value.needs),
            has=has,
            any=any_,
            lacks=lacks,
            hold_us=round((value.hold_s or 0) * _US),
            clocks=self._zones.clocks(place.at("time"), value.time),
            quality=_quality(place.at("quality"), value.quality),
            faults=_faults(place, value, words),
            broken_below=value.broken_below,
            glued=_glued(metric, unit),
        )
        self.all.append(column)
        return column


def _channel(place: Place, text: str) -> Pattern:
    pattern = place.pattern(text)
    if pattern.fixed is not None and (why := too_long(pattern.fixed)):
        raise place.fault(why.partition(":")[0])
    return pattern


def _metric(place: Place, value: Value, said_unit: str, *, bare: bool) -> Metric:
    at = place if bare else place.at("metric")
    metric = METRIC_BY_NAME.get(value.metric)
    if metric is None:
        raise at.fault(f"no metric `{value.metric}`; allowed: {', '.join(METRIC_BY_NAME)}")
    if value.role == "device":
        if metric not in (Metric.TEMPERATURE, Metric.TEMPERATURE_DEVICE):
            raise place.at("role").fault(f"`{value.metric}` has no role; only temperature may have `device`")
        return Metric.TEMPERATURE_DEVICE
    if metric is Metric.SMOKE_DENSITY:
        if value.unit_path is not None:
            raise place.at("unit_path").fault(
                f"smoke density has one of the units {', '.join(SMOKE_DENSITIES)}"
            )
        unit = value.unit or said_unit
        if unit and unit not in SMOKE_DENSITIES:
            raise place.at("unit").fault(
                f"unit `{unit}` does not fit `smoke.density`; allowed: {', '.join(SMOKE_DENSITIES)}"
            )
        return SMOKE_DENSITIES.get(unit, metric)
    return metric


def _check(place: Place, value: Value, metric: Metric) -> None:
    """Keys that contradict each other or the metric."""
    foreign, kind, own = (
        (_OF_NUMBERS, "flag", _OF_FLAGS) if metric.is_flag else (_OF_FLAGS, "number", _OF_NUMBERS)
    )
    for key in foreign:
        if _is_said(value, key):
            raise place.at(key).fault(
                f"`{metric.quantity}` is a {kind}; allowed of such keys: {', '.join(own)}"
            )
    if value.const is not None:
        for key in _NOT_WITH_CONST:
            if _is_said(value, key):
                raise place.at(key).fault("has no meaning beside `const`, which is said whatever the value")
    if value.bit is not None and (value.true or value.false or value.nonzero):
        raise place.at("bit").fault("has no meaning beside `true`, `false` and `nonzero`; one way is allowed")
    if metric in LIFE_FLAGS and value.needs:
        raise place.at("needs").fault("a life flag needs nothing else: a fire is not lost to what is missing")
    if not (math.isfinite(value.scale) and value.scale and math.isfinite(value.offset)):
        raise place.at("scale").fault("scale and offset are finite numbers, and scale is not 0")
    if not value.low <= value.high:
        raise place.at("low").fault("is above `high`")
    if value.list_channel and "{" not in value.list_channel:
        raise place.at("list_channel").fault("is the same for all items; `ch{n}` counts them from 1")
    if value.unit and value.unit_path is not None:
        raise place.at("unit_path").fault("has no meaning beside `unit`; one of the two is allowed")


def _is_said(value: Value, key: str) -> bool:
    return bool(getattr(value, key) != getattr(_UNSAID, key))


def _conversion(place: Place, value: Value, metric: Metric, unit: str) -> Conversion:
    """The vendor's scale and offset, and those of the unit behind them."""
    if value.const is not None or metric.is_flag:
        return 1.0, 0.0
    at = place.at("unit") if value.unit else place
    scale, offset = at.read(lambda: conversion_of(unit, metric))
    if offset and (value.sign_from or value.multiply_by):
        raise at.fault(f"unit `{unit}` has an offset: `sign_from` and `multiply_by` are not allowed with it")
    return value.scale * scale, value.offset * scale + offset


def _glued(metric: Metric, unit: str) -> frozenset[str]:
    """The names of a unit, as they may stand behind a number in a text."""
    names = units_in_band(metric)
    return frozenset(name for name, found in names.items() if unit and found == names[unit])


def _words(place: Place, value: Value, metric: Metric) -> Mapping[Word, float]:
    """All words of a column: those of the file before those that every flag takes."""
    if not metric.is_flag:
        for word, number in value.enum.items():
            if not math.isfinite(number):
                raise place.at("enum", word).fault("is no finite number")
        return MappingProxyType({word_of(word): number for word, number in value.enum.items()})
    true, false = place.words(value.true), place.words(value.false)
    if true & false:
        raise place.at("false").fault(
            f"{_listed(true & false)} is in `true` as well; allowed is one of the two"
        )
    usual = dict(_FLAG_WORDS) | (_LIFE_WORDS if metric in LIFE_FLAGS else {})
    if value.bit is not None:  # numbers are looked into, not taken as a whole
        usual = {word: number for word, number in usual.items() if isinstance(word, str)}
    return MappingProxyType(usual | dict.fromkeys(true, 1.0) | dict.fromkeys(false, 0.0))


def _takes_any_number(value: Value, metric: Metric) -> bool:
    """A life flag takes any number but 0 as true, unless the file says which numbers are true or false."""
    said = [word_of(word) for word in (*value.true, *value.false)]
    return metric in LIFE_FLAGS and value.bit is None and not any(isinstance(word, float) for word in said)


def _sentinels(place: Place, value: Value, words: Mapping[Word, float]) -> frozenset[Word]:
    sentinels = place.words(value.sentinels)
    said = place.words([*value.true, *value.false, *value.enum])
    if sentinels & said:
        raise place.at("sentinels").fault(f"{_listed(sentinels & said)} is among the words as well")
    taken = {word for word in sentinels if words.get(word) == 1.0}
    if taken and value.metric in {flag.name_on_wire for flag in LIFE_FLAGS}:
        raise place.at("sentinels").fault(
            f"{_listed(taken)} means true for a life flag, unless it stands in `false`"
        )
    return sentinels


def _faults(place: Place, value: Value, words: Mapping[Word, float]) -> frozenset[Word]:
    faults = place.words(value.faults)
    for word in faults:
        if not isinstance(word, str):
            raise place.at("faults").fault(
                "texts are allowed; numbers that mean nothing stand in `sentinels`"
            )
        if word in words:
            raise place.at("faults").fault(f"`{word}` is among the words as well")
    return faults


def _listed(words: frozenset[Word] | set[Word]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words, key=str))


def _said(place: Place, said: float | bool | None, metric: Metric) -> float | None:
    if said is None:
        return None
    if metric.is_flag and said not in (0, 1):
        raise place.fault(f"`{metric.quantity}` is a flag; true and false are allowed")
    if not metric.is_flag and (isinstance(said, bool) or not math.isfinite(said)):
        raise place.fault(f"`{metric.quantity}` is a number; a finite number is allowed")
    return float(said)


def _sign(place: Place, sign: Sign | None) -> Elsewhere | None:
    if sign is None:
        return None
    negative, positive, signed = (place.words(words) for words in (sign.negative, sign.positive, sign.signed))
    if negative & positive or signed & (negative | positive) or not (negative or positive):
        raise place.fault(
            "`negative`, `positive` and `signed` have different words, the first two at least one"
        )
    signs = dict.fromkeys(negative, -1.0) | dict.fromkeys(positive, 1.0) | dict.fromkeys(signed, 0.0)
    return Elsewhere(_other(place, sign.path), sign.remember, MappingProxyType(signs))


def _factor(place: Place, factor: Operand | None) -> Elsewhere | None:
    if factor is None:
        return None
    return Elsewhere(_other(place, factor.path), factor.remember, MappingProxyType({}))


def _other(place: Place, path: str) -> Way:
    return place.at("path").way(path)


def _list_channel(place: Place, value: Value) -> Pattern | None:
    return place.with_names(["n"]).at("list_channel").pattern_if(value.list_channel)


def _quality(place: Place, names: list[str]) -> int:
    quality = Quality(0)
    for n, name in enumerate(names):
        if name not in QUALITIES:
            raise place.at(n).fault(f"`{name}` is not for a profile to say; allowed: {', '.join(QUALITIES)}")
        quality |= QUALITIES[name]
    return int(quality)
