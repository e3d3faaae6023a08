"""What holds for one device: each of its series with each rule that watches it, as lines and as objects."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray
from sqlalchemy import Connection, select

from devices.commands import Desk
from devices.commands.desk import instant, looking
from devices.commands.times import local_text
from devices.model import Earthing, Insulation, Metric, ReadingBatch, SeriesTable, phase_of
from devices.registry.errors import NotThere
from devices.schema import series
from gengfu.config import Config
from gengfu.live_rules import LiveRules
from gengfu.rules_here import RulesHere, rules_here
from gengfu.shipped import as_written, quantity_text
from ingest.known_devices import Devices
from ingest.registered import Known, read_device
from rules.catalogue import Catalogue
from rules.explained import Explained
from rules.overrides import Override

_SHARED = ("kernel", "name", "severity", "title", "source", "metric", "insulation", "where")
"""Keys of a rule that are no numbers, or are told elsewhere."""
_SETTLED = ("raise", "hold", "clear", "clear_hold")


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
    that some rule would watch: the device has sent nothing yet."""

    uid: str
    circuit: Mapping[str, Any]
    series: tuple[ExplainedSeries, ...]
    refused: str
    heard: bool


def explained_device(desk: Desk, config: Config, uid: str, now_us: int) -> ExplainedDevice:
    """Reads and explains. Refuses, as every command, a device that is not registered."""
    with looking(desk) as connection:
        known = read_device(connection, uid)
        if known is None:
            raise NotThere(f"no device with uid {uid!r}")
        here = rules_here(config, connection, now_us)
        found = _series_of(connection, uid)
    return explain_device(known, found, here, now_us)


def explain_device(
    known: Known, found: list[tuple[str, int]], here: RulesHere, now_us: int
) -> ExplainedDevice:
    """The same, of what was read: `found` are the channel and metric of each of its series."""
    heard = bool(found)
    if not heard:
        found = _watched(here.settled.catalogue, known)
    table = _table_of(known, found)
    rules = LiveRules(table, here.book)
    rules.evaluate(ReadingBatch.empty(now_us), [], now_us)
    shown = [
        ExplainedSeries(channel, Metric(metric).name_on_wire, tuple(rules.explain(slot)))
        for slot, (channel, metric) in enumerate(found, start=1)
    ]
    return ExplainedDevice(known.uid, _circuit(known, table), tuple(shown), here.refused, heard)


def text_lines(card: ExplainedDevice, timezone: str) -> Iterator[str]:
    """For people: a block for each series."""
    yield ", ".join([card.uid, *(f"{key} {value}" for key, value in card.circuit.items())])
    if card.refused:
        yield f"the own rule file is refused, and what was used last holds: {card.refused}"
    if not card.heard:
        yield "nothing was heard of it yet: below is what holds for each thing that it may measure"
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


def json_lines(card: ExplainedDevice) -> Iterator[str]:
    """An object for each series and rule."""
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
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _settled(said: Explained) -> dict[str, str]:
    """The levels and holds of a setting, as a rule file has them."""
    setting = said.setting
    assert setting is not None, said  # asked for settings only
    found = {"raise": _level(str(setting.raise_at), setting.raise_at.value, said.reference_a)}
    if setting.clear_below is not None:
        found["clear"] = _level(str(setting.clear_below), setting.clear_below.value, said.reference_a)
    return found | {"hold": quantity_text(setting.hold), "clear_hold": quantity_text(setting.clear_hold)}


def _level(text: str, value: float, reference_a: float) -> str:
    return text if math.isnan(reference_a) else f"{text} = {value * reference_a:.3g} A"


def _told(one: Override, timezone: str) -> str:
    until = f"until {local_text(one.until_us, timezone)}" if one.until_us is not None else "for good"
    what = "switched off" if one.off else "changed"
    return f"{what} by override {one.id} ({one.scope}): {one.author}, {one.reason}, {until}"


def _as_object(one: Override) -> dict[str, Any]:
    return {
        "id": one.id,
        "scope": one.scope,
        "off": one.off,
        "author": one.author,
        "reason": one.reason,
        "from": instant(one.from_us),
        "until": instant(one.until_us),
    }


def _series_of(connection: Connection, uid: str) -> list[tuple[str, int]]:
    query = select(series.c.channel, series.c.metric).where(series.c.uid == uid)
    metrics = {int(metric) for metric in Metric}
    rows = connection.execute(query.order_by(series.c.channel, series.c.metric))
    return [(channel, metric) for channel, metric in rows if metric in metrics]


def _watched(catalogue: Catalogue, known: Known) -> list[tuple[str, int]]:
    """Every metric that a rule watches, on each channel that has a circuit of its own, else on the whole."""
    metrics = sorted({int(metric) for rule in catalogue.rule for metric in rule.metrics})
    return [(channel, metric) for channel in sorted(known.channels) or [""] for metric in metrics]


def _table_of(known: Known, found: list[tuple[str, int]]) -> SeriesTable:
    """A table of the device's series alone, as ingest would have them; slot 0 is nobody's."""
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

    return SeriesTable(
        generation=1,
        metric=each([metric for _, metric in found], np.int16),
        device=each([devices.id_of(number)] * n, np.int32),
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
        phase=each([phase_of(channel) for channel, _ in found], np.uint8),
    )


def _circuit(known: Known, table: SeriesTable) -> dict[str, Any]:
    """What is known of it, in words."""
    words: dict[str, Any] = {}
    if known.retired_us:
        words["retired"] = instant(known.retired_us)
    words["breaker"] = "unknown" if math.isnan(known.breaker) else f"{known.breaker:g} A"
    words["I_ref"] = "unknown" if math.isnan(known.reference) else f"{known.reference:g} A"
    words["insulation"] = Insulation(known.insulation).name.lower()
    words["earthing"] = Earthing(known.earthing).name.lower().replace("_", "-")
    if len(table) > 1 and not math.isnan(float(table.silence_s[1])):
        words["may be silent"] = f"{table.silence_s[1]:g} s"
    return words
