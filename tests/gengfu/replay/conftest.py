"""`gengfu replay` in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.gengfu.replay.running import Run

CIRCUIT = '[[circuit]]\ndevice = "own:m"\nbreaker_a = 25\ndwelling = "3-2-501"\n'


@pytest.fixture
def run(whole_app: typer.Typer, tmp_path: Path) -> Run:
    """Runs `gengfu replay <words>` in this process with a configuration of its own."""
    (tmp_path / "gengfu.toml").write_text('[site]\ntimezone = "Asia/Shanghai"\n')
    (tmp_path / "circuits.toml").write_text(CIRCUIT)

    def run(*words: object, code: int = 0) -> Result:
        arguments = ["--config", str(tmp_path / "gengfu.toml"), "replay", *map(str, words)]
        result = CliRunner().invoke(whole_app, arguments)
        assert result.exit_code == code, result.output
        return result

    return run
