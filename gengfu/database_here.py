"""The database that is there, for commands that only read: nothing is made by looking.

Errors:
* NothingHere: there is no data folder, or no database in it; the text says what to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from devices.database import open_database
from gengfu.config import Config
from gengfu.config_file import SQLITE


class NothingHere(Exception):
    """Nothing was ever kept where the configuration says."""


def is_here(config: Config) -> bool:
    """Whether the configured database can be there: of PostgreSQL the server says it, later."""
    url = config.database_url
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def open_here(config: Config) -> Engine:
    """The configured database. Raises NothingHere, DriverMissing."""
    if not is_here(config):
        what = "database" if config.data_dir.exists() else "data folder"
        place = config.database_url.removeprefix(SQLITE) if what == "database" else config.data_dir
        raise NothingHere(
            f"no {what} here: there is no {place}; run the command where the service runs, name its "
            "configuration with --config, or begin with `gengfu up`"
        )
    return open_database(config.database_url)
