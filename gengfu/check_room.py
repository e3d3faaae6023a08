"""What `gengfu check` says of the room that is kept for alarms: the journal's reserve and the ballast."""

from __future__ import annotations

import shutil

from gengfu.config import Config
from ingest.ballast import NAME
from ingest.journal_files import SLOT_SUFFIX
from ingest.reserve import SLOTS


def room_finding(config: Config) -> tuple[bool, str]:
    """Whether it is there, or there is room to make it at the next start, and what to do where not."""
    wanted = config.ingest.reserve_mb + config.ingest.ballast_mb
    if not config.ingest.reserve_mb:
        return False, "no reserve: a full disk stops alarms; set ingest.reserve_mb"
    have = _reserve_mb(config) + _ballast_mb(config)
    text = f"{have} of {wanted} MB taken for alarms on a full disk"
    if have >= wanted:
        return True, text
    folder = config.data_dir
    free = shutil.disk_usage(folder).free >> 20 if folder.is_dir() else 0
    missing = wanted - have
    if free > 2 * missing:
        return True, f"{text}; the rest is made while the service runs"
    return False, f"{text}, and only {free} MB free; make room for {2 * missing} MB"


def _reserve_mb(config: Config) -> int:
    size = (config.ingest.reserve_mb << 20) // SLOTS
    slots = (config.data_dir / "journal").glob(f"*{SLOT_SUFFIX}")
    return sum(size for path in slots if path.stat().st_size == size) >> 20


def _ballast_mb(config: Config) -> int:
    path, size = config.data_dir / NAME, config.ingest.ballast_mb << 20
    return size >> 20 if path.is_file() and path.stat().st_size == size else 0
