"""A second broker of the site's own, over TLS, beside the private one: its alarms are raised as well."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.service import RunningService
from simulators.block import plan_block
from tests.e2e.site import Site, eventually, phones_in_a_thread, publish_to, register, running, uid_of
from tests.ingest.listeners import listening


def test_an_alarm_at_a_second_broker_over_tls_is_raised_and_the_first_goes_on_without_it(
    tmp_path: Path,
) -> None:
    block = plan_block(12, 3)
    with (
        listening(tmp_path / "north") as north,
        phones_in_a_thread() as phones,
        running(tmp_path) as service,
    ):
        with service.config.open("a", encoding="utf-8") as file:
            file.write(
                f'[[brokers]]\nname = "north"\nhost = "127.0.0.1"\nport = {north.ports["tls"]}\n'
                f'transport = "tls"\nserver_authority = "{north.tls / "ca.crt"}"\n'
            )
        register(service, block, phones)
        service.start()
        here = Site(service, block, phones)
        one, other = (home.code for home in block.dwellings[:2])
        publish_to(north.ports["tcp"], [here.smoke(one, smoke=False), here.smoke(one)])
        eventually(lambda: here.incident_of(one) is not None, "the alarm of the second broker is raised")
        assert service.rows("SELECT uid, severity FROM transition") == [(uid_of(here.detector(one)), "P0")]

        def acked() -> float:
            return service.figures("ingest")['gengfu_ingest_broker_acked_total{broker="north"}']

        eventually(lambda: acked() == 2.0, "both are acknowledged there")
        north.mosquitto.stop()
        eventually(lambda: not service.healthy("ingest"), "one broker away is a trouble")
        assert _health(service)["away"] == ["north"]
        assert _health(service)["connected"] is True
        here.publish([here.smoke(other, smoke=False), here.smoke(other)])
        eventually(lambda: here.incident_of(other) is not None, "the private broker is heard all the same")
        eventually(
            lambda: (
                service.rows("SELECT trouble FROM pulse WHERE name = 'ingest'") == [("no_broker: north",)]
            ),
            "the board is told which broker is away",
        )
        service.kill("ingest")
        north.mosquitto.start()
        service.ready()
        assert len(service.rows("SELECT id FROM transition WHERE rule = 'S1'")) == 2


def _health(service: RunningService) -> dict[str, object]:
    url = f"http://127.0.0.1:{service.ports['ingest']}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            text = answer.read()
    said: dict[str, object] = json.loads(text)
    return said
