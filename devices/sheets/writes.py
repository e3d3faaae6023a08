"""A plan as rows to write: ids given, places resolved, personal data sealed, before the write lock.

History is that of the single commands: a changed binding ends and another begins, a device that moved has its
stay ended and another begun, a way that went keeps its row with an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table

from devices.registry.bindings import PLACES
from devices.registry.tree import LEVELS
from devices.schema import (
    area,
    binding,
    building,
    contact,
    contact_channel,
    device,
    device_channel,
    dwelling,
    placement,
    stair,
)
from devices.sheets.columns import WayText
from devices.sheets.forms import HANGING, HANGS, Key
from devices.sheets.known import Known, Registry
from devices.sheets.plan import Changed, Step
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, DWELLING_ATTENTION, Vault

TABLES: Final[dict[str, Table]] = {
    "area": area,
    "building": building,
    "stair": stair,
    "dwelling": dwelling,
    "contact": contact,
    "binding": binding,
    "device": device,
    "channel": device_channel,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one statement. Without `match` they are inserted; with it the rows of `table` whose `match`
    column holds the first value, and whose `open` column (if any) is null, get the others. `stamped` rows get
    the import's change as `change_id`."""

    table: Table
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    match: str = ""
    open: str = ""
    stamped: bool = False


TakeIds = Callable[[Table, int], Sequence[int]]
"""Gives so many new ids of a table."""


def batches(
    steps: Mapping[str, Step],
    registry: Registry,
    vault: Vault,
    take: TakeIds,
    *,
    by: str,
    now_us: int,
) -> list[Batch]:
    """The batches in the order in which they must be written; none that is empty."""
    made = _Batches(registry, vault, take, by[:64], now_us)
    for name, step in steps.items():
        made.give_ids(name, step)
    for name, step in steps.items():
        made.add(name, step)
    return [batch for batch in made.found if batch.rows]


class _Batches:
    def __init__(self, registry: Registry, vault: Vault, take: TakeIds, by: str, now_us: int) -> None:
        self._registry = registry
        self._vault = vault
        self._take = take
        self._by = by
        self._now_us = now_us
        self.found: list[Batch] = []

    def give_ids(self, name: str, step: Step) -> None:
        """An id for everything new, areas from the top down."""
        if name == "area":
            step.new.sort(key=lambda values: LEVELS.index(values[1]))
        rows = self._registry.rows[name]
        for row_id, values in zip(self._take(TABLES[name], len(step.new)), step.new, strict=True):
            rows[step.table.form.key(values)] = Known(row_id, values)

    def add(self, name: str, step: Step) -> None:
        """The batches of one step."""
        getattr(self, f"_{name}")(step)

    def _id(self, form: str, key: Key) -> int | None:
        return self._registry.rows[form][key].id if key else None

    def _new(self, step: Step) -> Iterable[tuple[int, tuple[Any, ...]]]:
        rows, key = self._registry.rows[step.table.form.name], step.table.form.key
        return ((rows[key(values)].id, values) for values in step.new)

    def _upsert(self, step: Step, columns: str, row: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        """New rows and changed ones with the same columns."""
        table, names = TABLES[step.table.form.name], ("id", *columns.split())
        self.found += [
            Batch(table, names, [(id_, *row(values)) for id_, values in self._new(step)]),
            Batch(table, names, [(one.id, *row(one.new)) for one in step.changed], match="id"),
        ]

    def _area(self, step: Step) -> None:
        self._upsert(step, "code level name parent_id", lambda v: (*v[:3], self._id("area", v[3])))

    def _building(self, step: Step) -> None:
        self._upsert(step, "code name area_id floors", lambda v: (*v[:2], self._id("area", v[2]), v[3]))
        self._devices_in([one for one in step.changed if one.old[2] != one.new[2]])

    def _devices_in(self, moved: Sequence[Changed]) -> None:
        """Devices of buildings that lie elsewhere now are noted as changed."""
        rows, codes = self._registry.rows, {one.new[0] for one in moved}
        stairs = {
            code: known.id for code, known in rows["stair"].items() if codes and known.values[2] in codes
        }
        flats = [(known.id,) for known in rows["dwelling"].values() if stairs and known.values[1] in stairs]
        houses = [(one.id,) for one in moved]
        self.found += [
            Batch(device, ("dwelling_id",), flats, match="dwelling_id", stamped=True),
            Batch(device, ("stair_id",), [(id_,) for id_ in stairs.values()], match="stair_id", stamped=True),
            Batch(device, ("building_id",), houses, match="building_id", stamped=True),
        ]

    def _stair(self, step: Step) -> None:
        self._upsert(step, "code name building_id", lambda v: (*v[:2], self._id("building", v[2])))

    def _dwelling(self, step: Step) -> None:
        def place(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return (values[0], self._id("stair", values[1]), *values[2:4])

        def sealed(values: tuple[Any, ...]) -> bytes | None:
            return self._vault.seal(values[4], DWELLING_ATTENTION) if values[4] else None

        names = ("id", "code", "stair_id", "floor", "flat")
        noted = [one for one in step.changed if one.old[4] != one.new[4]]
        new = [(id_, *place(values), sealed(values)) for id_, values in self._new(step)]
        self.found += [
            Batch(dwelling, (*names, "attention_sealed"), new),
            Batch(dwelling, names, [(one.id, *place(one.new)) for one in step.changed], match="id"),
            Batch(
                dwelling, ("id", "attention_sealed"), [(one.id, sealed(one.new)) for one in noted], match="id"
            ),
        ]

    def _contact(self, step: Step) -> None:
        def sealed(values: tuple[Any, ...]) -> bytes:
            return self._vault.seal(values[1], CONTACT_NAME)

        names = ("id", "code", "language", "name_sealed", "created_us")
        rows = [(id_, v[0], v[2], sealed(v), self._now_us) for id_, v in self._new(step)]
        renamed = [(one.id, sealed(one.new)) for one in step.changed if one.old[1] != one.new[1]]
        spoken = [(one.id, one.new[2]) for one in step.changed if one.old[2] != one.new[2]]
        self.found += [
            Batch(contact, names, rows),
            Batch(contact, ("id", "name_sealed"), renamed, match="id"),
            Batch(contact, ("id", "language"), spoken, match="id"),
        ]
        self._ways(step)

    def _ways(self, step: Step) -> None:
        added = [
            (owner, way, rank) for owner, values in self._new(step) for rank, way in enumerate(values[3], 1)
        ]
        gone: list[tuple[Any, ...]] = []
        ranked: list[tuple[Any, ...]] = []
        for one in step.changed:
            if one.old[3] != one.new[3]:
                self._differing_ways(one, added, gone, ranked)
        ids = self._take(contact_channel, len(added))
        rows = [
            (id_, owner, way.medium, way.carrier, self._vault.seal(way.address, CHANNEL_ADDRESS),
             self._vault.blind_index(way.address), rank, self._now_us)
            for id_, (owner, way, rank) in zip(ids, added, strict=True)
        ]  # fmt: skip
        names = (
            "id", "contact_id", "medium", "carrier", "address_sealed", "address_index", "rank", "added_us",
        )  # fmt: skip
        self.found += [
            Batch(contact_channel, ("id", "removed_us"), gone, match="id"),
            Batch(contact_channel, ("id", "rank"), ranked, match="id"),
            Batch(contact_channel, names, rows),
        ]

    def _differing_ways(
        self,
        one: Changed,
        added: list[tuple[int, WayText, int]],
        gone: list[tuple[Any, ...]],
        ranked: list[tuple[Any, ...]],
    ) -> None:
        standing = list(zip(one.old[3], self._registry.ways.get(one.id, []), strict=True))
        for rank, way in enumerate(one.new[3], 1):
            kept = next((pair for pair in standing if pair[0] == way), None)
            if kept is None:
                added.append((one.id, way, rank))
                continue
            standing.remove(kept)
            if kept[1].rank != rank:
                ranked.append((kept[1].id, rank))
        gone += [(row.id, self._now_us) for _, row in standing]

    def _binding(self, step: Step) -> None:
        def row(id_: int, values: tuple[Any, ...]) -> tuple[Any, ...]:
            who, role, kind, place, rank, delay_s, quiet, unconfirmed = values
            hours = (quiet.from_minute, quiet.until_minute) if quiet else (None, None)
            place_id = self._id(PLACES[kind].name, place)
            return (
                id_, self._id("contact", who), role, kind, place_id, rank, unconfirmed, delay_s, *hours,
                self._now_us,
            )  # fmt: skip

        again = self._take(binding, len(step.changed))
        names = (
            "id", "contact_id", "role", "place_kind", "place_id", "rank", "takes_unconfirmed", "delay_s",
            "quiet_from", "quiet_until", "bound_us",
        )  # fmt: skip
        rows = [row(id_, values) for id_, values in self._new(step)]
        rows += [row(id_, one.new) for id_, one in zip(again, step.changed, strict=True)]
        self.found += [
            Batch(binding, ("id", "ended_us"), [(one.id, self._now_us) for one in step.changed], match="id"),
            Batch(binding, names, rows),
        ]

    def _device(self, step: Step) -> None:
        def row(v: tuple[Any, ...]) -> tuple[Any, ...]:
            return (*v[: HANGING.start], *self._spot(v), *v[HANGING.stop :])

        names = (
            "id", "uid", "kind", "profile", "dwelling_id", "stair_id", "building_id", "label", "breaker_a",
            "cable_a", "insulation", "earthing", "max_silence_s", "vendor", "model", "serial", "installed_on",
            "installed_by",
        )  # fmt: skip
        new = [(id_, *row(v), self._now_us, self._by) for id_, v in self._new(step)]
        changed = [(one.id, *row(one.new)) for one in step.changed]
        self.found += [
            Batch(device, (*names, "registered_us", "registered_by"), new, stamped=True),
            Batch(device, names, changed, match="id", stamped=True),
        ]
        self._stays(step)

    def _spot(self, values: tuple[Any, ...]) -> Iterable[int | None]:
        """The ids of the places in which a device hangs, in the order of `HANGS`."""
        return (self._id(form, code) for form, code in zip(HANGS, values[HANGING], strict=True))

    def _stays(self, step: Step) -> None:
        moved = [one for one in step.changed if one.old[HANGING] != one.new[HANGING]]
        stays = [(id_, values) for id_, values in self._new(step)] + [(one.id, one.new) for one in moved]
        at = {one.id: max(self._now_us, self._registry.latest_us.get(one.id, 0)) for one in moved}
        rows = [
            (id_, device_id, *self._spot(v), at.get(device_id, self._now_us))
            for id_, (device_id, v) in zip(self._take(placement, len(stays)), stays, strict=True)
        ]
        names = ("id", "device_id", "dwelling_id", "stair_id", "building_id", "since_us")
        self.found += [
            Batch(placement, ("device_id", "until_us"), list(at.items()), match="device_id", open="until_us"),
            Batch(placement, names, rows),
        ]

    def _channel(self, step: Step) -> None:
        def row(v: tuple[Any, ...]) -> tuple[Any, ...]:
            return (self._id("device", v[0]), *v[1:])

        names = ("id", "device_id", "channel", "label", "breaker_a", "cable_a", "insulation")
        new = [(id_, *row(v)) for id_, v in self._new(step)]
        changed = [(one.id, *row(one.new)) for one in step.changed]
        touched = sorted({one[1] for one in (*new, *changed)})
        self.found += [
            Batch(device_channel, names, new),
            Batch(device_channel, names, changed, match="id"),
            Batch(device, ("id",), [(id_,) for id_ in touched], match="id", stamped=True),
        ]
