"""What a load is to be, within its bounds, and how it is shared out over connections.

Errors:
* LoadError: the plan makes no sense, its broker is on another machine and nobody allowed that, or the broker
  cannot be reached or refuses at the start.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from simulators.mix import FIXED, MAX_DEVICES, MixError, parse_mix
from simulators.share import Share
from simulators.stencil import FIRST_SEQ

MAX_SECONDS: Final = 86_400
UNCOUNTED: Final = 2**40
"""Stands for "no limit but the time" at rate 0."""


class LoadError(Exception):
    """The load cannot be run; the text says why."""


class LoadPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What to send, and its bounds. A run ends after `seconds`, or after `count` messages if not 0.

    `rate` is messages a second over all connections (0: as fast as it goes). Devices `first_device` ..
    `first_device + devices - 1` take turns, each with sequence numbers from `first_seq`: give a later run
    higher ones. `window` bounds what is unacknowledged on one connection (0: what the broker grants).
    `batch` is the most packets in one send. What is due goes every `tick_ms` (at 20,000 messages a second
    1 ms took 1 us more a message than 2 ms). After the end at most `drain_s` is given to acknowledgements.

    `mix` is of `simulators.mix`. `qos0_share` of the devices, the first ones, publish at QoS 0 over as many
    connections of their own as the others have (at rate 0 they go ahead of those that wait for answers).
    `ca` means TLS, with the authority in that file. A broker that is not on loopback needs `allow_remote`: a
    load is for the machine it is started on.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    client_id: str = "load"
    rate: float = 1000.0
    seconds: float = 10.0
    count: int = 0
    devices: int = 1000
    first_device: int = 0
    first_seq: int = FIRST_SEQ
    connections: int = 1
    qos: int = 1
    qos0_share: float = 0.0
    mix: str = FIXED
    window: int = 0
    batch: int = 256
    tick_ms: float = 2.0
    drain_s: float = 10.0
    ledger: str = ""
    ca: str = ""
    allow_remote: bool = False

    def check(self) -> None:
        """Raises LoadError naming the first field that is out of bounds."""
        bounds = {
            "rate": (0 <= self.rate <= 10_000_000, "0 to 10,000,000"),
            "seconds": (0 < self.seconds <= MAX_SECONDS, f"above 0, at most {MAX_SECONDS}"),
            "count": (self.count >= 0, "0 or more"),
            "connections": (1 <= self.connections <= 1000, "1 to 1000"),
            "devices": (self.connections <= self.devices <= MAX_DEVICES, "at least one a connection"),
            "first_device": (0 <= self.first_device <= MAX_DEVICES - self.devices, "below the million"),
            "first_seq": (FIRST_SEQ <= self.first_seq < 9 * FIRST_SEQ, f"{FIRST_SEQ} or more, ten digits"),
            "qos": (self.qos in (0, 1), "0 or 1"),
            "qos0_share": (
                0 <= self.qos0_share < 1 and (self.qos or not self.qos0_share),
                "0 to below 1, with qos 1",
            ),
            "window": (0 <= self.window <= 65_535, "0 to 65535"),
            "batch": (1 <= self.batch <= 10_000, "1 to 10,000"),
            "tick_ms": (0 < self.tick_ms <= 1000, "above 0, at most 1000"),
            "drain_s": (0 <= self.drain_s <= 600, "0 to 600"),
        }
        for field, (good, allowed) in bounds.items():
            if not good:
                raise LoadError(f"{field} = {getattr(self, field)}: {allowed}")
        try:
            parse_mix(self.mix)
        except MixError as error:
            raise LoadError(f"mix = {self.mix}: {error}") from None

    @property
    def total(self) -> int:
        """How many messages are meant to go in all."""
        by_time = int(self.rate * self.seconds) if self.rate else UNCOUNTED
        return min(by_time, self.count or UNCOUNTED)


def share_out(plan: LoadPlan) -> list[tuple[int, Share]]:
    """What each connection carries and at which QoS: neighbouring devices, and every n-th intended time.

    The devices at QoS 0 and those at QoS 1 have messages and rate by their numbers, so that together they
    keep the plan's rate and each device is heard as often as any other.
    """
    at_qos_0 = round(plan.devices * plan.qos0_share)
    messages_0 = plan.total * at_qos_0 // plan.devices
    first_1, others = plan.first_device + at_qos_0, plan.devices - at_qos_0
    shares_0 = _shares(plan, plan.first_device, at_qos_0, messages_0)
    shares_1 = _shares(plan, first_1, others, plan.total - messages_0)
    return [(0, share) for share in shares_0] + [(plan.qos, share) for share in shares_1]


def _shares(plan: LoadPlan, first_device: int, devices: int, messages: int) -> list[Share]:
    """These devices and messages over the plan's connections; none for no devices."""
    if not devices:
        return []
    connections = min(plan.connections, devices)
    devices_each, more_devices = divmod(devices, connections)
    messages_each, more_messages = divmod(messages, connections)
    rate = plan.rate * devices / plan.devices
    shares: list[Share] = []
    for index in range(connections):
        own_devices = devices_each + (index < more_devices)
        shares.append(
            Share(
                first_device=first_device,
                devices=own_devices,
                first_seq=plan.first_seq,
                count=messages_each + (index < more_messages),
                offset_s=index / rate if rate else 0.0,
                interval_s=connections / rate if rate else 0.0,
            )
        )
        first_device += own_devices
    return shares
