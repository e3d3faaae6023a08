"""The README's registry commands are run as they stand, in both languages."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def commands(readme: str) -> list[list[str]]:
    """Every line of a code block that begins with `gengfu` and writes to the registry."""
    blocks = re.findall(r"```\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("gengfu ")]
    return [shlex.split(line, comments=True) for line in lines if "# " not in line]


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readmes_registry_commands_work_and_leave_a_reachable_duty_desk(
    readme: str, tmp_path: Path
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "GENGFU_CONFIG"}
    given = commands(readme)
    assert len(given) == 12
    for command in given:
        if command[1] == "user":
            command.append("--password-stdin")
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment,
            input=b"a long night\n",
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr.decode())
    shown = subprocess.run(
        [sys.executable, "-m", "gengfu", "contact", "show", "duty-1", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert b"duty_desk" in shown.stdout
