"""Which processes of this service run, and whether they hold the keys that a command is about to seal with.

A process that reads the key file takes up what changes in it; one with $GENGFU_KEY holds for its life what
that said when it was started. Nothing may be sealed with a key that a running process does not have: it could
not open the address of who must be told of a fire.

Errors:
* KeysNotShared (a VaultError): a running process may not have the newest key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, select

from alerts.schema import pulse
from devices.database import reading
from devices.keyring import ENVIRONMENT, VaultError, is_in_environment
from gengfu.folder import Holder, holder_of

LOCKED: Final = ("service", "ingest", "store", "alerts", "caretaker", "console", "answers")
"""Names under which a process may hold a lock of the data folder."""
FRESH_US: Final = 60_000_000
"""A pulse younger than a minute may be that of a process that runs: twelve beats (chosen)."""
FORCE: Final = "--running-service-has-it"


class KeysNotShared(VaultError):
    """Somebody runs who may not be able to open what would be sealed; the text says who and what to do."""


def check_shared(engine: Engine, folder: Path, now_us: int) -> None:
    """Raises KeysNotShared where a running process may not have the keys this command seals with.

    With keys from the file those are processes with $GENGFU_KEY, and ones that live but hold no lock of this
    data folder: what they read is not known. With keys from the environment it is every process that runs.
    Not guaranteed: `console` and `answers` that run alone on another data folder beat no pulse.
    """
    holders = {name: found for name in LOCKED if (found := holder_of(folder, name))}
    with reading(engine) as connection:
        alive = set(_alive(connection, now_us))
    reasons = list(_reasons(holders, alive))
    if reasons:
        raise KeysNotShared(
            f"{'; '.join(reasons)}: what is sealed now could not be opened there and nobody could be told. "
            "Stop the service (one that was killed counts as running for a minute), run this, start it again "
            f"with the same keys; or, where it was started with exactly these keys, run this with {FORCE}"
        )


def _reasons(holders: dict[str, Holder], alive: set[str]) -> Iterator[str]:
    for name, holder in holders.items():
        runs = f"{name} runs (process {holder.pid})"
        if is_in_environment():
            yield f"{runs}, and your ${ENVIRONMENT} may hold other keys than it does"
        elif holder.environment:
            yield f"{runs} with keys from ${ENVIRONMENT}, and you use the key file"
    for name in sorted(alive - set(holders)):
        yield f"{name} runs elsewhere than in this data folder, and what keys it holds is not known"


def _alive(connection: Connection, now_us: int) -> list[str]:
    """Names of the processes whose pulse is fresh; before the first migration there is no pulse."""
    if not inspect(connection).has_table(pulse.name):
        return []
    return list(connection.scalars(select(pulse.c.name).where(pulse.c.at_us > now_us - FRESH_US)))
