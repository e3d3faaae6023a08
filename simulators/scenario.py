"""What happens in a block, on a time line. Pure: times are arguments, noise comes from the block's seed.

A scenario is a lazy stream of messages in order of time; `simulators.fleet` plays it, tests just read it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, count, takewhile
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np

from devices.model import Metric
from simulators.formats import SmokeState, own_payload, own_topic, smoke_payload, smoke_topic
from simulators.places import Block, Device

MONITOR_EVERY_S: Final = 10.0
"""How often a current monitor reports (chosen: lively, and still small)."""
DETECTOR_EVERY_S: Final = 30.0
"""How often a detector reports; real ones do so hourly or daily (chosen, for the demonstration)."""
OVERLOAD_EVERY_S: Final = 1.0
OVERLOAD_RATIO: Final = 1.6
"""Of I_ref. The overload rule asks 1.45 held for 60 s; the margin is far above the noise (chosen)."""
OVERLOAD_END_S: Final = 100.0
SMOKE_AT_S: Final = 20.0
SMOKE_EVERY_S: Final = 10.0
SMOKE_END_S: Final = 150.0
RETAINED_AT_S: Final = 5.0
MALFORMED_AT_S: Final = 8.0
MALFORMED_EVERY_S: Final = 45.0
STRANGER_AT_S: Final = 12.0
STRANGER_EVERY_S: Final = 40.0
STRANGER_ID: Final = "gm-999999"
"""A device that no plan contains: plans number from 1 and end far below."""
QUIET_A: Final = (0.4, 4.0)
"""What a quiet flat draws, in amperes: below 0.3 of the smallest rating (chosen)."""
NOISE: Final = 0.02
"""Standard deviation of the noise on a current, relative (chosen)."""
MAINS_V: Final = 228.0


class Message(NamedTuple):
    """One publish: `at_s` seconds after the scenario's start, then what MQTT carries."""

    at_s: float
    topic: str
    payload: bytes
    qos: int
    retain: bool


def evening(block: Block, start_ms: int, seconds: float) -> Iterator[Message]:
    """An evening in which one dwelling overloads its circuit and then burns.

    From 0 s the monitor of `block.scene` reports 1.6 times its rating every second, so that the overload is
    60 s old at 60 s; at 20 s its detector reports smoke; at 100 s the current and at 150 s the smoke are
    gone, and the rest is quiet. All other devices report a quiet flat with small noise throughout. Now and
    then comes a retained state, a malformed message and a stranger's message.

    `start_ms` (epoch, UTC) is what the devices' clocks show at 0 s: payloads are never back-dated. Messages
    end before `seconds`.
    """
    oddities = [_retained(block), _malformed(block), _stranger(start_ms)]
    return _merged([*_reports(block, start_ms, block.scene), *oddities], seconds)


def quiet(block: Block, start_ms: int, seconds: float) -> Iterator[Message]:
    """The same block with nothing wrong in it: no alarm of any severity may come of this."""
    return _merged(_reports(block, start_ms, ""), seconds)


def _merged(streams: Iterable[Iterator[Message]], seconds: float) -> Iterator[Message]:
    merged = heapq.merge(*streams, key=attrgetter("at_s"))
    return takewhile(lambda message: message.at_s < seconds, merged)


def _reports(block: Block, start_ms: int, scene: str) -> list[Iterator[Message]]:
    """One endless stream a device; things go wrong in the dwelling `scene`, if any."""
    detectors = (
        _detector(device, _rng(block, device), device.dwelling == scene) for device in block.smoke_detectors
    )
    monitors = (
        _monitor(device, _rng(block, device), start_ms, device.dwelling == scene)
        for device in block.current_monitors
    )
    return [*detectors, *monitors]


def _rng(block: Block, device: Device) -> np.random.Generator:
    """Noise that belongs to the device, whatever else the block holds."""
    return np.random.default_rng([block.seed, *device.native_id.encode()])


def _regular(first_s: float, every_s: float) -> Iterable[float]:
    return (first_s + n * every_s for n in count())


def _until(end_s: float, times: Iterable[float]) -> Iterable[float]:
    return takewhile(lambda at_s: at_s < end_s, times)


def _detector(device: Device, rng: np.random.Generator, burns: bool) -> Iterator[Message]:
    """States of one detector. One that will burn first says that there is no smoke, as any would have."""
    temperature = float(rng.uniform(16, 26))
    times = _regular(float(rng.uniform(0, DETECTOR_EVERY_S)), DETECTOR_EVERY_S)
    if burns:
        times = chain(
            [1.0],
            _until(SMOKE_END_S, _regular(SMOKE_AT_S, SMOKE_EVERY_S)),
            _regular(SMOKE_END_S, DETECTOR_EVERY_S),
        )
    for at_s in times:
        state = SmokeState(
            smoke=burns and SMOKE_AT_S <= at_s < SMOKE_END_S,
            battery=96.5,
            linkquality=int(rng.integers(80, 140)),
            temperature=round(temperature + float(rng.normal(0, 0.1)), 1),
        )
        yield Message(at_s, smoke_topic(device.native_id), smoke_payload(state), 0, False)


def _monitor(device: Device, rng: np.random.Generator, start_ms: int, overloads: bool) -> Iterator[Message]:
    """Reports of one current monitor; its sequence starts at the epoch second, so that no later run of the
    same block repeats a number."""
    quiet_a = float(rng.uniform(*QUIET_A))
    times = _regular(float(rng.uniform(0, MONITOR_EVERY_S)), MONITOR_EVERY_S)
    if overloads:
        times = chain(
            _until(OVERLOAD_END_S, _regular(0.0, OVERLOAD_EVERY_S)),
            _regular(OVERLOAD_END_S, MONITOR_EVERY_S),
        )
    for seq, at_s in enumerate(times, start_ms // 1000):
        too_much = overloads and at_s < OVERLOAD_END_S
        mean_a = OVERLOAD_RATIO * device.reference_a if too_much else quiet_a
        payload = _monitor_payload(start_ms + round(at_s * 1000), seq, mean_a, rng)
        yield Message(at_s, own_topic(device.native_id), payload, 1, False)


def _monitor_payload(at_ms: int, seq: int, mean_a: float, rng: np.random.Generator) -> bytes:
    """One report around `mean_a`; noise is cut at three standard deviations."""
    noise = np.clip(rng.normal(0, 1, size=4), -3, 3).tolist()
    current = mean_a * (1 + NOISE * noise[0])
    voltage = MAINS_V + noise[1]
    line = {
        Metric.CURRENT: round(current, 3),
        Metric.VOLTAGE: round(voltage, 1),
        Metric.POWER_ACTIVE: round(current * voltage * 0.97, 1),
        Metric.CURRENT_RESIDUAL: round(0.004 + 0.0005 * noise[2], 5),
    }
    device = {Metric.TEMPERATURE_AMBIENT: round(24 + 0.2 * noise[3], 2)}
    return own_payload(at_ms, seq, device, {"l1": line})


def _retained(block: Block) -> Iterator[Message]:
    """A state whose publisher sets the retain bit, as some gateways do: it is live, not history."""
    device = block.smoke_detectors[-1]
    state = SmokeState(smoke=False, battery=96.5, linkquality=101, temperature=20.0)
    yield Message(RETAINED_AT_S, smoke_topic(device.native_id), smoke_payload(state), 0, True)


def _malformed(block: Block) -> Iterator[Message]:
    """Half a report, as a device writes whose battery gives out."""
    topic = own_topic(block.current_monitors[-1].native_id)
    for at_s in _regular(MALFORMED_AT_S, MALFORMED_EVERY_S):
        yield Message(at_s, topic, b'{"at": 17', 1, False)


def _stranger(start_ms: int) -> Iterator[Message]:
    """A monitor that nobody registered."""
    rng = np.random.default_rng(0)
    for seq, at_s in enumerate(_regular(STRANGER_AT_S, STRANGER_EVERY_S), start_ms // 1000):
        payload = _monitor_payload(start_ms + round(at_s * 1000), seq, QUIET_A[0], rng)
        yield Message(at_s, own_topic(STRANGER_ID), payload, 1, False)
