"""The site's own profiles beside the shipped ones, as the configuration says."""

from __future__ import annotations

from pathlib import Path

from devices.profiles.compiling.compiled import Compiled
from gengfu.config import Config
from ingest.crafting import ProfileCraft
from ingest.kept_profiles import KeptProfiles
from ingest.lineup import Shelf


def shelf_of(config: Config, *, keeps: bool = False) -> Shelf[Compiled]:
    """The profiles that are heard here; reads nothing yet. `keeps`: what is used is kept for the next start,
    which only the process that hears them may do."""
    said = config.ingest
    kept = KeptProfiles(config.data_dir / "profiles", writes=keeps)
    craft = ProfileCraft(config.site.timezone)
    return Shelf(Path(said.profiles_dir), craft, said.profiles, said.replies_for, kept)
