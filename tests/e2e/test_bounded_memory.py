"""A flood while nothing can be committed: the socket is not read, and the process does not grow."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from tests.e2e.site import Publish, Site, eventually, site

PAYLOAD = b"x" * 20_000
FLOOD = 8_000
"""160 MB, which a process that reads on would hold."""
MOST_MB = 48
"""Of growth: a batch in hand (one read of 1 MiB), buffers, and what the interpreter keeps (chosen)."""


def resident_mb(here: Site) -> float:
    pages = int(Path(f"/proc/{here.service.pid('ingest')}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_a_locked_database_and_a_flood_are_borne_by_the_broker_and_not_by_memory(tmp_path: Path) -> None:
    with site(tmp_path, devices=8) as here:
        home = here.block.dwellings[1].code
        here.publish([here.smoke(home, smoke=False)])
        eventually(lambda: here.ingested() >= 1, "the quiet state is ingested")
        before = resident_mb(here)
        lock = sqlite3.connect(here.service.data / "gengfu.db", isolation_level=None, timeout=30)
        lock.execute("BEGIN IMMEDIATE")
        here.publish([here.smoke(home)])
        flood: list[Publish] = [("gengfu/nobody", PAYLOAD, 1, False)] * FLOOD
        here.publish(flood)
        assert resident_mb(here) - before < MOST_MB
        assert here.ingested() <= 2 + FLOOD // 10  # the rest waits in the broker
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: here.incident_of(home) is not None, "the smoke alarm is raised")
        eventually(lambda: here.ingested() == 2 + FLOOD, "the flood is taken", timeout_s=120)
        assert resident_mb(here) - before < 2 * MOST_MB
