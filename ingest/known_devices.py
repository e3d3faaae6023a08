"""Every device there is a uid for, in memory: registered, retired, or only heard; and what holds of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32
from devices.profiles.general.naming import UID_MAX
from devices.profiles.profile import Said
from ingest.columns import Columns
from ingest.gateways import Gateways
from ingest.registered import MAX_SILENCE, NAN, PARENT, Circuit, Known

SHORTEST_SILENCE_S: Final = 60.0
"""What is said shorter counts as this: the shortest heartbeat of a mains device is 30 s, and one lost
message is no silence (chosen)."""
LONGEST_SILENCE_S: Final = 366 * 86_400.0
"""What is said longer counts as this (chosen: a device that need not be heard for a year is not watched)."""
_LEVELS: Final = 4
"""Gateways behind a gateway (chosen: a repeater behind a repeater, and as many again)."""
NOBODYS: Final = Circuit(NAN, NAN, 0)
_FACTS: Final = {
    "id": np.int32, "dwelling": np.int32, "stair": np.int32, "building": np.int32, "area": np.int32,
    "parent": np.int32, "reference": np.float64, "breaker": np.float32, "silence": np.float32,
    "said": np.float32, "insulation": np.uint8, "earthing": np.uint8, "kind": np.uint8, "served": np.bool_,
}  # fmt: skip
_TAKEN: Final = (
    "id", "dwelling", "stair", "building", "area", "reference", "breaker", "insulation", "earthing",
    "silence", "kind",
)  # fmt: skip
"""What is taken from the registry as it is; fields of `Known` by the same names."""


class Devices:
    """Devices by uid and by a number of this process. A device that was only heard has registry id 0.

    About 260 bytes a device. Nothing is ever forgotten here: a retired device keeps its line. Of what a
    device says of itself the longest silence counts, as in profiles, and the newest gateway, but for one that
    closes a ring; what it said before it was registered counts from then on, as far as `device_said` has it.
    """

    def __init__(self) -> None:
        self.uids: list[str] = []
        self.retired: dict[int, int] = {}
        """When each retired device was retired, by number."""
        self._numbers: dict[str, int] = {}
        self._channels: dict[int, Mapping[str, Circuit]] = {}
        self._gateways = Gateways()
        self._facts = Columns(_FACTS)

    def __len__(self) -> int:
        return len(self.uids)

    def number(self, uid: str) -> int:
        """The number of a uid, -1 where nothing is known of it."""
        return self._numbers.get(uid, -1)

    def meet(self, uid: str) -> int:
        """The number of a uid; one that nobody registered gets one here."""
        number = self._numbers.get(uid)
        if number is None:
            number = self._numbers[uid] = len(self.uids)
            self.uids.append(uid)
            self._facts.grow(number + 1)
        return number

    def in_service(self, number: int) -> bool:
        """Whether the device is registered and not retired."""
        return bool(self._facts["served"][number])

    def is_stranger(self, number: int) -> bool:
        """Whether the registry never heard of it."""
        return not self._facts["id"][number]

    def id_of(self, number: int) -> int:
        """The registry id of a device in service, else 0."""
        return int(self._facts["id"][number]) if self._facts["served"][number] else 0

    def circuit(self, number: int, channel: str) -> Circuit:
        """What holds for a channel of the device; of one not in service nothing does."""
        facts = self._facts
        if not facts["served"][number]:
            return NOBODYS
        own = self._channels.get(number)
        if own and channel in own:
            return own[channel]
        return Circuit(
            float(facts["reference"][number]),
            float(facts["breaker"][number]),
            int(facts["insulation"][number]),
        )

    def fact(self, name: str, numbers: Int32) -> NDArray[Any]:
        """Column `name` (dwelling, stair, building, area, parent, silence, earthing, kind) of these devices;
        of one not in service 0, or NaN for a length of time."""
        facts = self._facts
        found: NDArray[Any] = facts[name].take(numbers)
        served = facts["served"].take(numbers)
        if name != "silence":
            found[~served] = 0
            return found
        found = np.where(found > 0, found, facts["said"].take(numbers))
        found[~served | (found == 0)] = np.nan
        return found

    def take(self, changed: Sequence[Known]) -> list[int]:
        """Notes what is now held of these devices; their numbers, in order, and then those of others that
        stand otherwise now, because what they speak through was among them."""
        if not changed:
            return []
        meet = self.meet
        numbers = [meet(one.uid) for one in changed]
        columns = dict(zip(Known._fields, zip(*changed, strict=True), strict=True))
        facts = self._facts
        for name in _TAKEN:
            facts[name][numbers] = columns[name]
        facts["served"][numbers] = np.array(columns["retired_us"], np.int64) == 0
        for number, one in zip(numbers, changed, strict=True):
            if one.channels or number in self._channels:
                self._channels[number] = one.channels
            if one.retired_us:
                self.retired[number] = one.retired_us
            elif self.retired:
                self.retired.pop(number, None)
            if one.said_silence or one.parent:
                self._recall(number, one)
        behind = self._gateways.behind(one.uid for one in changed)
        for number in (*behind, *self._gateways.among(numbers)):
            facts["parent"][number] = self._parent(number)
        return list(dict.fromkeys((*numbers, *behind))) if behind else numbers

    def hear(self, said: Said) -> int:
        """Takes what a device says of itself; its number where that changes anything, else -1. Strangers are
        not listened to."""
        number = self._numbers.get(said.uid, -1)
        if number < 0 or not self._facts["served"][number]:
            return -1
        changed = False
        if said.key == MAX_SILENCE:
            changed = self._hear_silence(number, said.text)
        elif said.key == PARENT and len(said.text) <= UID_MAX:
            changed = self._hear_parent(number, said.text)
        return number if changed else -1

    def _recall(self, number: int, one: Known) -> None:
        """What the database remembers of a device that was not heard here."""
        if one.said_silence:
            self._hear_silence(number, one.said_silence)
        if one.parent and not self._gateways.of(number):
            self._gateways.put(number, one.parent[:UID_MAX])

    def _hear_silence(self, number: int, text: str) -> bool:
        """Whether it may be silent for longer now, or what was said holds no more (empty), and the registry
        says nothing of it."""
        facts, before = self._facts, float(self._facts["said"][number])
        facts["said"][number] = max(before, silence_of(text)) if text else 0.0
        return before != float(facts["said"][number]) and not facts["silence"][number]

    def _hear_parent(self, number: int, uid: str) -> bool:
        if uid == self._gateways.of(number) and self._facts["parent"][number]:
            return False  # one without is asked again: what was in the way may have changed
        self._gateways.put(number, uid)
        before, self._facts["parent"][number] = int(self._facts["parent"][number]), self._parent(number)
        return before != int(self._facts["parent"][number])

    def _parent(self, number: int) -> int:
        """The registry id of the gateway a device speaks through; 0 where it speaks for itself, where nobody
        registered what it names, and where that speaks through the device, or through more than `_LEVELS`:
        in a ring each would carry the other for ever, and none of them were ever missed."""
        gateway = at = self._numbers.get(self._gateways.of(number), -1)
        for _ in range(_LEVELS + 1):
            if at in (-1, number):
                return 0
            if not self._facts["parent"][at]:
                return self.id_of(gateway)
            at = self._numbers.get(self._gateways.of(at), -1)
        return 0


def silence_of(text: str) -> float:
    """How long a device may be silent, in whole seconds, as it says it; 0 where that is no length of time."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        return 0.0
    return float(round(min(max(seconds, SHORTEST_SILENCE_S), LONGEST_SILENCE_S)))
