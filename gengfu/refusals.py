"""What went wrong, as one line for a person: the errors that are no fault of the program's."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

from console.app import NotSetUp
from devices.database import DriverMissing
from devices.vault import VaultError
from gengfu.belonging import NotOurs
from gengfu.config_file import ConfigError
from gengfu.folder import FolderTaken
from gengfu.migrate import DatabaseNewer
from gengfu.service import CannotStart
from ingest.broker import BrokerError
from ingest.store.layout import StoreError

REFUSED = (
    DriverMissing,
    NotSetUp,
    ConfigError,
    CannotStart,
    FolderTaken,
    DatabaseNewer,
    NotOurs,
    VaultError,
    BrokerError,
    StoreError,
)
"""Their texts say what to do."""
NO_SUCH_TABLE = "42P01"
"""As PostgreSQL says it."""


def reason_of(error: BaseException) -> str | None:
    """The line to show for `error`; None where it is a fault of ours and its traceback is wanted."""
    if isinstance(error, REFUSED):
        return str(error)
    if isinstance(error, DBAPIError):
        return _of_database(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None


def _of_database(error: DBAPIError) -> str | None:
    said = str(error.orig)
    if "no such table" in said or getattr(error.orig, "sqlstate", "") == NO_SUCH_TABLE:
        return "the database has no tables yet; `gengfu up` or any registry command makes them"
    if isinstance(error, OperationalError) or "not a database" in said or "malformed" in said:
        return f"the database cannot be used: {said}"
    return None
