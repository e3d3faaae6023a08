"""Who may publish, on the running service: from the registration to the alarm, and from the revocation to the
fault on the board."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from devices.model import Metric
from simulators.formats import own_payload, own_topic
from tests.e2e.site import Site, eventually, site

SOON_S = 2.0
"""What the change of a publisher may take to be in force."""


def gengfu(here: Site, *words: str) -> list[dict[str, object]]:
    """What a command prints with --json."""
    done = subprocess.run(
        [sys.executable, "-m", "gengfu", "--config", str(here.service.config), *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Device:
    """A detector that connects, tries again when it is refused, and says what became of it."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self.connects, self.refusals, self.breaks = 0, 0, 0
        self.taken: dict[int, int] = {}
        self._mqtt = paho.Client(CallbackAPIVersion.VERSION2, "esp-42", protocol=paho.MQTTv5)
        self._mqtt.username_pw_set(name, password)
        self._mqtt.reconnect_delay_set(1, 1)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = self._on_disconnect
        self._mqtt.on_publish = self._on_publish
        self._mqtt.connect("127.0.0.1", port)
        self._mqtt.loop_start()

    def publish(self, topic: str, payload: bytes) -> int:
        """The reason code of the PUBACK."""
        sent = self._mqtt.publish(topic, payload, 1)
        eventually(lambda: sent.mid in self.taken, "the broker answers")
        return self.taken[sent.mid]

    def close(self) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def _on_connect(self, _c: object, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
        self.connects += not code.is_failure
        self.refusals += code.is_failure

    def _on_disconnect(self, *_: object) -> None:
        self.breaks += 1

    def _on_publish(self, _c: object, _u: object, mid: int, code: ReasonCode, _p: object) -> None:
        self.taken[mid] = code.value


def smoke() -> bytes:
    return own_payload(time.time_ns() // 1_000_000, 1, {Metric.SMOKE_ALARM: 1.0}, {})


def standing(here: Site) -> str:
    rows = here.service.rows(
        "SELECT text FROM system_fault WHERE code = 'publishers_refused' AND ended_us IS NULL"
    )
    return str(rows[0][0]) if rows else ""


def test_a_publisher_made_while_the_service_runs_raises_its_alarm_and_revoked_it_is_cut_off_and_seen(
    tmp_path: Path,
) -> None:
    with site(tmp_path, devices=8, anonymous=False) as here:
        home = here.block.dwellings[0].code
        gengfu(
            here,
            "device",
            "register",
            "own:late-1",
            "--kind",
            "smoke",
            "--profile",
            "own",
            "--dwelling",
            home,
        )
        [made] = gengfu(here, "publisher", "add", "--device", "own:late-1")
        made_at = time.monotonic()
        device = Device(here.service.broker_port, str(made["name"]), str(made["password"]))
        eventually(lambda: device.connects == 1, "the new publisher is let in")
        assert time.monotonic() - made_at < SOON_S + 1.0
        assert device.publish(own_topic("late-1"), smoke()) == 0
        eventually(lambda: ("S1", "raised", "own:late-1") in here.transitions(), "its alarm is raised")

        assert device.publish(own_topic("other-1"), smoke()) == 0x87
        assert device.breaks == device.refusals
        gengfu(here, "publisher", "revoke", "late-1")
        eventually(lambda: device.refusals > 1, "it is cut off and refused")
        device.close()
        assert here.service.figures("ingest")["gengfu_ingest_connects_total"] == 1

        eventually(
            lambda: len(gengfu(here, "publisher", "refusals")) >= 2, "the refusals are in the registry"
        )
        rows = {(row["kind"], row["who"]): row for row in gengfu(here, "publisher", "refusals")}
        assert rows["topic", "late-1"]["topic"] == own_topic("other-1")
        assert rows["topic", "late-1"]["count"] == 1
        assert ("login", "127.0.0.1") in rows
        eventually(lambda: "late-1" in standing(here) or "127.0.0.1" in standing(here), "a fault stands")
        shown = here.service.figures("caretaker")
        assert shown['gengfu_caretaker_refusals_total{kind="topic"}'] == 1
