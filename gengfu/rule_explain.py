"""What holds for one device: each of its series with each rule that watches it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sqlalchemy import Connection, Engine, select

from devices.database import reading
from devices.model import (
    DeviceKind,
    Earthing,
    Insulation,
    Metric,
    ReadingBatch,
    SeriesTable,
    in_room,
    phase_of,
)
from devices.registry.errors import NotThere
from devices.schema import series
from gengfu.config import Config
from gengfu.live_rules import LiveRules
from gengfu.rule_offline import Offline, offline_of
from gengfu.rules_here import RulesHere, rules_here
from gengfu.standing import standing_of
from gengfu.told_times import site_text
from ingest.known_devices import Devices
from ingest.registered import Known, read_device
from rules.catalogue import Catalogue
from rules.explained import Explained


@dataclass(frozen=True, slots=True)
class ExplainedSeries:
    """One series of a device and what each rule is there."""

    channel: str
    metric: str
    rules: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class ExplainedDevice:
    """A device and its series, by channel and metric. `circuit` says what the registry knows that counts for
    rules; `refused` why the site's own rules are not those of its file. Without `heard` the series are those
    that some rule would watch: the device has sent nothing yet. `standing` has the incident of each alarm of
    it that is up, by rule and subject; `offline` is about the device as a whole."""

    uid: str
    circuit: Mapping[str, Any]
    series: tuple[ExplainedSeries, ...]
    refused: str
    heard: bool
    standing: Mapping[tuple[str, str], int] = field(default_factory=dict)
    offline: tuple[Offline, ...] = ()

    def incident_of(self, said: Explained, one: ExplainedSeries) -> int | None:
        """The incident in which an alarm of this rule on this series is up."""
        several = f"/{one.metric}" if len(said.rule.metrics) > 1 else ""
        return self.standing.get((said.rule.name, f"{self.uid}/{one.channel}{several}"))


def explained_device(engine: Engine, config: Config, uid: str, now_us: int) -> ExplainedDevice:
    """Reads and explains. Raises NotThere for a device that is not registered."""
    with reading(engine) as connection:
        known = read_device(connection, uid)
        if known is None:
            raise NotThere(f"no device with uid {uid!r}")
        here = rules_here(config, connection, now_us)
        found = series_of(connection, uid)
        standing = standing_of(connection, uid)
        offline = tuple(offline_of(connection, known, here.settled.catalogue))
    return replace(explain_device(known, found, here, now_us), standing=standing, offline=offline)


def explain_device(
    known: Known, found: list[tuple[str, int]], here: RulesHere, now_us: int
) -> ExplainedDevice:
    """The same, of what was read: `found` are the channel and metric of each of its series."""
    heard = bool(found)
    if not heard:
        found = _watched(here.settled.catalogue, known)
    table = table_of(known, found, heard=heard)
    rules = LiveRules(table, here.book)
    rules.evaluate(ReadingBatch.empty(now_us), [], now_us)
    shown = [
        ExplainedSeries(channel, Metric(metric).name_on_wire, tuple(rules.explain(slot)))
        for slot, (channel, metric) in enumerate(found, start=1)
    ]
    return ExplainedDevice(
        known.uid, _circuit(known, table, here.book.timezone), tuple(shown), here.refused, heard
    )


def series_of(connection: Connection, uid: str) -> list[tuple[str, int]]:
    """The channel and metric of each series that was heard of a device."""
    query = select(series.c.channel, series.c.metric).where(series.c.uid == uid)
    metrics = {int(metric) for metric in Metric}
    rows = connection.execute(query.order_by(series.c.channel, series.c.metric))
    return [(channel, metric) for channel, metric in rows if metric in metrics]


def _watched(catalogue: Catalogue, known: Known) -> list[tuple[str, int]]:
    """Every metric that a rule watches, on each channel that has a circuit of its own, else on the whole."""
    metrics = sorted({int(metric) for rule in catalogue.rule for metric in rule.metrics})
    return [(channel, metric) for channel in sorted(known.channels) or [""] for metric in metrics]


def table_of(known: Known, found: list[tuple[str, int]], *, heard: bool) -> SeriesTable:
    """A table of the device's series alone, as ingest would have them; slot 0 is nobody's. Where the registry
    does not say what the device is, no series that was not heard is taken for the air of a room."""
    devices = Devices()
    [number] = devices.take([known])
    circuits = [devices.circuit(number, channel) for channel, _ in found]
    one = np.array([number], np.int32)
    n = len(found)

    def same(name: str) -> NDArray[Any]:
        value = devices.fact(name, one)
        return np.concatenate((np.zeros(1, value.dtype), np.repeat(value, n)))

    def each(values: Sequence[float], kind: DTypeLike) -> NDArray[Any]:
        return np.array([0, *values], kind)

    metric = each([metric for _, metric in found], np.int16)
    device = each([devices.id_of(number)] * n, np.int32)
    phase = each([phase_of(channel) for channel, _ in found], np.uint8)
    return SeriesTable(
        generation=1,
        metric=metric,
        device=device,
        dwelling=same("dwelling"),
        reference_a=each([circuit.reference_a for circuit in circuits], np.float64),
        stair=same("stair"),
        building=same("building"),
        area=same("area"),
        parent=each([0] * n, np.int32),
        breaker_a=each([circuit.breaker_a for circuit in circuits], np.float32),
        silence_s=same("silence").astype(np.float32),
        insulation=each([circuit.insulation for circuit in circuits], np.uint8),
        earthing=same("earthing"),
        kind=same("kind"),
        phase=phase,
        room=in_room(metric, device, phase) if heard else np.zeros(n + 1, np.bool_),
    )


def _circuit(known: Known, table: SeriesTable, timezone: str) -> dict[str, Any]:
    """What is known of it, in words."""
    words: dict[str, Any] = {}
    if known.retired_us:
        words["retired"] = site_text(known.retired_us, timezone)
    words["kind"] = DeviceKind(known.kind).name.lower()
    words["breaker"] = "unknown" if math.isnan(known.breaker) else f"{known.breaker:g} A"
    words["I_ref"] = "unknown" if math.isnan(known.reference) else f"{known.reference:g} A"
    words["insulation"] = Insulation(known.insulation).name.lower()
    words["earthing"] = Earthing(known.earthing).name.lower().replace("_", "-")
    if len(table) > 1 and not math.isnan(float(table.silence_s[1])):
        words["may be silent"] = f"{table.silence_s[1]:g} s"
    return words
