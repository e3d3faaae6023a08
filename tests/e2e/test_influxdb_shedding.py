"""The real service with a small journal, and a real server that is away until the journal is full: alarms go
on, and in the end the server has of every device what was sent, less what was counted as shed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from benchmarks.service import RunningService
from devices.model import ReadingBatch
from gengfu.clock import now_us
from gengfu.ports import free_port
from ingest.journal import Journal
from ingest.record import Messages, Record, StrangerTopic
from simulators.block import plan_block
from tests.e2e.site import Publish, Site, eventually, phones_in_a_thread, register, uid_of
from tests.e2e.test_kill import start_broker
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, VICTORIA, SeriesServer
from tests.series_sites import store_section

JOURNAL_BYTES = 16 << 20
"""The least that the configuration takes."""
LEFT_BYTES = 200_000
POINTS = 4
"""Of one current report."""


class Small(RunningService):
    """`gengfu up` with a small journal and its points on `server`, which may be away when it starts."""

    def __init__(self, folder: Path, server: SeriesServer, broker_port: int) -> None:
        super().__init__(folder, own_broker_port=broker_port)
        small = f"journal_max_mb = {JOURNAL_BYTES >> 20}\nsegment_mb = 1\nreserve_mb = 16\n"
        self.config.write_text(self.config.read_text() + small + store_section(server, folder))
        self.store_is_away = False

    def ready(self) -> None:
        for name in self.ports:
            if not (name == "store" and self.store_is_away):
                eventually(partial(self.healthy, name), f"{name} is healthy")


class Sent:
    """What was published, as devices and the times of their reports in milliseconds."""

    def __init__(self, here: Site) -> None:
        self._here, self._at_ms, self._seq = here, now_us() // 1000, 0
        self.times: dict[str, list[int]] = {}
        self.smoke: Counter[str] = Counter()

    def reports(self, times: int) -> None:
        """So many of every monitor, all at times of their own."""
        self._here.publish(
            [self._report(home.code) for _ in range(times) for home in self._here.block.dwellings]
        )

    def _report(self, home: str) -> Publish:
        self._seq += 1
        self._at_ms = max(self._at_ms + 1, now_us() // 1000)
        self.times.setdefault(uid_of(self._here.monitor(home)), []).append(self._at_ms)
        return self._here.current(home, self._at_ms, self._seq, 1.0 + self._seq % 50 / 100)

    def states(self, homes: list[str], *, smoke: bool) -> None:
        """One of these dwellings' detectors."""
        self._here.publish([self._here.smoke(home, smoke=smoke) for home in homes])
        self.smoke.update(uid_of(self._here.detector(home)) for home in homes)


@pytest.fixture
def here(tmp_path: Path, series_server: SeriesServer) -> Iterator[Site]:
    port = free_port()
    with ExitStack() as stack:
        broker = start_broker(tmp_path / "broker", port)
        stack.callback(broker.wait, 30)
        stack.callback(broker.terminate)
        phones = stack.enter_context(phones_in_a_thread())
        service, block = Small(tmp_path, series_server, port), plan_block(8, 3)
        stack.callback(service.stop)
        register(service, block, phones)
        service.start()
        yield Site(service, block, phones)


@pytest.mark.slow
@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2, VICTORIA])
def test_of_every_device_the_server_has_what_was_sent_less_what_was_counted_as_shed(
    here: Site, series_server: SeriesServer
) -> None:
    sent, homes = Sent(here), [home.code for home in here.block.dwellings]
    sent.states(homes, smoke=False)
    sent.reports(5)
    eventually(lambda: stored(series_server)["electrical"] == 5 * POINTS * len(homes), "points are there")
    of_a_state = stored(series_server)["smoke"] // len(homes)

    series_server.kill()
    sent.reports(5)
    eventually(lambda: not here.service.healthy("store"), "the store process says that it waits")
    fill_the_journal(here)
    eventually(lambda: shed_after(sent, here), "points are shed")
    sent.states(homes[:1], smoke=True)
    eventually(lambda: here.incident_of(homes[0]) is not None, "smoke alarms all the same")
    assert here.service.healthy("ingest"), "no alarm waits"

    series_server.start()
    eventually(lambda: is_stored_again(sent, here), "there is room for history again", timeout_s=120)
    sent.reports(5)
    sent.states(homes, smoke=False)
    wanted = {uid: len(times) * POINTS for uid, times in sent.times.items()}
    wanted |= {uid: times * of_a_state for uid, times in sent.smoke.items()}
    eventually(
        lambda: by_device(series_server) + shed_of_each(here) == Counter(wanted), "the counts are equal"
    )
    shed = shed_of_each(here)
    assert set(shed) == set(wanted) - {uid_of(here.detector(home)) for home in homes[1:]}
    for uid, times in sent.times.items():
        there = stored_times(series_server, uid)
        missing = [at for at in times if at not in there]
        begin = times.index(missing[0])
        assert missing == times[begin : begin + len(missing)], "one span"
        assert begin >= 10 and begin + len(missing) <= len(times) - 5, "not what waited, nor what came after"


def fill_the_journal(here: Site) -> None:
    """Records that hold nothing to evaluate, until there is little room: the service stands meanwhile."""
    service = here.service
    assert isinstance(service, Small)
    service.stop()
    journal = Journal(service.data / "journal", segment_bytes=1 << 20, max_bytes=JOURNAL_BYTES)
    while (left := JOURNAL_BYTES - LEFT_BYTES - journal.bytes_on_disk) > 0:
        filler = [StrangerTopic(0, "x" * min(left, 900_000))]
        batch = ReadingBatch.empty(now_us())
        journal.append(Record(journal.next_seq, batch, Messages.empty(), [], [], filler, {}, 0, 0))
    journal.close()
    service.store_is_away = True
    service.start()


def shed_after(sent: Sent, here: Site) -> bool:
    sent.reports(40)
    return is_shedding(here) and sum(shed_of_each(here).values()) > 500


def is_stored_again(sent: Sent, here: Site) -> bool:
    """Room is looked for when something comes in."""
    sent.reports(1)
    return not is_shedding(here)


def is_shedding(here: Site) -> bool:
    return bool(here.service.figures("ingest")["gengfu_ingest_shedding"])


def shed_of_each(here: Site) -> Counter[str]:
    """As the command says."""
    command = [
        sys.executable,
        "-m",
        "gengfu",
        "device",
        "--config",
        str(here.service.config),
        "shed",
        "--json",
    ]
    said = subprocess.run(command, capture_output=True, check=True).stdout
    return Counter({row["device"]: row["points"] for row in map(json.loads, said.splitlines())})


def stored(server: SeriesServer) -> Counter[str]:
    """Values by kind, without qualities."""
    kinds = ("smoke", "electrical")
    return Counter(kind for kind in kinds for row in server.rows(kind) if not row.field.endswith("_quality"))


def by_device(server: SeriesServer) -> Counter[str]:
    rows = [*server.rows("smoke"), *server.rows("electrical")]
    return Counter(dict(row.tags)["device"] for row in rows if not row.field.endswith("_quality"))


def stored_times(server: SeriesServer, uid: str) -> set[int]:
    """Of a monitor, in milliseconds."""
    return {row.time_ns // 1_000_000 for row in server.rows("electrical") if dict(row.tags)["device"] == uid}
