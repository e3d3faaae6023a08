"""A registry that changes under a running service: seen without restart, and nobody's holds are lost."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, Engine, insert

from devices.database import open_database, writing
from devices.model import Metric
from devices.registry import move_device, register_device, retire_device, set_device
from devices.registry.rows import note_change
from devices.schema import device
from gengfu.clock import now_us
from gengfu.config_file import load_config
from simulators.formats import own_payload, own_topic
from tests.e2e.site import Publish, Site, eventually, site, uid_of

BULK = 5_000


def report(native_id: str, at_ms: int, seq: int) -> Publish:
    values = {Metric.CURRENT: 1.0, Metric.VOLTAGE: 228.0}
    return own_topic(native_id), own_payload(at_ms, seq, values, {}), 1, False


def load(here: Site, home: str, ampere: float, start_ms: int, seconds: range) -> list[Publish]:
    """The home's circuit carries so much, reported each second."""
    return [here.current(home, start_ms + s * 1000, 5_000 + s, ampere) for s in seconds]


def known(here: Site, uid: str) -> bool:
    return bool(here.service.rows("SELECT slot FROM series WHERE uid = ?", uid))


def refused(here: Site) -> int:
    rows = here.service.rows("SELECT count FROM dead_letter_count WHERE reason = 'unknown_device'")
    return int(rows[0][0]) if rows else 0


def publish_all(here: Site, messages: list[Publish]) -> None:
    before = here.ingested()
    count = here.publish(messages)
    eventually(lambda: here.ingested() >= before + count, f"{count} messages are ingested")


def followed(here: Site) -> None:
    """Waits until the ingest process holds the newest registry."""
    (newest,) = here.service.rows("SELECT max(id) FROM registry_change")[0]
    eventually(
        lambda: here.service.figures("ingest")["gengfu_ingest_registry_version"] >= newest,
        f"ingest holds registry version {newest}",
    )


def write_bulk(connection: Connection) -> None:
    """As an import does it: many devices, one change."""
    change_id = note_change(connection, "test", now_us(), f"import {BULK} devices")
    common = {"kind": "electrical", "profile": "own", "registered_us": 1, "registered_by": "test"}
    rows = [{"uid": f"own:bulk-{n}", "change_id": change_id, **common} for n in range(BULK)]
    connection.execute(insert(device), rows)


def change_everything(engine: Engine, here: Site, weaker: str, moving: str, to: str, retiring: str) -> None:
    now = now_us()
    with writing(engine) as connection:
        register_device(
            connection,
            uid="own:new",
            kind="electrical",
            profile="own",
            dwelling_code=to,
            by="test",
            now_us=now,
        )
    with writing(engine) as connection:
        monitor = here.monitor(weaker)
        half, uid = monitor.reference_a / 2, uid_of(monitor)
        set_device(connection, uid=uid, breaker_a=half, cable_a=half, by="test", now_us=now)
        uid = uid_of(here.detector(moving))
        move_device(connection, uid=uid, dwelling_code=to, by="test", now_us=now)
        retire_device(connection, uid=uid_of(here.monitor(retiring)), by="test", now_us=now)
    with writing(engine) as connection:
        write_bulk(connection)


def test_a_running_service_follows_its_registry_and_keeps_every_hold(tmp_path: Path) -> None:
    with site(tmp_path, devices=24) as here:
        engine = open_database(load_config(here.service.config).database_url)
        holding, weaker, moving, retiring, to = [d.code for d in here.block.dwellings][:5]
        start_ms = int(time.time() * 1000) - 200_000
        limit = here.monitor(weaker).reference_a
        over = load(here, holding, 1.6 * here.monitor(holding).reference_a, start_ms, range(71))
        calm = load(here, weaker, 0.9 * limit, start_ms, range(71))
        publish_all(here, over[:40] + calm + [here.current(retiring, start_ms, 1, 1.0)])
        publish_all(here, [report("new", start_ms, 1), report("bulk-4999", start_ms, 1)])
        eventually(lambda: refused(here) == 2, "two devices nobody registered are refused")
        assert here.transitions() == []

        change_everything(engine, here, weaker, moving, to, retiring)
        followed(here)
        assert here.service.figures("ingest")["gengfu_ingest_registry_devices_total"] >= BULK + 3

        hotter = load(here, weaker, 0.9 * limit, start_ms, range(71, 142))
        retired = here.current(retiring, start_ms + 1000, 2, 1.0)
        ends = [report("new", start_ms + 1000, 2), report("bulk-4999", start_ms + 1000, 2), retired]
        publish_all(here, over[40:] + hotter + [here.smoke(moving), *ends])
        expected = {
            ("O3", "raised", uid_of(here.monitor(holding))),
            ("O3", "raised", uid_of(here.monitor(weaker))),
            ("S1", "raised", uid_of(here.detector(moving))),
        }
        eventually(lambda: set(here.transitions()) >= expected, f"{expected} are raised")
        assert sorted(here.transitions()) == sorted(expected), "each once, and nothing else"
        assert held_since(here, uid_of(here.monitor(holding))) == start_ms + 60_000
        assert burns_in(here, uid_of(here.detector(moving))) == to
        assert known(here, "own:new")
        assert known(here, "own:bulk-4999")
        eventually(lambda: refused(here) == 3, "the retired monitor is refused")
        engine.dispose()


def held_since(here: Site, uid: str) -> int:
    """When the overload was raised, by the reading's time in ms: the hold counts from its first second."""
    (at_us,) = here.service.rows("SELECT at_us FROM transition WHERE uid = ? AND rule = 'O3'", uid)[0]
    return int(at_us) // 1000


def burns_in(here: Site, uid: str) -> str:
    query = "SELECT code FROM dwelling JOIN transition ON dwelling.id = dwelling_id WHERE uid = ?"
    return str(here.service.rows(query, uid)[0][0])
