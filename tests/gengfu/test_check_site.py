"""`gengfu check` looks at what a broker of the site's own needs on this machine."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gengfu.check_site import site_findings
from gengfu.config import Broker, Config
from ingest.probes.finding import Finding

DEBIANS = """\
/var/log/mosquitto/mosquitto.log {
	rotate 7
	daily
	size 100k
	postrotate
		if invoke-rc.d mosquitto status > /dev/null 2>&1; then \\
			invoke-rc.d mosquitto reload > /dev/null 2>&1; \\
		fi;
	endscript
}
"""
OURS = Path(__file__).parents[2] / "deploy" / "logrotate-mosquitto"


def found(config: Config, folder: Path, rotation: str | None = None, **more: object) -> dict[str, Finding]:
    said = {"host": "127.0.0.1", "access_dir": str(folder), "log_file": str(folder / "log")} | more
    broker = msgspec.convert(said, Broker)
    file = folder / "logrotate"
    if rotation is not None:
        file.write_text(rotation)
    return {one.name: one for one in site_findings(msgspec.structs.replace(config, broker=broker), file)}


def test_what_is_there_is_well(config: Config, tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    shown = found(config, tmp_path, OURS.read_text(), reload_command=["sh", "-c", "true"])
    assert {name: one.text for name, one in shown.items() if not one.ok} == {}
    assert set(shown) == {"broker access", "broker log", "broker reload", "broker rotation"}


def test_what_is_missing_is_said(config: Config, tmp_path: Path) -> None:
    shown = found(config, tmp_path, access_dir=str(tmp_path / "none"), reload_command=["no-such-program"])
    assert {name for name, one in shown.items() if not one.ok} == {
        "broker access",
        "broker log",
        "broker reload",
    }


@pytest.mark.parametrize(
    "rotation",
    [DEBIANS, "x {\n postrotate\n pkill -HUP mosquitto\n endscript\n}", DEBIANS + OURS.read_text()],
)
def test_a_rotation_that_reloads_the_broker_is_said(config: Config, tmp_path: Path, rotation: str) -> None:
    finding = found(config, tmp_path, rotation)["broker rotation"]
    assert not finding.ok
    assert "deploy/logrotate-mosquitto" in finding.text


def test_a_broker_elsewhere_has_nothing_to_be_looked_at_here(config: Config, tmp_path: Path) -> None:
    assert found(config, tmp_path, DEBIANS, access_dir="", log_file="") == {}
