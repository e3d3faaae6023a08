"""`gengfu influx init`: how long the site's series server keeps points, and its averages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from collections.abc import Sequence

    from ingest.store.influx.asking import Asking
    from ingest.store.influx.layout import Found, Kept, Step
    from ingest.store.influx.layout_v2 import Request
    from ingest.store.influx.product import Product
    from ingest.store.influx.server import Account

influx_app = typer.Typer(no_args_is_help=True, help="The site's series server.")
_BUCKETS: Final = (
    "make the database with its retention at the server (influxdb3 create database --retention-period {raw}"
    " {bucket}), and averages there: Gengfu makes them on InfluxDB 1.x and 2 only"
)
_NO_BUCKET: Final = (
    "InfluxDB 2 keeps points in buckets: set store.org, store.bucket and store.token_file in place of"
    " store.database"
)
_VICTORIA: Final = (
    "VictoriaMetrics keeps what -retentionPeriod says for all it has, and needs no averages: start it with"
    " -retentionPeriod={raw}"
)


@influx_app.command("init")
def init(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    raw: Annotated[str, typer.Option(help="readings as they came")] = "400d",
    minutes: Annotated[str, typer.Option(help="mean, least and most of each minute")] = "260w",
    hours: Annotated[str, typer.Option(help="mean, least and most of each hour")] = "INF",
    change: Annotated[bool, typer.Option("--change", help="also of what keeps for another time")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what is missing, and do nothing")] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="InfluxDB 2: of a token that may make buckets and tasks")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Makes databases or buckets, retention and averages on InfluxDB 1.x and 2; says what to do on others."""
    from gengfu.config_store import INFLUXDB
    from gengfu.store_account import account_of
    from ingest.store.history import SeriesUnread
    from ingest.store.influx.asking import Asking
    from ingest.store.influx.layout import Kept

    store = configuration(config or context.obj).store
    if store.kind != INFLUXDB:
        raise refuse('points go to the embedded store: set store.kind = "influxdb" first')
    if token_file:
        store = msgspec.structs.replace(store, token_file=str(token_file))
    try:
        account, kept = account_of(store), Kept(raw, minutes, hours)
        with Asking(account) as asking:
            product = asking.product()
            if product.is_influxdb(1):
                _say(*_in_database(asking, account, kept, change=change, dry_run=dry_run), json=json)
            elif product.is_influxdb(2):
                _say(*_in_buckets(asking, account, kept, change=change, dry_run=dry_run), json=json)
            else:
                _say([], [_told(product, account, kept)], json=json)
    except (OSError, ValueError, SeriesUnread) as error:
        raise refuse(str(error)) from None


def _in_database(
    asking: Asking, account: Account, kept: Kept, *, change: bool, dry_run: bool
) -> tuple[Sequence[Step], list[str]]:
    """On 1.x."""
    from ingest.store.influx.layout import missing
    from ingest.store.influx.statements import series_told

    database, _, configured = account.bucket.partition("/")
    if account.database:
        database, configured = account.database, account.retention_policy
    steps, left = missing(database, kept, _found(asking, database), change=change, configured=configured)
    for step in () if dry_run else steps:
        series_told(asking, step.statement)
    return steps, left


def _in_buckets(
    asking: Asking, account: Account, kept: Kept, *, change: bool, dry_run: bool
) -> tuple[Sequence[Request], list[str]]:
    """On 2."""
    from ingest.store.influx.layout_v2 import missing
    from ingest.store.influx.organisation import Organisation

    if not account.org or not account.bucket:
        raise ValueError(_NO_BUCKET)
    organisation = Organisation(asking, account.org)
    steps, left = missing(account.bucket, kept, organisation.found(account.bucket), change=change)
    for step in () if dry_run else steps:
        organisation.make(step)
    return steps, left


def _told(product: Product, account: Account, kept: Kept) -> str:
    """What somebody has to do at servers that Gengfu lays nothing out on."""
    from ingest.store.influx.product import Make

    text = _VICTORIA if product.make == Make.VICTORIA else _BUCKETS
    return f"{product}: {text.format(bucket=account.bucket, raw=kept.raw)}"


def _found(asking: Asking, database: str) -> Found:
    from ingest.store.influx.layout import Found
    from ingest.store.influx.statements import rows_of, series_told

    databases = [row[0] for row in rows_of(series_told(asking, "SHOW DATABASES"))]
    if database not in databases:
        return Found(databases)
    quoted = '"' + database.replace("\\", "\\\\").replace('"', '\\"') + '"'
    kept = rows_of(series_told(asking, f"SHOW RETENTION POLICIES ON {quoted}"))
    queries = [one for one in series_told(asking, "SHOW CONTINUOUS QUERIES") if one.get("name") == database]
    return Found(
        databases,
        {row[0]: row[1] for row in kept},
        {row[0]: row[1] for row in rows_of(queries)},
        next((row[0] for row in kept if row[4]), ""),
        [row[0] for row in kept if _has_points(asking, quoted, row[0])],
    )


def _has_points(asking: Asking, quoted: str, policy: str) -> bool:
    """Whether a policy has points of ours: a measurement of ours with a value of a device."""
    from ingest.store.influx.reading_points import MEASUREMENTS
    from ingest.store.influx.statements import series_told

    name = '"' + policy.replace("\\", "\\\\").replace('"', '\\"') + '"'
    every = ", ".join(f'{quoted}.{name}."{one}"' for one in MEASUREMENTS)
    return bool(series_told(asking, f"SELECT * FROM {every} LIMIT 1"))  # noqa: S608, names are quoted


def _say(steps: Sequence[Step | Request], left: list[str], *, json: bool) -> None:
    if json:
        for step in steps:
            typer.echo(msgspec.json.encode({"made": step.what, "statement": step.statement}).decode())
        for text in left:
            typer.echo(msgspec.json.encode({"left": text}).decode())
        return
    for step in steps:
        typer.echo(f"{step.what}\n  {step.statement}")
    for text in left:
        typer.echo(f"left    {text}")
    if not steps and not left:
        typer.echo("all is there")
