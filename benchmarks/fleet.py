"""Registers the load generator's devices in one go, and reads back what became of their messages."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import insert

from devices.database import open_database, writing
from devices.schema import device, registry_change
from devices.vault import create_key
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from simulators.stencil import POINTS_PER_MESSAGE, device_id


def register_load_devices(config_file: Path, count: int) -> None:
    """`count` current monitors of the load generator, each on a 25 A circuit; makes database and key."""
    config = load_config(config_file)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    if not config.key_path.exists():
        create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    now = now_us()
    rows = [
        {
            "uid": f"own:{device_id(index)}",
            "kind": "electrical",
            "profile": "own",
            "breaker_a": 25.0,
            "cable_a": 27.0,
            "registered_us": now,
            "registered_by": "bench",
        }
        for index in range(count)
    ]
    with writing(engine) as connection:
        connection.execute(insert(device), rows)
        connection.execute(insert(registry_change).values(at_us=now, by="bench", what=f"{count} devices"))
    engine.dispose()


def count_points(points_db: Path) -> int:
    """How many points lie in the embedded store."""
    connection = sqlite3.connect(points_db)
    try:
        (points,) = connection.execute("SELECT count(*) FROM points").fetchone()
    finally:
        connection.close()
    return int(points)


def expected_points(messages: int) -> int:
    """Points in so many messages of the load generator."""
    return messages * POINTS_PER_MESSAGE
