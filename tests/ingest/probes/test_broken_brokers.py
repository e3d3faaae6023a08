"""A mosquitto with one setting broken makes exactly its line red, which says what to set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.probes.finding import Finding
from tests.ingest.mosquitto import Mosquitto
from tests.ingest.probes.trying import findings_of, red, trial_on

Probed = dict[str, dict[str, Finding]]

BROKEN = {
    "upgrade_outgoing_qos false": {"broker qos 0": "upgrade_outgoing_qos true"},
    "max_queued_messages 100": {"broker queue": "no more than about 100 messages wait"},
    "max_queued_bytes 100000": {"broker queue": "no more than about 100000 bytes"},
    "max_inflight_messages 20": {"broker publisher window": "max_inflight_messages 65534"},
    "message_size_limit 10000": {"broker packet size": "message_size_limit 262144"},
    "max_packet_size 20000": {"broker packet size": "no max_packet_size"},
    "retain_available false": {"broker retain": "retain_available true"},
    "max_qos 0": {"broker qos 1": "max_qos 2"},
}
DEFAULTS = "defaults"
"""What Debian ships, and what a site has that installed mosquitto and set nothing."""


def _probed(folder: Path, setting: str) -> dict[str, Finding]:
    def change(text: str) -> str:
        if setting == DEFAULTS:
            wanted = ("listener", "allow_anonymous", "user", "log_dest")
            return "\n".join(line for line in text.splitlines() if line.startswith(wanted))
        name = setting.split(maxsplit=1)[0]
        kept = [line for line in text.splitlines() if not line.startswith(name)]
        return "\n".join([*kept, setting, ""])

    with Mosquitto(folder, change if setting else str) as broker:
        return findings_of(trial_on(broker.port))


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """All of them at once: most of the time each waits for what does not come."""
    settings = ["", DEFAULTS, *BROKEN]
    folders = [tmp_path_factory.mktemp("broker") for _ in settings]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(settings, pool.map(_probed, folders, settings), strict=True))


def test_our_own_configuration_keeps_every_promise(probed: Probed) -> None:
    assert {name: one.text for name, one in probed[""].items() if not one.ok} == {}
    assert len(probed[""]) == 19


@pytest.mark.parametrize("setting", BROKEN)
def test_one_broken_setting_is_one_red_line_that_says_what_to_set(probed: Probed, setting: str) -> None:
    shown = red(probed[setting])
    assert shown.keys() == BROKEN[setting].keys()
    for name, words in BROKEN[setting].items():
        assert words in shown[name]


def test_what_needs_a_broken_thing_is_said_not_to_have_been_tried(probed: Probed) -> None:
    assert probed["max_qos 0"]["broker proofs"].ok is None
    assert "broker queue" not in probed["max_qos 0"]


def test_a_broker_on_which_nothing_was_set_loses_qos_0_and_long_queues(probed: Probed) -> None:
    shown = red(probed[DEFAULTS])
    assert shown.keys() == {"broker qos 0", "broker queue", "broker publisher window"}
    assert shown["broker queue"].startswith("1000 of 2000 ")
    assert shown["broker qos 0"].startswith("20 of 20 ")
