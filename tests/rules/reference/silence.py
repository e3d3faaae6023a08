"""Devices that are not heard: who is silent, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from devices.model import EngineInput, InputKind, Metric, Quality
from rules.transition import Subject, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import HOUR, SECOND, One, Told
from tests.rules.reference.world import World

NOT_NOW = Quality.RETAINED | Quality.REPLAYED | Quality.BACKFILL
NEVER = -(2**62)


@dataclass
class Device:
    """One registered device. Times are received ones but for `observed`."""

    number: int
    slot: int
    parent: int
    building: int
    dwelling: int
    own_limit: int | None
    heard: int | None = None
    source: str = ""
    offline: bool = False
    offline_at: int = NEVER
    """The moment at which it was said to be offline, whatever was heard since."""
    short_begin: int | None = None
    """When the silence counts as begun, since it was said to be offline."""
    floor: int = NEVER
    waits: bool = False
    lost: bool = False
    """It waits for a gateway that is silent, or lost itself."""
    waited: bool = False
    """For its gateway, which was heard again in this silence."""
    granted: bool = False
    """An absence has given this silence more than its own time."""
    silent: bool = False
    fell: int = 0
    told: set[str] = field(default_factory=set)
    """`first`, `second`: what was told in this silence."""
    active: dict[str, Entry] = field(default_factory=dict)
    watch: str = ""
    """Of the limit with which the first alarm was told."""
    beats: int = 0
    waited_limit: int | None = None
    """The smallest limit of the devices that wait for it."""

    gateway_heard: bool = False
    """Since the look before."""
    gateway_returned: tuple[int, int] | None = None
    """When it had been heard last, and when it was heard again; since the look before."""

    @property
    def known(self) -> bool:
        return self.heard is not None or self.offline or self.short_begin is not None


class Silence:
    """The silence rules of a catalogue over all devices."""

    def __init__(self, entries: list[Entry], world: World) -> None:
        self.world = world
        self.entries = entries
        self.away: dict[str, int] = {}
        self.devices: dict[int, Device] = {}
        table = world.table
        for slot in range(1, len(table)):
            number = int(table.device[slot])
            if number and table.metric[slot] and number not in self.devices:
                seconds = float(table.silence_s[slot])
                own = round(seconds * SECOND) if seconds > 0 else None
                parent, building = int(table.parent[slot]), int(table.building[slot])
                dwelling = int(table.dwelling[slot])
                self.devices[number] = Device(number, slot, parent, building, dwelling, own)

    # What holds for a device

    def rule(self, watch: str, which: str) -> Entry | None:
        long = which == "second"
        mine = [one for one in self.entries if one.keys["watch"] == watch]
        return next((one for one in mine if bool(one.keys.get("long", False)) is long), None)

    @property
    def border(self) -> int:
        seldom = self.rule("seldom", "first")
        assert seldom is not None
        return seldom.us("after")

    def limit(self, device: Device) -> int:
        own = self.border if device.own_limit is None else device.own_limit
        return own if device.waited_limit is None else min(own, device.waited_limit)

    def often(self, device: Device) -> bool:
        own = self.border if device.own_limit is None else device.own_limit
        return own < self.border

    def watch(self, device: Device) -> str:
        return "often" if self.limit(device) < self.border else "seldom"

    def delay(self, device: Device, which: str) -> int:
        entry = self.rule(self.watch(device), which)
        assert entry is not None
        more = entry.us("more") if "more" in entry.keys else 0
        times = entry.keys.get("times", 1)
        delay = max(round(self.limit(device) * times), entry.us("after")) + more
        if device.short_begin is None:
            return int(delay)
        first = self.rule(self.watch(device), "first")
        assert first is not None
        usual = max(self.limit(device) * first.keys.get("times", 1), first.us("after"))
        usual += first.us("more") if "more" in first.keys else 0
        return int(delay - (usual - min(usual, self.short)))

    @property
    def short(self) -> int:
        entry = self.rule("often", "first")
        assert entry is not None
        return entry.us("after")

    def begin(self, device: Device) -> int:
        began = device.short_begin if device.short_begin is not None else device.heard
        return max(NEVER if began is None else began, device.floor)

    def deadline(self, device: Device, which: str) -> int:
        return self.begin(device) + self.delay(device, which)

    def reachable(self, device: Device, at: int) -> bool:
        """Whether its gateway, if it has one that we know, was there at or after `at`."""
        gateway = self.devices.get(device.parent)
        if gateway is None or not gateway.known:
            return True
        return gateway.heard is not None and gateway.heard >= at and not gateway.offline

    # Being heard

    def read(self, one: One, source: str) -> list[Told]:
        device = self.devices.get(int(self.world.table.device[one.slot]))
        if device is None or one.quality & NOT_NOW:
            return []
        if self.world.table.metric[one.slot] == Metric.DEVICE_ONLINE and not one.value > 0:
            if one.value == 0 and one.usable:
                self._state_offline(device, one, source)
            return []
        told, level = [], 0
        while device is not None and level < 4 and not (device.offline and device.offline_at == one.received):
            told += self._hear(device, one.received, source)
            device, level = self.devices.get(device.parent), level + 1
        return told

    def _hear(self, device: Device, at: int, source: str) -> list[Told]:
        device.source = source
        if device.heard == at and not device.offline:
            return []
        for child in self.devices.values():
            if child.parent == device.number:
                child.gateway_heard = True
                if device.silent or device.waits:
                    child.gateway_returned = max(device.heard or NEVER, device.offline_at), at
        if device.silent or device.waits or device.offline:
            device.beats = 0
        device.heard, device.offline, device.short_begin = at, False, None
        device.silent = device.waits = device.lost = False
        device.granted = device.waited = False
        device.waited_limit = None
        if not device.active:
            device.told = set()
            return []
        device.beats += 1
        first = self.rule(device.watch, "first")
        assert first is not None
        if device.beats < first.keys["beats"]:
            return []
        ended = [self._told(device, entry, To.CLEARED, at, at) for entry in device.active.values()]
        device.active, device.told = {}, set()
        return ended

    def _state_offline(self, device: Device, one: One, source: str) -> None:
        device.beats = 0
        if not device.known:
            device.source = source
        device.offline_at = one.received
        if device.offline:
            return
        device.offline = True
        short = min(self.delay(device, "first"), self.short)
        own = self.deadline(device, "first") if device.heard is not None else None
        theirs = max(one.observed, self.begin(device)) + short if own is not None else one.observed + short
        deadline = theirs if own is None else min(own, theirs)
        device.short_begin = deadline - short

    # People and brokers

    def act(self, given: EngineInput, now: int) -> list[Told]:
        table = self.world.table
        known = given.slot < len(table)
        device = self.devices.get(int(table.device[given.slot])) if known else None
        for which, entry in list(device.active.items()) if device else []:
            if device and entry.name == given.rule:
                del device.active[which]
                told = self._told(device, entry, To.CLEARED, given.at_us, now)
                return [told | {"age_s": max(0, now - given.at_us) / 1e6}]
        return []

    def note(self, given: EngineInput, covered: Callable[[Device], bool], looked: int) -> None:
        """We or a broker were away, or are back. The look before was at `looked`."""
        if given.kind is InputKind.AWAY:
            self.away.setdefault(given.rule, given.at_us)
            return
        if given.kind is InputKind.BACK:
            went = self.away.pop(given.rule, None)
            concerned = [one for one in self.devices.values() if one.source == given.rule]
        else:
            went = max(given.from_us, looked)
            concerned = [one for one in self.devices.values() if one.source not in self.away]
        for device in concerned if went is not None else []:
            assert went is not None
            if device.known:
                entry = self.rule("often" if self.often(device) else "seldom", "first")
                assert entry is not None
                self._go_on(device, went, given.at_us, entry.us("grace"), covered)

    def _go_on(
        self, device: Device, went: int, at: int, grace: int, covered: Callable[[Device], bool]
    ) -> None:
        """The clock of a device goes on after an absence."""
        coming = "second" if device.silent and "first" in device.told else "first"
        stood = max(0, min(went, at) - self.begin(device))
        most = max(0, self.delay(device, coming) - (0 if device.granted else HOUR))
        device.granted = device.granted or stood > most
        device.floor = max(device.floor, at + grace - min(stood, most))
        if not device.told and not covered(device):
            device.silent = device.lost = False

    # Looking

    def turn_back(self, now: int) -> None:
        """The clock has been ahead."""
        for device in self.devices.values():
            device.heard = None if device.heard is None else min(device.heard, now)
            if device.short_begin is not None:
                device.short_begin = min(device.short_begin, now)
            device.floor, device.fell = min(device.floor, now), min(device.fell, now)
            device.offline_at = min(device.offline_at, now)
        self.away = {name: min(since, now) for name, since in self.away.items()}

    def follow_gateways(self, covered: Callable[[Device], bool]) -> None:
        """What a gateway that was heard means for those behind it."""
        for device in self.devices.values():
            if device.gateway_returned and device.known:
                went, at = device.gateway_returned
                device.waited = device.waited or device.waits
                self._go_on(device, went, at, 0, covered)
            if device.gateway_heard:
                device.lost = False
            device.gateway_returned, device.gateway_heard = None, False

    def fall(self, now: int) -> None:
        """All devices are asked, then the gateways that they wait for, with the limits of those that wait."""
        asked = list(self.devices.values())
        while asked:
            waiting = [device for device in asked if self._falls_or_waits(device, now)]
            gateways = {device.parent: self.devices[device.parent] for device in waiting}
            for device in waiting:
                gateway, limit = gateways[device.parent], self.limit(device)
                gateway.waited_limit = min(limit, gateway.waited_limit or limit)
            asked = [gateway for gateway in gateways.values() if not gateway.silent and not gateway.waits]
        self._lose()

    def _lose(self) -> None:
        """Who waits for a gateway that is silent, or lost itself, is lost."""
        found = True
        while found:
            found = False
            for device in self.devices.values():
                gateway = self.devices.get(device.parent)
                waits = device.waits and not device.lost and device.source not in self.away
                if waits and gateway is not None and (gateway.silent or gateway.lost):
                    device.fell = max(self.deadline(device, "first"), gateway.fell)
                    device.lost = found = True

    def _falls_or_waits(self, device: Device, now: int) -> bool:
        if not device.known or device.silent or device.lost or device.source in self.away:
            return False
        deadline = self.deadline(device, "first")
        there = self.reachable(device, deadline) or self._waited_enough(device, deadline)
        device.waits = now >= deadline and not there
        if now >= deadline and not device.waits:
            device.silent, device.fell = True, deadline
        return device.waits

    def _waited_enough(self, device: Device, deadline: int) -> bool:
        """Whether its gateway, for which it waited before, would now be silent only on its behalf."""
        gateway = self.devices.get(device.parent)
        if not device.waited or gateway is None or gateway.offline or gateway.heard is None:
            return False
        own = self.border if gateway.own_limit is None else gateway.own_limit
        first = self.rule("often" if own < self.border else "seldom", "first")
        assert first is not None
        delay = max(round(own * first.keys.get("times", 1)), first.us("after"))
        delay += first.us("more") if "more" in first.keys else 0
        return bool(delay > self.delay(device, "first") and gateway.heard + delay > deadline)

    def tell(self, device: Device, now: int) -> list[Told]:
        """What is told of a silent device that waits for nothing."""
        told = []
        if "first" not in device.told and now >= max(device.fell, self.deadline(device, "first")):
            told += self._raise(device, "first", device.fell, now)
        second = self.deadline(device, "second")
        due = "first" in device.told and "second" not in device.told and now >= second
        if due and self.reachable(device, second):
            told += self._raise(device, "second", second, now)
        return told

    def _raise(self, device: Device, which: str, at: int, now: int) -> list[Told]:
        device.told.add(which)
        if which == "first" and not device.active:
            device.watch = self.watch(device)
        entry = self.rule(device.watch, which)
        if entry is None or which in device.active:
            return []
        device.active[which] = entry
        return [self._told(device, entry, To.RAISED, at, now)]

    def _told(self, device: Device, entry: Entry, to: To, at: int, now: int) -> Told:
        return {
            "rule": entry.name,
            "to": to,
            "severity": entry.severity,
            "slot": device.slot,
            "device": device.number,
            "dwelling": int(self.world.table.dwelling[device.slot]),
            "place": 0,
            "at": at,
            "nudge": 0,
            "received": now,
            "age_s": 0.0,
            "marks": [],
            "subject": Subject.DEVICE,
        }
