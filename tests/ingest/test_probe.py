"""`gengfu check` finds what a broker would lose, on real brokers."""

from __future__ import annotations

from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.probe import Finding, probe_broker
from ingest.source import SourceSettings
from tests.ingest.mosquitto import Mosquitto, free_port


def _probe(port: int, timeout_s: float = 5.0) -> dict[str, Finding]:
    settings = SourceSettings("127.0.0.1", port, "unused", ())
    return {finding.name: finding for finding in probe_broker(settings, timeout_s)}


def test_our_own_configuration_keeps_every_promise(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        findings = _probe(broker.port)
    assert [name for name, finding in findings.items() if not finding.ok] == []
    assert len(findings) == 5


def test_a_broker_with_default_settings_loses_qos_0_and_long_queues(tmp_path: Path) -> None:
    def defaults(text: str) -> str:
        wanted = ("listener", "allow_anonymous", "user", "log_dest")
        return "\n".join(line for line in text.splitlines() if line.startswith(wanted))

    with Mosquitto(tmp_path, defaults) as broker:
        findings = _probe(broker.port, timeout_s=2.0)
    assert not findings["broker qos 0"].ok
    assert "upgrade_outgoing_qos" in findings["broker qos 0"].text
    assert not findings["broker queue"].ok
    assert findings["broker retain"].ok


def test_nothing_stays_behind(tmp_path: Path) -> None:
    retained: list[str] = []
    with Mosquitto(tmp_path) as broker:
        _probe(broker.port)
        client = paho.Client(CallbackAPIVersion.VERSION2, "after", protocol=paho.MQTTv5)
        client.on_message = lambda _c, _u, message: retained.append(message.topic)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        client.subscribe("gengfu/#", 1)
        client.publish("gengfu/last", b"", 1).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()
    assert retained == ["gengfu/last"]


@pytest.mark.parametrize("listening", [False, True])
def test_an_unreachable_or_closed_broker_is_one_finding_that_says_what_to_do(
    tmp_path: Path, listening: bool
) -> None:
    def closed(text: str) -> str:
        return text.replace("allow_anonymous true", "allow_anonymous false")

    if listening:
        with Mosquitto(tmp_path, closed) as broker:
            findings = _probe(broker.port)
    else:
        findings = _probe(free_port())
    assert not findings["broker"].ok
    assert ("credentials" if listening else "not reachable") in findings["broker"].text
    assert len(findings) == 1
