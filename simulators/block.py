"""Plans a small demonstration block. Pure: the same number of devices and seed give the same plan.

Nothing in it is real: areas are named 示范 (demonstration), contacts are role labels, Zigbee addresses come
from the locally administered range that no manufacturer is given.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from devices.model import AreaLevel, PlaceKind, Role
from simulators.places import (
    OWN,
    ZIGBEE2MQTT,
    Area,
    Binding,
    Block,
    Building,
    Contact,
    Device,
    Dwelling,
    Stair,
)

FLOORS: Final = 6
"""Walk-up blocks of this kind have six (chosen)."""
STAIRS_PER_BUILDING: Final = 2
FLATS_PER_FLOOR: Final = 2
DWELLINGS_PER_STAIR: Final = FLOORS * FLATS_PER_FLOOR
ALONE_EVERY: Final = 4
"""One dwelling in four is that of an elderly person living alone (chosen, for a lively demonstration)."""
MAX_DEVICES: Final = 20_000
"""A block is small: fleets beyond are the load generator's (chosen)."""
RATINGS_A: Final = ((16.0, 21.0), (20.0, 27.0), (25.0, 27.0), (32.0, 27.0))
"""(breaker, cable) pairs; the last has the oversized breaker that old blocks are known for (chosen)."""
LOCAL_PREFIX: Final = 0x02_67_66
"""First three octets of the detectors' EUI-64: locally administered, not multicast, then "gf"."""
ATTENTION: Final = "独居老人，75岁以上 / elderly, lives alone, over 75"

_AREAS: Final = (
    Area(AreaLevel.CITY, "demo-city", "示范市", ""),
    Area(AreaLevel.DISTRICT, "demo-district", "示范区", "demo-city"),
    Area(AreaLevel.STREET, "demo-street", "示范街道", "demo-district"),
    Area(AreaLevel.COMMUNITY, "demo-community", "示范社区", "demo-street"),
    Area(AreaLevel.GRID, "demo-grid-1", "1号网格", "demo-community"),
)
_STATIONS: Final = (
    ("grid-worker-1", "网格员 1", Role.GRID_WORKER, "demo-grid-1", 1),
    ("grid-worker-2", "网格员 2", Role.GRID_WORKER, "demo-grid-1", 2),
    ("micro-station-1", "微型消防站 1", Role.MICRO_STATION, "demo-community", 1),
    ("duty-desk-1", "值班台 1", Role.DUTY_DESK, "demo-city", 1),
    ("supervisor-1", "主管 1", Role.SUPERVISOR, "demo-street", 1),
    ("maintenance-1", "维保 1", Role.MAINTENANCE, "demo-community", 1),
    ("fire-brigade-1", "消防救援站 1", Role.FIRE_BRIGADE, "demo-district", 1),
)


def plan_block(devices: int, seed: int) -> Block:
    """A block with exactly `devices` devices, two a dwelling; an odd last dwelling has only its detector.

    Raises ValueError unless 2 <= devices <= MAX_DEVICES. With two devices there is one dwelling and so
    nobody next door.
    """
    if not 2 <= devices <= MAX_DEVICES:
        raise ValueError(f"devices must be 2 to {MAX_DEVICES}, not {devices}")
    rng = np.random.default_rng(seed)
    dwellings = _plan_dwellings(devices, rng)
    stairs = _plan_stairs(dwellings)
    buildings = _plan_buildings(stairs)
    contacts, bindings = _plan_people(buildings, dwellings)
    return Block(
        seed=seed,
        areas=_AREAS,
        buildings=buildings,
        stairs=stairs,
        dwellings=dwellings,
        devices=_plan_devices(dwellings, devices, rng),
        contacts=contacts,
        bindings=bindings,
        scene=_choose_scene(dwellings, devices),
    )


def neighbours(block: Block, dwelling: str) -> tuple[Dwelling, ...]:
    """The other dwellings of the same stair, at most one floor away (life_safety: who is a neighbour)."""
    home = next(each for each in block.dwellings if each.code == dwelling)
    return tuple(
        each
        for each in block.dwellings
        if each.stair == home.stair and abs(each.floor - home.floor) <= 1 and each.code != home.code
    )


def _plan_dwellings(devices: int, rng: np.random.Generator) -> tuple[Dwelling, ...]:
    """Fills stair after stair from the first floor up.

    Every fourth dwelling from a random start is of somebody living alone: at least one with both devices is,
    and whoever lives alone has neighbours who do not, wherever there are two dwellings.
    """
    start = int(rng.integers(min(devices // 2, ALONE_EVERY)))
    return tuple(_plan_dwelling(index, index % ALONE_EVERY == start) for index in range((devices + 1) // 2))


def _plan_dwelling(index: int, lives_alone: bool) -> Dwelling:
    stair, within = divmod(index, DWELLINGS_PER_STAIR)
    building, stair_of_building = divmod(stair, STAIRS_PER_BUILDING)
    floor, flat = within // FLATS_PER_FLOOR + 1, within % FLATS_PER_FLOOR + 1
    stair_code = f"b{building + 1}-s{stair_of_building + 1}"
    number = f"{floor}{flat:02d}"
    return Dwelling(
        code=f"{stair_code}-{number}",
        stair=stair_code,
        floor=floor,
        flat=number,
        lives_alone=lives_alone,
        attention=ATTENTION if lives_alone else "",
    )


def _plan_stairs(dwellings: tuple[Dwelling, ...]) -> tuple[Stair, ...]:
    codes = dict.fromkeys(dwelling.stair for dwelling in dwellings)
    return tuple(Stair(code, f"{code.rpartition('-s')[2]}单元", code.rpartition("-")[0]) for code in codes)


def _plan_buildings(stairs: tuple[Stair, ...]) -> tuple[Building, ...]:
    codes = dict.fromkeys(stair.building for stair in stairs)
    return tuple(Building(code, f"{code[1:]}号楼", _AREAS[-1].code, FLOORS) for code in codes)


def _plan_devices(
    dwellings: tuple[Dwelling, ...], count: int, rng: np.random.Generator
) -> tuple[Device, ...]:
    tails = rng.choice(2**32, size=len(dwellings), replace=False, shuffle=False).tolist()
    ratings = rng.integers(0, len(RATINGS_A), size=len(dwellings)).tolist()
    planned: list[Device] = []
    for index, dwelling in enumerate(dwellings):
        planned.append(_detector(f"0x{LOCAL_PREFIX:06x}00{tails[index]:08x}", dwelling))
        planned.append(_monitor(f"gm-{index + 1:06d}", dwelling, *RATINGS_A[ratings[index]]))
    return tuple(planned[:count])


def _detector(ieee: str, dwelling: Dwelling) -> Device:
    label = f"烟感 {dwelling.flat}"
    return Device(ieee, "smoke", ZIGBEE2MQTT, label, dwelling.code, None, None, "unknown", "unknown")


def _monitor(serial: str, dwelling: Dwelling, breaker_a: float, cable_a: float) -> Device:
    label = f"电流监测 {dwelling.flat}"
    return Device(serial, "electrical", OWN, label, dwelling.code, breaker_a, cable_a, "pvc", "tn-s")


def _choose_scene(dwellings: tuple[Dwelling, ...], devices: int) -> str:
    """The highest dwelling of somebody living alone that has both devices."""
    alone = [dwelling for dwelling in dwellings[: devices // 2] if dwelling.lives_alone]
    return max(alone, key=lambda dwelling: dwelling.floor).code


def _plan_people(
    buildings: tuple[Building, ...], dwellings: tuple[Dwelling, ...]
) -> tuple[tuple[Contact, ...], tuple[Binding, ...]]:
    """Stations and grid workers on areas, secretaries on buildings, households on their own dwelling.

    A neighbour is bound to the dwelling they live in: who is next to whom follows from the stair and the
    floor. Elderly people living alone are not called out to help, so their dwellings offer no neighbour.
    """
    rows = [(code, name, role, PlaceKind.AREA, place, rank) for code, name, role, place, rank in _STATIONS]
    for building in buildings:
        code, name = f"secretary-{building.code}", f"楼栋书记 {building.name}"
        rows.append((code, name, Role.BUILDING_SECRETARY, PlaceKind.BUILDING, building.code, 1))
    for dwelling in dwellings:
        home = dwelling.code
        rows.append((f"family-{home}", f"家属 {home}", Role.FAMILY, PlaceKind.DWELLING, home, 1))
        if not dwelling.lives_alone:
            rows.append((f"neighbour-{home}", f"邻居 {home}", Role.NEIGHBOUR, PlaceKind.DWELLING, home, 1))
    contacts = tuple(Contact(code, name, code) for code, name, *_ in rows)
    bindings = tuple(Binding(code, role, kind, place, rank) for code, _, role, kind, place, rank in rows)
    return contacts, bindings
