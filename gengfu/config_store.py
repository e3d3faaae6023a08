"""What belongs together in `[store]`: where points go."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

EMBEDDED: Final = "embedded"
INFLUXDB: Final = "influxdb"
STORE_FILES: Final = ("token_file", "password_file")
_OF_SERVER: Final = (
    "url", "org", "bucket", "token_file", "database", "retention_policy", "user", "password_file", "gzip"
)  # fmt: skip


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """Where points go. `embedded` keeps them in the data folder for `keep_days`; `influxdb` writes them to a
    server that speaks InfluxDB's language, which has its own retention.

    `keep_mb`: beyond so much the oldest points go before their time; 0 for no limit but `keep_days` (chosen:
    what somebody asked to be kept for so long is not dropped unasked). With `database` a server is written to
    as InfluxDB 1.x (`/write`), with `bucket` as newer ones (`/api/v2/write`). Beside a server the points of
    the newest `recent_days` are kept in the data folder, in `recent_mb` at most (chosen: two nights, 1 GiB),
    for pages while the server is away; 0 days: none. `keep_names_days`: how long after a device was retired
    its points in the server can be read back by its name (chosen: as long as `gengfu influx init` lets a
    server keep readings); 0: for ever.
    """

    kind: Annotated[str, Meta(pattern="^(embedded|influxdb)$")] = EMBEDDED
    keep_days: Annotated[float, Meta(gt=0, le=36_500)] = 30.0
    keep_mb: Annotated[int, Meta(ge=0, le=1 << 30)] = 0
    url: Annotated[str, Meta(pattern=r"^(https?://[^\s?#@]+)?\Z")] = ""
    org: str = ""
    bucket: str = ""
    token_file: str = ""
    database: str = ""
    retention_policy: str = ""
    user: str = ""
    password_file: str = ""
    gzip: bool = False
    in_flight: Annotated[int, Meta(ge=1, le=64)] = 4
    recent_days: Annotated[float, Meta(ge=0, le=30)] = 2.0
    recent_mb: Annotated[int, Meta(ge=16, le=1 << 20)] = 1024
    keep_names_days: Annotated[float, Meta(ge=0, le=36_500)] = 400.0


def wrong_store(store: Store) -> str:
    """The first key that does not fit the others, with what is allowed; empty where all do."""
    if store.kind == EMBEDDED:
        given = next((key for key in _OF_SERVER if getattr(store, key)), "")
        return f'`store.{given}`: only with store.kind = "influxdb"' if given else ""
    if not store.url:
        return '`store.url`: store.kind = "influxdb" needs the address of the server'
    if bool(store.database) == bool(store.bucket):
        return "`store.database`, `store.bucket`: one of them: a database for 1.x, a bucket for newer servers"
    if store.retention_policy and not store.database:
        return "`store.retention_policy`: needs store.database"
    if bool(store.user) != bool(store.password_file):
        return "`store.user`, `store.password_file`: both, or neither"
    if store.user and store.token_file:
        return "`store.token_file`: not beside store.user"
    return ""
