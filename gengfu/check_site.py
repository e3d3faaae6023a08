"""What `gengfu check` can say of a broker of the site's own without asking it: its files and its rotation."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gengfu.config import Config
from ingest.probes.finding import Finding

LOGROTATE: Final = Path("/etc/logrotate.d/mosquitto")
_RELOADS: Final = re.compile(r"reload|HUP|-s\s*1\b|-1\b|restart")
_BETWEEN: Final = re.compile(r"^\s*(?:postrotate|lastaction)\b(.*?)^\s*endscript\b", re.DOTALL | re.MULTILINE)


def site_findings(config: Config, logrotate: Path = LOGROTATE) -> Iterator[Finding]:
    """Nothing for a broker that is not of the site's own, or not on this machine."""
    broker = config.broker
    if not broker.host or not (broker.access_dir or broker.log_file):
        return
    if broker.access_dir:
        yield _access_dir(Path(broker.access_dir))
    if broker.log_file:
        yield _log_file(Path(broker.log_file))
    if broker.reload_command:
        program = broker.reload_command[0]
        there = shutil.which(program) is not None
        text = f"{program} is there" if there else f"{program} is no program; correct broker.reload_command"
        yield Finding("broker reload", there, text)
    yield _rotation(logrotate)


def _access_dir(folder: Path) -> Finding:
    writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    text = f"{folder} can be written"
    if not writable:
        text = f"{folder} cannot be written: nobody new is let in; make it, and let this user write it"
    return Finding("broker access", writable, text)


def _log_file(path: Path) -> Finding:
    try:
        with path.open("rb"):
            return Finding("broker log", True, f"{path} can be read")
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}: refusals are not seen; let this user read it"
        return Finding("broker log", False, text)


def _rotation(path: Path) -> Finding:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Finding("broker rotation", True, "no rotation of the log reloads the broker")
    except OSError as error:
        return Finding("broker rotation", False, f"{path} cannot be read: {error.strerror}")
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    if any(_RELOADS.search(said) for said in _BETWEEN.findall(plain)):
        wrong = (
            "reloads the broker: while ingest is away alarms are lost; put deploy/logrotate-mosquitto there"
        )
        return Finding("broker rotation", False, f"{path} {wrong}")
    return Finding("broker rotation", True, f"{path} does not reload the broker")
