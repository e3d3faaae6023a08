"""A whole site for tests: a planned block in the registry, a running service, phones that receive."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from benchmarks.fleet import register_load_devices
from benchmarks.service import RunningService, eventually, running
from devices.database import open_database, writing
from devices.model import Metric, Role
from devices.registry.users import add_user, hash_password
from devices.vault import Vault, create_key
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from gengfu.seed import uid_of, write_block
from simulators.block import neighbours, plan_block
from simulators.formats import SmokeState, own_payload, own_topic, smoke_payload, smoke_topic
from simulators.phones import Phones, open_phones
from simulators.places import Block, Device

Publish = tuple[str, bytes, int, bool]
"""Topic, payload, QoS, retain."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a test works with."""

    service: RunningService
    block: Block
    phones: Phones

    def publish(self, messages: Iterable[Publish]) -> int:
        """Publishes over real MQTT in order, each acknowledged by the broker where QoS 1; how many."""
        return publish_to(self.service.broker_port, messages)

    def ingested(self) -> int:
        """Messages the ingest process has taken since its start."""
        return int(self.service.figures("ingest")["gengfu_ingest_messages_total"])

    def detector(self, dwelling: str) -> Device:
        """The smoke detector of a dwelling."""
        return next(d for d in self.block.devices_of(dwelling) if d.kind == "smoke")

    def monitor(self, dwelling: str) -> Device:
        """The current monitor of a dwelling."""
        return next(d for d in self.block.devices_of(dwelling) if d.kind == "electrical")

    def smoke(self, dwelling: str, *, smoke: bool = True, qos: int = 1, retain: bool = False) -> Publish:
        """A state of the dwelling's detector."""
        state = SmokeState(smoke=smoke, battery=90.0, linkquality=99, temperature=21.0)
        return smoke_topic(self.detector(dwelling).native_id), smoke_payload(state), qos, retain

    def current(self, dwelling: str, at_ms: int, seq: int, ampere: float) -> Publish:
        """A report of the dwelling's monitor: four points on l1."""
        line = {
            Metric.CURRENT: ampere,
            Metric.VOLTAGE: 228.0,
            Metric.POWER_ACTIVE: ampere * 220,
            Metric.CURRENT_RESIDUAL: 0.004,
        }
        topic = own_topic(self.monitor(dwelling).native_id)
        return topic, own_payload(at_ms, seq, {}, {"l1": line}), 1, False

    def transitions(self) -> list[tuple[str, str, str]]:
        """(rule, to, uid) of every stored transition, in order."""
        return [
            (str(rule), str(to), str(uid))
            for rule, to, uid in self.service.rows('SELECT rule, "to", uid FROM transition ORDER BY id')
        ]

    def incident_of(self, dwelling: str) -> int | None:
        """The fire incident of the dwelling's detector."""
        rows = self.service.rows(
            "SELECT incident_id FROM incident_alarm WHERE rule = 'S1' AND uid = ? ORDER BY id DESC",
            uid_of(self.detector(dwelling)),
        )
        return int(rows[0][0]) if rows else None

    def told(self, incident: int) -> dict[str, Counter[str]]:
        """By phone, how often each notification of the incident arrived (a count of 2 is a duplicate)."""
        prefix = f"{incident}/"
        return {
            name: counts
            for name, phone in list(self.phones.phones.items())
            if (counts := Counter({k: n for k, n in phone.counts.items() if k.startswith(prefix)}))
        }

    def expected_at_once(self, dwelling: str) -> set[str]:
        """Whom the table of life_safety tells at once of a P0 in the dwelling, worked out from the plan."""
        near = {home.code for home in neighbours(self.block, dwelling)}
        home = next(d for d in self.block.dwellings if d.code == dwelling)
        building = next(s.building for s in self.block.stairs if s.code == home.stair)
        first = {Role.GRID_WORKER, Role.MICRO_STATION, Role.DUTY_DESK}
        return {
            b.contact
            for b in self.block.bindings
            if (b.role is Role.FAMILY and b.place == dwelling)
            or (b.role is Role.NEIGHBOUR and b.place in near)
            or (b.role is Role.BUILDING_SECRETARY and b.place == building)
            or (b.role in first and b.rank == 1)
        }


def publish_to(port: int, messages: Iterable[Publish]) -> int:
    """As `Site.publish`, at any broker that lets everybody in."""
    return asyncio.run(_publish(port, messages))


async def _publish(port: int, messages: Iterable[Publish]) -> int:
    count = 0
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for topic, payload, qos, retain in messages:
            await client.publish(topic, payload, qos, retain)
            count += 1
    return count


@contextmanager
def site(
    folder: Path,
    devices: int = 24,
    own_broker_port: int = 0,
    load_devices: int = 0,
    *,
    anonymous: bool = True,
) -> Iterator[Site]:
    """A started site; all of it is gone at the end. `load_devices` of the load generator are registered too,
    before the start: a registration takes up to 2 s to be known, and what comes earlier is a stranger's."""
    block = plan_block(devices, 3)
    with (
        phones_in_a_thread() as phones,
        running(folder, own_broker_port=own_broker_port, anonymous=anonymous) as service,
    ):
        register(service, block, phones)
        if load_devices:
            register_load_devices(service.config, load_devices)
        service.start()
        yield Site(service, block, phones)


def register(service: RunningService, block: Block, phones: Phones) -> None:
    """Writes the block, and a supervisor `chief` who may log in to the console."""
    config = load_config(service.config)
    create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    with writing(engine) as connection:
        write_block(connection, Vault.open(config.key_path), block, phones.address, now_us())
        password = hash_password("a long night")
        add_user(
            connection, login="chief", password=password, role="supervisor", everywhere=True, by="test",
            now_us=now_us(),
        )  # fmt: skip
    engine.dispose()


@contextmanager
def phones_in_a_thread() -> Iterator[Phones]:
    """Phones served from a thread of their own while the context is open."""
    ready, stop = threading.Event(), asyncio.Event()
    phones = Phones()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with open_phones("127.0.0.1", 0, phones):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield phones
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


__all__ = ["Publish", "Site", "eventually", "publish_to", "running", "site", "uid_of"]
