"""No room for history: alarms go on in the reserve, the desk is told, and what is not stored is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devices.model import ReadingBatch
from gengfu.ports import free_port
from ingest.journal import Journal
from ingest.journal_reader import JournalReader
from ingest.record import Messages, Record, StrangerTopic
from tests.e2e.site import Site, eventually, site
from tests.e2e.test_kill import start_broker


@contextmanager
def member(here: Site, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the service alone, as the supervisor starts it."""
    command = [sys.executable, "-m", "gengfu", name, "--config", str(here.service.data / "settled.json")]
    with (here.service.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: answers(here, name), f"{name} answers")
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def answers(here: Site, name: str) -> bool:
    try:
        here.service.figures(name)
    except OSError:
        return False
    return True


def fill_the_journal(here: Site) -> int:
    """Records that hold nothing to evaluate, until the bound of 16 MB is reached; the last one's seq."""
    journal = Journal(here.service.data / "journal", segment_bytes=64 << 20, max_bytes=1 << 30)
    while journal.bytes_on_disk < 16 << 20:
        filler = [StrangerTopic(0, "x" * 1_000_000)]
        batch = ReadingBatch.empty(1_790_000_000_000_000)
        journal.append(Record(journal.next_seq, batch, Messages.empty(), [], [], filler, {}, 0, 0))
    journal.close()
    return journal.next_seq - 1


def shed_in_the_journal(here: Site, after: int) -> int:
    """How many points were journalled as shed; all of them must be."""
    reader = JournalReader(here.service.data / "journal", after)
    found = [one for one in reader.read(10_000) if isinstance(one, Record) and len(one.batch)]
    reader.close()
    assert all(one.shed for one in found)
    return sum(len(one.batch) for one in found)


def shed_counted(here: Site) -> int:
    return int(here.service.rows("SELECT coalesce(sum(points), 0) FROM shed")[0][0])


def system_incidents(here: Site) -> list[int]:
    return [int(row[0]) for row in here.service.rows("SELECT id FROM incident WHERE hazard = 'system'")]


def desks_told(here: Site) -> Counter[str]:
    """By contact, how many messages about faults of the system arrived."""
    return Counter(name for number in system_incidents(here) for name in here.told(number))


def test_with_the_store_away_and_the_journal_full_smoke_alarms_and_the_desk_is_told(tmp_path: Path) -> None:
    port = free_port()
    broker = start_broker(tmp_path / "broker", port)
    try:
        with site(tmp_path, devices=12, own_broker_port=port) as here:
            config = here.service.config
            here.service.stop()
            settled = here.service.data / "settled.json"
            said = json.loads(settled.read_text())
            said["ingest"]["journal_max_mb"] = 16
            said["ingest"]["reserve_mb"] = 8
            settled.write_text(json.dumps(said))
            newest = fill_the_journal(here)
            homes = [home.code for home in here.block.dwellings[:3]]
            with member(here, "alerts"):
                with member(here, "ingest") as ingest:
                    here.publish([here.smoke(homes[0], smoke=False), here.smoke(homes[0])])
                    eventually(lambda: here.incident_of(homes[0]) is not None, "smoke alarms")
                    assert here.service.healthy("ingest")  # no alarm waits
                    assert here.service.figures("ingest")["gengfu_ingest_shedding"] == 1
                    eventually(lambda: bool(desks_told(here)), "the desk is told")
                    here.publish([here.smoke(homes[1])])
                    eventually(lambda: here.incident_of(homes[1]) is not None, "smoke alarms again")
                    ingest.kill()
                    ingest.wait()
                here.publish([here.smoke(homes[2])])
                with member(here, "ingest"):
                    eventually(lambda: here.incident_of(homes[2]) is not None, "smoke alarms after a kill")
                    shed = shed_in_the_journal(here, newest)
                    assert shed > 0
                    eventually(lambda: shed_counted(here) == shed, f"{shed} points counted as shed")
                    with member(here, "store"):
                        eventually(
                            lambda: here.service.figures("store")["gengfu_store_behind_records"] == 0,
                            "the store has caught up",
                        )
                        stored = here.service.figures("store")
                        assert stored["gengfu_store_passed_over_total"] == shed
                        assert stored["gengfu_store_damaged_total"] == 0
            assert len(system_incidents(here)) == 1
            desks = {b.contact for b in here.block.bindings if b.role == "duty_desk"}
            assert set(desks_told(here)) <= desks
            shown = subprocess.run(
                [sys.executable, "-m", "gengfu", "device", "--config", str(config), "shed", "--json"],
                capture_output=True,
                check=True,
            )
            assert sum(json.loads(line)["points"] for line in shown.stdout.splitlines()) == shed
    finally:
        broker.terminate()
        broker.wait(30)
