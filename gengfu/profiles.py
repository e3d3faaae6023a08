"""The site's own profiles beside the shipped ones, as the configuration says."""

from __future__ import annotations

from pathlib import Path

from devices.profiles.compiling.compiled import Compiled
from gengfu.config import Config
from ingest.crafting import ProfileCraft
from ingest.lineup import Shelf


def shelf_of(config: Config) -> Shelf[Compiled]:
    """The profiles that are heard here; reads nothing yet."""
    said = config.ingest
    return Shelf(Path(said.profiles_dir), ProfileCraft(config.site.timezone), said.profiles, said.replies_for)
