"""What a chart is drawn from: one series in pieces, its limits and the marks of the event. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from console.chart_limits import Limit
from console.chart_span import Span
from console.value_words import FLAGS, VALUE_WORDS, channel_words, figure, noun_in, unit_of, value_words
from console.values_told import RaisedAlarm
from devices.model import Float64
from ingest.store.histories import Sketch
from ingest.store.history import Outline, Series

SILENCE: Final = 3
"""A line does not go over a silence longer than so many pieces, nor so many times what is usual between two
pieces in which something was heard (chosen): a device that reports every five minutes is not silent between
its reports."""
MARKS: Final = 12
"""Vertical lines of one chart (chosen)."""
_S: Final = 1e9
"""Nanoseconds."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the event: `kind` is opened, raised or closed."""

    at_us: int
    kind: str
    rule: str = ""


def marks_of(alarms: Iterable[RaisedAlarm], uid: str, opened_us: int, closed_us: int | None) -> list[Mark]:
    """When the incident began and ended, and when alarms of this device were raised; the first MARKS."""
    raised = {Mark(one.raised_us, "raised", one.rule) for one in alarms if one.uid == uid}
    marks = [Mark(opened_us, "opened"), *sorted(raised, key=lambda one: (one.at_us, one.rule))][: MARKS - 1]
    return [*marks, Mark(closed_us, "closed")] if closed_us else marks


def chart_of(
    series: Series,
    sketch: Sketch,
    span: Span,
    marks: Sequence[Mark],
    limits: Sequence[Limit],
    raised: Collection[str],
    language: str,
) -> dict[str, Any]:
    """As JSON for static/chart.js. Times are seconds since 1970, values in the unit that is shown; None is
    where the line breaks. `raised` are the rules of the incident on this device: their limits are always
    shown. `line` names what the line of the chart follows: the mean, and of a flag what asks for a look, so
    that no short alarm is averaged away."""
    unit, outline = unit_of(series.metric), sketch.outline
    states = FLAGS.get(series.metric)
    rows = list(_rows(outline, span))
    return {
        "name": f"{noun_in(series.metric, language)} {channel_words(series.channel, language)}".rstrip(),
        "words": _words(series, outline, language),
        "unit": unit.name,
        "is_flag": series.metric.is_flag,
        "states": [value_words(series.metric, state, language) for state in (0.0, 1.0)] if states else None,
        "line": ("least" if states.bad == 0 else "most") if states else "mean",
        "from": span.from_ns / _S,
        "to": span.to_ns / _S,
        "step": span.step_ns / _S,
        "times": [at for at, _ in rows],
        **{
            key: [_number(column, place, unit.factor) for _, place in rows]
            for key, column in (("least", outline.least), ("mean", outline.mean), ("most", outline.most))
        },
        "count": [0 if place is None else int(outline.count[place]) for _, place in rows],
        "doubtful": int(outline.doubtful.sum()),
        "lacks": sketch.lacks,
        "whole_from": _whole_from(sketch, span),
        "marks": [{"at": one.at_us / 1e6, "kind": one.kind, "words": _mark(one, language)} for one in marks],
        "limits": [
            _limit(one, unit.factor, unit.name, one.rule in raised, language)
            for one in sorted(limits, key=lambda one: one.value)
            if not series.metric.is_flag
        ],
    }


def _rows(outline: Outline, span: Span) -> Iterator[tuple[float, int | None]]:
    """The middle of each piece in seconds and its place; between them None where a silence begins."""
    begins = outline.begin_ns.tolist()
    between = np.diff(outline.begin_ns)
    usual_ns = int(np.median(between)) if len(between) else span.step_ns
    longest_ns = SILENCE * max(usual_ns, span.step_ns)
    before_ns = None
    for place, begin_ns in enumerate(begins):
        if before_ns is not None and begin_ns - before_ns > longest_ns:
            yield (before_ns + 1.5 * span.step_ns) / _S, None
        yield (begin_ns + 0.5 * span.step_ns) / _S, place
        before_ns = begin_ns


def _number(column: Float64, place: int | None, factor: float) -> float | None:
    if place is None or not math.isfinite(column[place]):
        return None
    return float(f"{column[place] * factor:.9g}")


def _words(series: Series, outline: Outline, language: str) -> str:
    """What a reader hears who does not see the chart."""
    name = f"{noun_in(series.metric, language)} {channel_words(series.channel, language)}".rstrip()
    some = np.isfinite(outline.least) & np.isfinite(outline.most)
    if not some.any():
        return f"{name}: {_said('chart.empty', language)}"
    least = value_words(series.metric, float(outline.least[some].min()), language)
    most = value_words(series.metric, float(outline.most[some].max()), language)
    return f"{name}: {_said('chart.least', language)} {least}, {_said('chart.most', language)} {most}"


def _whole_from(sketch: Sketch, span: Span) -> float | None:
    """From when on nothing is missing, where something may be."""
    if not sketch.lacks:
        return None
    return min(max(sketch.whole_from_ns, span.from_ns), span.to_ns) / _S


def _mark(mark: Mark, language: str) -> str:
    return f"{mark.rule} {_said(f'chart.{mark.kind}', language)}".lstrip()


def _limit(limit: Limit, factor: float, unit: str, raised: bool, language: str) -> dict[str, Any]:
    short = f"{limit.rule} {'≤' if limit.below else '≥'} {figure(limit.value * factor, unit)}"
    return {
        "value": limit.value * factor,
        "short": short,
        "words": f"{short} {limit.title.said_in(language)}",
        "raised": raised,
    }


def _said(key: str, language: str) -> str:
    zh_cn, en = VALUE_WORDS[key]
    return zh_cn if language == "zh-CN" else en
