"""Why a rule does not hold on a series, as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.model import DeviceKind

NOT_EARTHED: Final = "not measurable: the earthing is TN-C or unknown"
NOT_HERE: Final = "does not hold where this device is"
IN_A_ROOM: Final = "the air of the room, not a cable"
DETECTORS_AIR: Final = (
    "its registry kind is smoke: a channel without phase or number is of the air of the room, not of a cable"
)
NO_CIRCUITS: Final = "its registry kind is other: a channel without phase or number is of no circuit"
NO_RATING: Final = "the rating of the circuit is not known: neither breaker nor cable is registered"
NO_BREAKER: Final = "the rating of the breaker is not known"
OVERRIDDEN: Final = "switched off by an override"
"""Which, is told besides."""

IN_CHINESE: Final[Mapping[str, str]] = {
    NOT_EARTHED: "接地方式为 TN-C 或未知，无法测量",
    NOT_HERE: "设备现在的位置不适用此规则",
    IN_A_ROOM: "测的是室内空气，不是线缆",
    DETECTORS_AIR: "登记类别为烟感（smoke）：通道名无相别或编号，测的是室内空气，不是线缆",
    NO_CIRCUITS: "登记类别为其他（other）：通道名无相别或编号，不属于任何回路",
    NO_RATING: "回路额定值未登记",
    NO_BREAKER: "断路器额定值未登记",
    OVERRIDDEN: "已由调整停用",
}
_OFF_CIRCUIT: Final[Mapping[int, str]] = {
    DeviceKind.SMOKE: DETECTORS_AIR,
    DeviceKind.OTHER: NO_CIRCUITS,
}


def off_circuit(kind: int) -> str:
    """Why a series of a device of this kind (`DeviceKind`) is of no circuit."""
    return _OFF_CIRCUIT.get(kind, IN_A_ROOM)
