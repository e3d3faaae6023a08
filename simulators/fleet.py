"""Plays a scenario in real time over real MQTT 5, as a gateway would: one connection, messages in turn.

A lost connection is opened again with backoff, and the message that was under way is published again: at
QoS 1 the broker may then have it twice. A message that fails again and again is given up and counted.
Messages that fell due meanwhile follow at once, late but complete.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import aiomqtt
import numpy as np
import structlog

from simulators.publisher import Address
from simulators.scenario import Message

log = structlog.get_logger()

MAX_SECONDS: Final = 7 * 86_400.0
PUBLISH_TIMEOUT_S: Final = 2.0
ATTEMPTS: Final = 3
"""How long one publish may take, and how often a message is tried before it is given up: a broker may cut the
connection instead of refusing what it cannot take (chosen)."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
"""Backoff: doubled from the first to the longest pause, each taken between a half and the whole (chosen)."""

Scenario = Callable[[int], Iterable[Message]]
"""Given the epoch of its start in milliseconds, the messages in order of time."""


class FleetError(Exception):
    """The fleet never reached the broker within its time; the text says why."""


@dataclass(frozen=True, slots=True)
class FleetReport:
    """What a fleet did.

    `given_up` counts messages that no attempt brought across. `behind_max_s` is the longest time between when
    a message was meant to go and when the broker had it. `complete` is False when the bounds cut the scenario
    short.
    """

    published: int
    given_up: int
    reconnects: int
    behind_max_s: float
    seconds: float
    complete: bool


async def play(
    scenario: Scenario, broker: Address, *, seconds: float, count: int = 0, client_id: str = "fleet"
) -> FleetReport:
    """Publishes the scenario, at most `seconds` from now and at most `count` messages if not 0.

    The scenario starts when the first connection stands. Raises FleetError when none does in time; ValueError
    for bounds that are none.
    """
    if not 0 < seconds <= MAX_SECONDS or count < 0:
        raise ValueError(f"seconds must be above 0 and at most {MAX_SECONDS:.0f}, count 0 or more")
    player = _Player(scenario, broker, count, client_id)
    started_s = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            await player.run()
    except TimeoutError:
        if player.messages is None:
            raise FleetError(f"{broker.host}:{broker.port}: {player.last_error}") from None
    return FleetReport(
        player.published,
        player.given_up,
        player.reconnects,
        round(player.behind_max_s, 3),
        round(time.monotonic() - started_s, 3),
        player.complete,
    )


class _Player:
    """One run: where it stands in the scenario survives every connection."""

    def __init__(self, scenario: Scenario, broker: Address, count: int, client_id: str) -> None:
        self._scenario, self._broker, self._client_id = scenario, broker, client_id
        self._left = count or -1
        self._pending: Message | None = None
        self._attempts = 0
        self._start_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._jitter = np.random.default_rng()
        self.messages: Iterator[Message] | None = None
        self.last_error = "no answer in time"
        self.published = 0
        self.given_up = 0
        self.reconnects = 0
        self.behind_max_s = 0.0
        self.complete = False

    async def run(self) -> None:
        """Until the scenario or the count is over, however often the connection is lost."""
        while True:
            try:
                async with self._client() as client:
                    self._connected()
                    await self._publish_all(client)
                    return
            except aiomqtt.MqttError as error:
                self.last_error = str(error)
                log.warning("fleet.connection_lost", error=self.last_error)
            await asyncio.sleep(self._pause_s * float(self._jitter.uniform(0.5, 1)))
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username or None,
            password=self._broker.password or None,
            tls_context=ssl.create_default_context(cafile=self._broker.ca) if self._broker.ca else None,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=PUBLISH_TIMEOUT_S,
        )

    def _connected(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        if self.messages is None:
            self._start_s = time.monotonic()
            self.messages = iter(self._scenario(time.time_ns() // 1_000_000))
        else:
            self.reconnects += 1

    async def _publish_all(self, client: aiomqtt.Client) -> None:
        assert self.messages is not None
        while self._left:  # -1 never gets to 0: no bound but the time
            self._pending = self._pending or next(self.messages, None)
            if self._pending is None:
                self.complete = True
                return
            if self._attempts < ATTEMPTS:
                await self._publish(client, self._pending)
                self.published += 1
            else:
                log.warning("fleet.message_given_up", topic=self._pending.topic)
                self.given_up += 1
            self._pending, self._attempts = None, 0
            self._left -= 1

    async def _publish(self, client: aiomqtt.Client, message: Message) -> None:
        due_s = self._start_s + message.at_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        self._attempts += 1
        await client.publish(message.topic, message.payload, message.qos, message.retain)
        self.behind_max_s = max(self.behind_max_s, time.monotonic() - due_s)
