"""Where rules raise on one series, for charts: by the rules that the running service uses.

Only limits that can be drawn across a chart of the series' own values: of rules on the value itself or on its
mean. A rule on a rate, a difference, a count or a curve has none.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from console.chart_limits import Limit
from devices.model import Metric
from gengfu.rule_explain import series_of, table_of
from gengfu.rulebook import Rulebook, Settled, read_rulebook, settle
from ingest.registered import read_device
from ingest.rule_notes import stored_rules
from ingest.store.history import Series
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.explained import Explained
from rules.kernels.mean import MeanRule
from rules.kernels.neutral_rule import NeutralRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.supply import SupplyRule
from rules.kernels.threshold import ThresholdRule
from rules.quantity import Relative
from rules.rule import BaseRule, JudgedRule
from rules.transition import Why

KEPT_S: Final = 5.0
"""How long what holds for a device is believed (chosen: a page asks for several charts at once)."""
KEPT: Final = 64
"""Devices (chosen: some pages' worth)."""
_ON_VALUES: Final = (ThresholdRule, MeanRule, SupplyRule)
"""Kinds whose levels are values of the metric."""
_Of = Mapping[tuple[str, Metric], list[Limit]]


class LimitsHere:
    """Says where rules raise on a series. For several threads: what is kept may be worked out twice."""

    def __init__(self, clock_us: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock_us, self._monotonic = clock_us, monotonic
        self._book: tuple[str, Settled] | None = None
        self._kept: OrderedDict[str, tuple[float, _Of]] = OrderedDict()

    def __call__(self, connection: Connection, series: Series) -> Sequence[Limit]:
        """The limits of one series, none for a device that is not registered.

        Raises OperationalError, CatalogueError, and ValueError for a book of another release.
        """
        kept = self._kept.get(series.device)
        if kept is None or self._monotonic() - kept[0] >= KEPT_S:
            found = limits_of(connection, series.device, self._settled(connection), self._clock_us())
            kept = self._kept[series.device] = self._monotonic(), found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept[1].get((series.channel, series.metric), ())

    def looks_at(self, connection: Connection, rule: str) -> frozenset[Metric]:
        """What a rule looks at, one on places what its parts do; nothing for a rule that is not known."""
        return metrics_of(self._settled(connection).catalogue, rule)

    def _settled(self, connection: Connection) -> Settled:
        text, book = stored_rules(connection), self._book
        if book is None or book[0] != text:
            book = self._book = text, settle(read_rulebook(text) if text else Rulebook())
        return book[1]


def limits_of(connection: Connection, uid: str, settled: Settled, now_us: int) -> _Of:
    """The limits on each series of a device, by channel and metric."""
    known = read_device(connection, uid)
    found = series_of(connection, uid) if known is not None else []
    if known is None or not found:
        return {}
    engine = Engine(settled.catalogue, table_of(known, found, heard=True), settled.calendar)
    engine.override(settled.overrides, now_us)
    return {
        (channel, Metric(metric)): [
            limit
            for said in engine.explain(slot)
            if not said.why_off
            for limit in _limits(said, Metric(metric))
        ]
        for slot, (channel, metric) in enumerate(found, start=1)
    }


def metrics_of(catalogue: Catalogue, name: str) -> frozenset[Metric]:
    """What the rule of this name looks at."""
    rules = {rule.name: rule for rule in catalogue.rule}
    rule: BaseRule | None = rules.get(name)
    if isinstance(rule, PlaceRule):
        parts = [rules[one] for one in (*rule.anchor, *rule.partner) if one in rules]
        return frozenset(metric for part in parts for metric in part.metrics)
    return frozenset(rule.metrics) if rule is not None else frozenset()


def _limits(said: Explained, metric: Metric) -> Iterator[Limit]:
    rule = said.rule
    title = Why(rule.title.en, rule.title.zh_cn)
    if isinstance(rule, NeutralRule):
        volts = rule.volts()
        yield Limit(rule.name, float(volts.low), title, below=True)
        yield Limit(rule.name, float(volts.high), title)
    elif isinstance(rule, _ON_VALUES) and said.setting is not None:
        value = _value(said, rule, metric)
        if math.isfinite(value):
            yield Limit(rule.name, value, _titled(rule, title), below=rule.below)


def _value(said: Explained, rule: JudgedRule, metric: Metric) -> float:
    assert said.setting is not None, said  # asked for settings only
    level = said.setting.raise_at
    value = level.value_in(rule.units(metric), metric.name_on_wire)
    return value if level.relative is Relative.NOTHING else value * said.reference_a


def _titled(rule: JudgedRule, title: Why) -> Why:
    """A mean is compared, where the chart shows single values as well."""
    return Why(f"{title.en} (mean)", f"{title.zh_cn}（均值）") if isinstance(rule, MeanRule) else title
