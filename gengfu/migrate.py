"""Bringing the database to this release's tables, and refusing one from a later release.

Errors:
* DatabaseNewer: the data was written by a later release than this code.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

import alerts.memo_schema
import alerts.receipt_schema
import alerts.schema
import alerts.window_schema
import devices.schema
import ingest.schema
from devices.database import writing

TABLES = (
    alerts.schema,
    alerts.memo_schema,
    alerts.receipt_schema,
    alerts.window_schema,
    devices.schema,
    ingest.schema,
)
"""Imported so that the shared metadata holds every room's tables."""


class DatabaseNewer(Exception):
    """The database has a revision this code does not know; the text says what to do."""


def _script() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def revision_of(connection: Connection) -> str | None:
    """The revision the database stands at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision of this release."""
    return str(ScriptDirectory.from_config(_script()).get_current_head())


def upgrade(engine: Engine) -> None:
    """Creates or upgrades the tables in one transaction."""
    with writing(engine) as connection:
        known = {script.revision for script in ScriptDirectory.from_config(_script()).walk_revisions()}
        stands = revision_of(connection)
        if stands is not None and stands not in known:
            raise DatabaseNewer(
                f"the database stands at revision {stands}, which this release does not know; "
                "install the release that wrote it, or a later one"
            )
        if stands == head():
            return
        config = _script()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the tables back to `revision` (`base` for none)."""
    with writing(engine) as connection:
        config = _script()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
