"""What was done to a raw value, in words: the order is that of `language.file.Value`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Column, Elsewhere
from devices.profiles.general.findings import Finding
from devices.profiles.general.reaching import safe_word
from devices.profiles.values.reading import conversion_in_band, glued_unit, read_value

SHOWN_MAX: Final = 60
"""Characters of a raw value that are shown (chosen)."""


def done_to(finding: Finding) -> Iterator[str]:
    """Each step that changed the value or its quality."""
    column, raw = finding.column, finding.raw
    if column.const is not None:
        yield f"says {column.const:g} whatever it is"
        return
    if raw is MISSING:
        yield "missing" if column.default is None else f"missing, which means {column.default:g}"
        raw = column.default
    word = safe_word(raw)
    if word in column.sentinels:
        yield "a sentinel: nothing measured"
        return
    if word in column.faults or (isinstance(word, float) and word < column.broken_below):
        yield "no value: measuring failed"
        return
    if word is not None and word in column.words:
        number = column.words[word]
        meant = f"{number:g}" if not column.metric.is_flag else "true" if number else "false"
        if shown(raw) != meant:
            yield f"{shown(raw)} means {meant}"
    elif column.bit is not None:
        yield f"bit {column.bit}"
    elif column.nonzero:
        yield "any number but 0 is true"
    if unit := glued_unit(raw):
        yield f"the unit `{unit}` stands in the text"
    if column.scale != 1.0:
        yield f"x {column.scale:.12g}"
    if column.offset:
        yield f"{column.offset:+.12g}"
    yield from _elsewhere(column.sign, finding.sign, "sign from", "remembered sign of")
    yield from _elsewhere(column.factor, finding.factor, "x", "x the remembered")
    yield from _unit(column, finding.raw, finding.unit)
    yield from _judged(finding)
    if column.invert:
        yield "inverted"
    if column.hold_us:
        yield f"false again after {column.hold_us / 1e6:g} s"


def shown(raw: object) -> str:
    """A raw value as JSON, cut where it is long."""
    if raw is MISSING:
        return "missing"
    try:
        text = msgspec.json.encode(raw).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        text = str(type(raw).__name__)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"


def _elsewhere(one: Elsewhere | None, raw: object, here: str, remembered: str) -> Iterator[str]:
    if one is None:
        return
    path = ".".join(map(str, one.way.steps))
    if raw is MISSING or raw is None:
        yield f"{remembered} {path}" if one.remember else f"{path} is missing"
    else:
        yield f"{here} {path} = {shown(raw)}"


def _unit(column: Column, raw: object, unit: object) -> Iterator[str]:
    if column.unit_way is None:
        return
    path = ".".join(map(str, column.unit_way.steps))
    if unit == raw or unit is MISSING or unit is None:  # it should stand behind the number
        path, unit = "the unit", glued_unit(raw)
        if not unit:
            yield "no unit stands behind the number, nor elsewhere"
            return
    conversion = conversion_in_band(column.units, unit)
    if conversion is None:
        yield f"{path} = {shown(unit)} is no unit of {column.metric.quantity}"
        return
    scale, offset = conversion
    changes = [f"x {scale:.12g}"] * (scale != 1.0) + [f"{offset:+.12g}"] * (offset != 0.0)
    yield f"{path} = {shown(unit)}" + (f": {' '.join(changes)}" if changes else "")


def _judged(finding: Finding) -> Iterator[str]:
    column = finding.column
    _, bits = read_value(column, finding.raw, finding.sign, finding.factor, finding.unit)
    quality = Quality(int(bits))
    if Quality.OUT_OF_RANGE in quality:
        yield f"outside {column.low:g} … {column.high:g}"
    if Quality.FAULT in quality:
        yield "no value: measuring failed"
    if Quality.TYPE_MISMATCH in quality:
        kind = "a flag" if column.metric.is_flag else "a number"
        if (unit := glued_unit(finding.raw)) and column.unit_way is None and not column.metric.is_flag:
            yield (
                f"no value: the file says another unit than `{unit}`"
                if column.glued
                else f'no value: the file says no unit; `unit = "{unit}"`, or `unit_path = ""` for any'
            )
            return
        yield f"no value: {column.metric.quantity} is {kind}, and this is none that the profile knows"
    if Quality.INCOMPLETE in Quality(finding.flags):
        yield "no value: something that it needs is missing"
