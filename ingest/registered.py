"""What the registry says of devices, read at the start and wherever it changed.

One code path reads everything at the start and what changed later: rows whose `change_id` is above what is
known, in the order of `change_id`. Ids become visible in the order of commits (one writer at a time), so what
is above the newest known id is all there is to read.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from devices.model import DeviceKind, Earthing, Insulation
from devices.schema import building, device, device_channel, dwelling, registry_change, stair
from ingest.schema import device_said

SLICE: Final = 500
"""Devices that are read, and applied, at once (chosen: about a millisecond of a tick)."""
NOTHING_READ: Final = -1
"""Known version before the first read; rows written before `change_id` existed have 0."""
NAN: Final = float("nan")
MAX_SILENCE: Final = "max_silence"
PARENT: Final = "parent"
"""What devices say that counts for the rules; see `devices.profiles.profile.Said`."""

INSULATIONS: Final = {one.name.lower(): int(one) for one in Insulation}
EARTHINGS: Final = {one.name.lower().replace("_", "-"): int(one) for one in Earthing}
KINDS: Final = {one.name.lower(): int(one) for one in DeviceKind}
"""Codes by the registry's words; a word of a later release is as good as unknown."""


class Circuit(NamedTuple):
    """The circuit that a device, or one channel of it, watches. Amperes, NaN where unknown; `insulation` is a
    code."""

    reference_a: float
    breaker_a: float
    insulation: int


class Known(NamedTuple):
    """What is held of one device: registry ids (0 for none), codes, and its circuit.

    `channels` are the circuits of channels that have their own. `silence` is for how many seconds it may be
    silent by the registry, `said_silence` what it said itself, as text; `parent` is the uid of the gateway it
    said it speaks through. `reference` and `breaker` are in amperes, NaN where unknown.
    """

    id: int
    uid: str
    dwelling: int
    stair: int
    building: int
    area: int
    reference: float
    breaker: float
    insulation: int
    earthing: int
    silence: int
    retired_us: int
    channels: Mapping[str, Circuit]
    said_silence: str = ""
    parent: str = ""
    kind: int = 0


class Slice(NamedTuple):
    """Some changed devices. `version` is given with the last: all up to it is applied with this slice."""

    devices: list[Known]
    version: int | None


_NO_CHANNELS: Final[dict[str, Circuit]] = {}


def registry_version(connection: Connection) -> int:
    """The newest id of `registry_change`, 0 without any."""
    return int(connection.scalar(select(func.max(registry_change.c.id))) or 0)


def read_changes(connection: Connection, known: int, *, size: int = SLICE) -> Generator[Slice, None, None]:
    """The devices changed after version `known`, in slices; the last slice carries the version.

    Read in one transaction; close it where it is not read to the end. What is committed while it is read may
    be in it or not; it is newer than the version told and comes with the next read. Raises what the database
    raises; then start over from `known`.
    """
    version = registry_version(connection)
    channels = _channels(connection, known)
    held: list[Known] | None = None
    with connection.execution_options(yield_per=size).execute(_changed_after(known)) as result:
        for rows in result.partitions(size):
            if held is not None:
                yield Slice(held, None)
            held = [_known(row, channels.get(row[0])) for row in rows]
    yield Slice(held or [], version)


def read_device(connection: Connection, uid: str) -> Known | None:
    """What is held of one device; None for a uid that nobody registered."""
    row = connection.execute(_changed_after(NOTHING_READ).where(device.c.uid == uid)).first()
    if row is None:
        return None
    return _known(row, _channels(connection, NOTHING_READ, device.c.uid == uid).get(row[0]))


def circuit_of(breaker_a: float | None, cable_a: float | None, insulation: str) -> Circuit:
    """I_ref = min(breaker, cable) in amperes of those that are known, the breaker alone, and the code."""
    breaker, cable = NAN if breaker_a is None else breaker_a, NAN if cable_a is None else cable_a
    reference = cable if breaker_a is None else breaker if cable_a is None else min(breaker, cable)
    return Circuit(reference, breaker, INSULATIONS.get(insulation, 0))


def _changed_after(known: int) -> Select[Any]:
    """Devices with the places above them and what they said of themselves."""
    silence, parent = device_said.alias(), device_said.alias()
    return (
        select(
            device.c.id, device.c.uid, device.c.dwelling_id, stair.c.id, building.c.id, building.c.area_id,
            device.c.breaker_a, device.c.cable_a, device.c.insulation,
            device.c.earthing, device.c.max_silence_s, device.c.retired_us, silence.c.text, parent.c.text,
            device.c.kind,
        )
        .outerjoin(dwelling, dwelling.c.id == device.c.dwelling_id)
        .outerjoin(stair, stair.c.id == func.coalesce(dwelling.c.stair_id, device.c.stair_id))
        .outerjoin(building, building.c.id == func.coalesce(stair.c.building_id, device.c.building_id))
        .outerjoin(silence, and_(silence.c.uid == device.c.uid, silence.c.key == MAX_SILENCE))
        .outerjoin(parent, and_(parent.c.uid == device.c.uid, parent.c.key == PARENT))
        .where(device.c.change_id > known)
        .order_by(device.c.change_id, device.c.id)
    )  # fmt: skip


_Said = tuple[float | None, float | None, str]
"""Breaker, cable and insulation as somebody said them."""


def _known(row: Sequence[Any], channels: Mapping[str, _Said] | None) -> Known:
    (id_, uid, flat, steps, house, area, breaker, cable, insulation, earthing, silence, retired,
     said_silence, parent, kind) = row  # fmt: skip
    return Known(
        id_, uid, flat or 0, steps or 0, house or 0, area or 0,
        *circuit_of(breaker, cable, insulation),
        EARTHINGS.get(earthing, 0), silence or 0, retired or 0,
        _own_circuits(channels, (breaker, cable, insulation)) if channels else _NO_CHANNELS,
        said_silence or "", parent or "", KINDS.get(kind, 0),
    )  # fmt: skip


def _channels(connection: Connection, known: int, *only: ColumnElement[bool]) -> dict[int, dict[str, _Said]]:
    """What is said of the circuit of each channel that has its own, by device."""
    found: dict[int, dict[str, _Said]] = {}
    table = device_channel
    query = (
        select(
            table.c.device_id, table.c.channel, table.c.breaker_a, table.c.cable_a, table.c.insulation
        )
        .join(device, table.c.device_id == device.c.id)
        .where(device.c.change_id > known, *only)
    )  # fmt: skip
    for device_id, channel, breaker, cable, insulation in connection.execute(query):
        if breaker is not None or cable is not None or INSULATIONS.get(insulation):
            found.setdefault(device_id, {})[channel] = breaker, cable, insulation
    return found


def _own_circuits(channels: Mapping[str, _Said], whole: _Said) -> dict[str, Circuit]:
    """What a channel does not say holds as for the device."""
    breaker_a, cable_a, insulation = whole
    return {
        channel: circuit_of(
            breaker_a if breaker is None else breaker,
            cable_a if cable is None else cable,
            insulation if own == "unknown" else own,
        )
        for channel, (breaker, cable, own) in channels.items()
    }
