"""Copies of the site's profile files as they were last used, so that a restart does not fall behind them.

Without them a service that starts while a file is broken, or its folder is not mounted, would not hear the
devices it heard before: a fire among them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import Loaded, load_folder

log = structlog.get_logger()


class KeptProfiles:
    """The copies in `folder`, one file a profile. With `writes` false they are only read."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        self._folder, self._writes = folder, writes

    def files(self, known: Mapping[str, ProfileFile]) -> dict[str, ProfileFile]:
        """The profiles by name; what this release cannot read any more is left out."""
        found = load_folder(self._folder, known)
        return {name: one for name, one in found.items() if isinstance(one, ProfileFile)}

    def keep(self, files: Mapping[str, ProfileFile]) -> None:
        """From now on these, and no others. A disk that does not take them is logged: profiles go on
        without."""
        if not self._writes:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, file in files.items():
                if isinstance(file, Loaded):
                    _write(self._folder / f"{name}.toml", file.source.text)
            for path in self._folder.glob("*.toml"):
                if path.stem not in files:
                    path.unlink()
        except OSError as error:
            log.warning("profiles_not_kept", error=error.strerror, folder=str(self._folder))


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
