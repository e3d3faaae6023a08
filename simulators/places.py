"""What a planned block is made of. Plain values: the composition root writes them to the registry.

Every reference from one to another is by code, so that nothing here needs the registry's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.model import AreaLevel, PlaceKind, Role

ZIGBEE2MQTT: Final = "zigbee2mqtt"
"""Profile of the smoke detectors; also the first level of their topics."""
OWN: Final = "gengfu"
"""Profile of the current monitors; also the first level of their topics."""


@dataclass(frozen=True, slots=True)
class Area:
    """One node of the administrative tree; the city has no parent (empty code)."""

    level: AreaLevel
    code: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class Building:
    """A building in the grid `area`."""

    code: str
    name: str
    area: str
    floors: int


@dataclass(frozen=True, slots=True)
class Stair:
    """One staircase (单元) of `building`."""

    code: str
    name: str
    building: str


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A flat. `lives_alone` marks an elderly person living alone; `attention` is that in words, or empty."""

    code: str
    stair: str
    floor: int
    flat: str
    lives_alone: bool
    attention: str


@dataclass(frozen=True, slots=True)
class Device:
    """A sensor in `dwelling`.

    `native_id` is what its topics carry: `0x` and 16 hex digits for zigbee2mqtt, a serial for our own
    format. Ratings in amperes, None for detectors.
    """

    native_id: str
    kind: str
    profile: str
    label: str
    dwelling: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str
    earthing: str

    @property
    def reference_a(self) -> float:
        """I_ref = min(breaker, cable) in amperes; NaN without ratings."""
        if self.breaker_a is None or self.cable_a is None:
            return float("nan")
        return min(self.breaker_a, self.cable_a)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to tell, known by role only. `phone` is the id of the simulated phone, `name` a role label."""

    code: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What `contact` is to a place; `rank` orders a role's chain from 1."""

    contact: str
    role: Role
    place_kind: PlaceKind
    place: str
    rank: int


@dataclass(frozen=True, slots=True)
class Block:
    """The whole plan. `scene` is the code of the dwelling in which scenarios let things go wrong."""

    seed: int
    areas: tuple[Area, ...]
    buildings: tuple[Building, ...]
    stairs: tuple[Stair, ...]
    dwellings: tuple[Dwelling, ...]
    devices: tuple[Device, ...]
    contacts: tuple[Contact, ...]
    bindings: tuple[Binding, ...]
    scene: str

    @property
    def smoke_detectors(self) -> tuple[Device, ...]:
        """Devices that report over zigbee2mqtt, in plan order."""
        return tuple(device for device in self.devices if device.profile == ZIGBEE2MQTT)

    @property
    def current_monitors(self) -> tuple[Device, ...]:
        """Devices that report in our own format, in plan order."""
        return tuple(device for device in self.devices if device.profile == OWN)

    def devices_of(self, dwelling: str) -> tuple[Device, ...]:
        """What hangs in the dwelling with this code."""
        return tuple(device for device in self.devices if device.dwelling == dwelling)
