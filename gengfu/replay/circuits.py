"""What a replay is told of devices beside their readings: circuits and places, from a file or the registry.

A file is CSV, or TOML with a table `[[circuit]]` each. Nothing in it must be registered: a place is whatever
code it is given. A line that names a channel adds to, or replaces, what is said of its device.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from devices.model import DeviceKind, Earthing, Insulation
from devices.schema import area, building, dwelling, stair
from gengfu.replay.reading import Lines, RecordingError
from gengfu.replay.rings import ring_of
from ingest.registered import NOTHING_READ, Circuit, read_changes

INSULATIONS: Final = {one.name.lower(): int(one) for one in Insulation}
EARTHINGS: Final = {one.name.lower().replace("_", "-"): int(one) for one in Earthing}
KINDS: Final = {one.name.lower(): int(one) for one in DeviceKind}
_AMPERES: Final = ("breaker_a", "cable_a")
_WORDS: Final = {"insulation": INSULATIONS, "earthing": EARTHINGS, "kind": KINDS}
_CODES: Final = ("dwelling", "stair", "building", "area", "parent")
COLUMNS: Final = ("device", "channel", *_AMPERES, *_WORDS, *_CODES, "silence_s")
"""What may be said; all but `device` may be left out or empty."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one device or channel. Amperes and seconds are NaN where unknown, codes of places and
    of the gateway (`parent`) empty; `insulation`, `earthing` and `kind` are codes of the model."""

    breaker_a: float = math.nan
    cable_a: float = math.nan
    insulation: int = 0
    earthing: int = 0
    kind: int = 0
    dwelling: str = ""
    stair: str = ""
    building: str = ""
    area: str = ""
    parent: str = ""
    silence_s: float = math.nan

    @property
    def reference_a(self) -> float:
        """I_ref: the smaller of breaker and cable, as far as they are known."""
        known = [one for one in (self.breaker_a, self.cable_a) if not math.isnan(one)]
        return min(known, default=math.nan)


NOTHING: Final = Facts()


class Circuits:
    """Facts by device and channel; those of a channel before those of its device."""

    def __init__(self, facts: Mapping[tuple[str, str], Facts] | None = None) -> None:
        self._facts = dict(facts or {})

    @property
    def named(self) -> frozenset[tuple[str, str]]:
        """The devices and channels of which something is said."""
        return frozenset(self._facts)

    def of(self, device: str, channel: str) -> Facts:
        """What is known of a channel."""
        return self._facts.get((device, channel)) or self._facts.get((device, ""), NOTHING)

    def and_then(self, other: Circuits) -> Circuits:
        """These, and those of `other` in the place of those with the same device and channel."""
        return Circuits({**self._facts, **other._facts})


def read_circuits(path: Path) -> Circuits:
    """The circuits of a file. Raises RecordingError with the line or the number of the table."""
    facts: dict[tuple[str, str], Facts] = {}
    gateways: dict[str, dict[str, str]] = {}
    for place, entry in _tables(path) if path.suffix == ".toml" else _lines(path):
        device, channel = str(entry.get("device") or ""), str(entry.get("channel") or "")
        if not device:
            raise RecordingError(f"{place}, column `device`: is missing")
        if (device, channel) in facts:
            named = f"{device} {channel}".rstrip()
            raise RecordingError(f"{place}: {named} is there twice")
        facts[device, channel] = _facts(place, entry, facts.get((device, ""), NOTHING))
        if entry.get("parent"):
            gateways.setdefault(device, {})[str(entry["parent"])] = place
    _refuse_rings(gateways)
    return Circuits(facts)


def _refuse_rings(named: Mapping[str, Mapping[str, str]]) -> None:
    """`named`: the gateways of each device, and where each is named."""
    ring = ring_of({device: tuple(parents) for device, parents in named.items()})
    if ring:
        place = named[ring[0]][ring[1 % len(ring)]]
        raise RecordingError(f"{place}, column `parent`: a ring of gateways: {' → '.join((*ring, ring[0]))}")


def registered_circuits(connection: Connection) -> Circuits:
    """What the registry says of devices in service, as of now."""
    codes = {
        table: {row.id: row.code for row in connection.execute(select(table.c.id, table.c.code))}
        for table in (dwelling, stair, building, area)
    }
    found: dict[tuple[str, str], Facts] = {}
    for part in read_changes(connection, NOTHING_READ):
        for one in part.devices:
            if one.retired_us:
                continue
            whole = Facts(
                earthing=one.earthing,
                kind=one.kind,
                dwelling=codes[dwelling].get(one.dwelling, ""),
                stair=codes[stair].get(one.stair, ""),
                building=codes[building].get(one.building, ""),
                area=codes[area].get(one.area, ""),
                parent=one.parent,
                silence_s=float(one.silence) if one.silence else math.nan,
            )
            own = {"": Circuit(one.reference, one.breaker, one.insulation), **one.channels}
            for channel, of in own.items():
                found[one.uid, channel] = replace(
                    whole, breaker_a=of.breaker_a, cable_a=of.reference_a, insulation=of.insulation
                )
    return Circuits(found)


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = Lines(path, ("device",), COLUMNS[1:])
    for row in lines:
        yield f"{path}, line {lines.line}", row


def _tables(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not TOML: {error}") from None
    entries = tree.get("circuit", [])
    if set(tree) - {"circuit"} or not isinstance(entries, list):
        raise RecordingError(f"{path}: only tables [[circuit]] are allowed")
    for n, entry in enumerate(entries, start=1):
        place = f"{path}, circuit {n}"
        unknown = set(entry) - set(COLUMNS) if isinstance(entry, dict) else {"circuit"}
        if unknown:
            allowed = ", ".join(COLUMNS)
            raise RecordingError(f"{place}: `{sorted(unknown)[0]}` is unknown; allowed: {allowed}")
        yield place, entry


def _facts(place: str, entry: Mapping[str, Any], whole: Facts) -> Facts:
    """The facts of a line over those of its device."""
    said: dict[str, Any] = {}
    for column in (*_AMPERES, "silence_s"):
        if entry.get(column) not in {None, ""}:
            said[column] = _above_nothing(place, column, entry[column])
    for column, words in _WORDS.items():
        if word := entry.get(column):
            if word not in words:
                allowed = ", ".join(words)
                raise RecordingError(f"{place}, column `{column}`: `{word}` is unknown; allowed: {allowed}")
            said[column] = words[word]
    said |= {column: str(entry[column]) for column in _CODES if entry.get(column)}
    return replace(whole, **said)


def _above_nothing(place: str, column: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise RecordingError(f"{place}, column `{column}`: `{value}` is no number above 0")
    return number
