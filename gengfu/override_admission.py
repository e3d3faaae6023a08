"""Whether an override may go on record: what its rule can take, and for how long it may loosen.

The circuits concerned are those of the registry as it is now; a rating or a place that changes later is not
looked at again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sqlalchemy import Connection, select

from devices.model import SeriesTable
from devices.registry.rule_overrides import OverrideRow
from devices.schema import series
from gengfu.following_rules import stated
from gengfu.overriding import rule_to_override
from gengfu.rulebook import Settled, fitting
from ingest.registered import NOTHING_READ, Circuit, Known, read_changes, read_device
from rules.loosening import check_end, may_last
from rules.overrides import LIFE_SAFETY, Scope
from rules.rule import HeldRule

_PLACE: Final = {Scope.AREA: "area", Scope.BUILDING: "building", Scope.DWELLING: "dwelling"}


def admit(connection: Connection, row: OverrideRow, ids: frozenset[int], settled: Settled) -> None:
    """Raises OverrideError where the override cannot go on record by the rules and overrides of `settled`.

    Cost: where it has no end, or a late one, the devices of the place are read: some seconds at 100,000.
    """
    one = fitting(stated(row, ids), settled.catalogue)
    rule = rule_to_override(settled.catalogue, one.rule)
    if rule.severity not in LIFE_SAFETY or may_last(one):
        return
    check_end(one, rule, settled.overrides.all, circuits_concerned(connection, row, ids, rule))


def circuits_concerned(
    connection: Connection, row: OverrideRow, ids: frozenset[int], rule: HeldRule
) -> SeriesTable:
    """The circuits of the devices in service that the override is about: a slot each, from 1 on.

    Of a device that was heard, those of the channels that the rule watches; of any other, all it has.
    """
    scope, metrics = Scope(row.scope), [int(metric) for metric in rule.metrics]
    heard: dict[str, set[str]] = {}
    for uid, channel in connection.execute(
        select(series.c.uid, series.c.channel).where(series.c.metric.in_(metrics))
    ):
        heard.setdefault(uid, set()).add(channel)
    found = [
        (known, circuit)
        for known in _devices(connection, scope, row.code, ids)
        if not known.retired_us
        for circuit in _circuits(known, heard.get(known.uid, set()))
    ]
    return _table(found)


def _devices(connection: Connection, scope: Scope, code: str, ids: frozenset[int]) -> Iterator[Known]:
    if scope is Scope.DEVICE:
        known = read_device(connection, code)
        yield from [known] if known else []
        return
    for part in read_changes(connection, NOTHING_READ):
        yield from (known for known in part.devices if getattr(known, _PLACE[scope]) in ids)


def _circuits(known: Known, heard: set[str]) -> list[Circuit]:
    whole = Circuit(known.reference, known.breaker, known.insulation)
    if heard:
        return [known.channels.get(channel, whole) for channel in sorted(heard)]
    own = list(known.channels.values())
    return own if own and math.isnan(whole.reference_a) else [whole, *own]


def _table(found: list[tuple[Known, Circuit]]) -> SeriesTable:
    def column(values: Iterable[float], kind: DTypeLike) -> NDArray[Any]:
        return np.array([0, *values], kind)

    n = len(found) + 1
    nothing = np.zeros(n, np.int32)
    table = SeriesTable.plain(1, np.zeros(n, np.int16), nothing, nothing, np.full(n, np.nan))
    return replace(
        table,
        device=column((known.id for known, _ in found), np.int32),
        dwelling=column((known.dwelling for known, _ in found), np.int32),
        building=column((known.building for known, _ in found), np.int32),
        area=column((known.area for known, _ in found), np.int32),
        reference_a=column((one.reference_a for _, one in found), np.float64),
        breaker_a=column((one.breaker_a for _, one in found), np.float32),
        insulation=column((one.insulation for _, one in found), np.uint8),
    )
