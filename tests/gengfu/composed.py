"""Ingest as the service composes it, with no broker there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from gengfu.config import Broker, Config, FurtherBroker
from gengfu.ledger import SqlInbox
from gengfu.run_ingest import Ingest, compose
from tests.databases import MIGRATED, sqlite_like


@contextmanager
def composed(config: Config) -> Iterator[Ingest]:
    ingest = compose(config)
    try:
        yield ingest
    finally:
        assert isinstance(ingest.parts.inbox, SqlInbox)
        ingest.parts.inbox.close()
        ingest.source.close()
        ingest.journal.close()
        ingest.engine.dispose()


def brokerless(config: Config, *further: FurtherBroker) -> Config:
    """On a migrated database, of a broker that is not there, without reserve and ballast."""
    config.data_dir.mkdir()
    sqlite_like(MIGRATED, config.data_dir)
    return msgspec.structs.replace(
        config,
        broker=Broker(host="127.0.0.1", port=1, anonymous=True),
        brokers=further,
        ingest=msgspec.structs.replace(config.ingest, reserve_mb=0, ballast_mb=0),
    )
