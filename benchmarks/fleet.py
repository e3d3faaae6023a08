"""Registers the load generator's devices in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import insert

from devices.database import open_database, writing
from devices.schema import device, registry_change
from devices.vault import create_key
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from simulators.mix import FIXED, identities, parse_mix

POINTS_PER_MESSAGE: Final = 4
"""Of the load generator's usual message (`fixed`)."""


def register_load_devices(config_file: Path, count: int, mix: str = FIXED) -> None:
    """The load generator's first `count` devices, current monitors on a 25 A circuit each; makes database and
    key. `mix` as the generator has it."""
    config = load_config(config_file)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    if not config.key_path.exists():
        create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    now = now_us()
    rows = [
        {
            "uid": one.uid,
            "kind": one.kind,
            "profile": one.profile,
            "breaker_a": 25.0 if one.kind == "electrical" else None,
            "cable_a": 27.0 if one.kind == "electrical" else None,
            "registered_us": now,
            "registered_by": "bench",
        }
        for one in identities(0, count, parse_mix(mix))
    ]
    with writing(engine) as connection:
        connection.execute(insert(device), rows)
        connection.execute(insert(registry_change).values(at_us=now, by="bench", what=f"{count} devices"))
    engine.dispose()


def expected_points(messages: int) -> int:
    """Points in so many messages of the load generator."""
    return messages * POINTS_PER_MESSAGE
