"""`gengfu influx init`: how long the site's series server keeps points, and its averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from ingest.store.influx.layout import Found, Kept, Step
    from ingest.store.influx.server import Account

influx_app = typer.Typer(no_args_is_help=True, help="The site's series server.")
_TIMEOUT_S: Final = 30.0
_BUCKETS: Final = (
    "make the bucket with its retention at the server (influx bucket create --name {bucket} --retention"
    " {raw}), and averages by tasks there: Gengfu makes none on InfluxDB 2 and 3"
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
    json: JsonOption = False,
) -> None:
    """Makes database, retention and averages on InfluxDB 1.x; says what to do on other servers."""
    from gengfu.check_store import product_of
    from gengfu.config_store import INFLUXDB
    from gengfu.store_account import account_of
    from ingest.store.influx.layout import Kept, missing

    store = configuration(config or context.obj).store
    if store.kind != INFLUXDB:
        raise refuse('points go to the embedded store: set store.kind = "influxdb" first')
    try:
        account, kept = account_of(store), Kept(raw, minutes, hours)
        product = product_of(account)
        if not product.startswith("InfluxDB 1."):
            _say([], [_told(product, account, kept)], json=json)
            return
        database = account.database or account.bucket.split("/")[0]
        steps, left = missing(database, kept, _found(account, database), change=change)
        for step in () if dry_run else steps:
            _ask(account, step.statement)
    except (OSError, ValueError) as error:
        raise refuse(str(error)) from None
    _say(steps, left, json=json)


def _told(product: str, account: Account, kept: Kept) -> str:
    """What somebody has to do at servers that Gengfu lays nothing out on."""
    text = _VICTORIA if product == "VictoriaMetrics" else _BUCKETS
    return f"{product}: {text.format(bucket=account.bucket, raw=kept.raw)}"


def _found(account: Account, database: str) -> Found:
    from ingest.store.influx.layout import Found

    databases = [row[0] for row in _rows(_ask(account, "SHOW DATABASES"))]
    if database not in databases:
        return Found(databases)
    quoted = '"' + database.replace("\\", "\\\\").replace('"', '\\"') + '"'
    policies = {row[0]: row[1] for row in _rows(_ask(account, f"SHOW RETENTION POLICIES ON {quoted}"))}
    queries = {
        row[0]: row[1]
        for one in _ask(account, "SHOW CONTINUOUS QUERIES")
        if one.get("name") == database
        for row in one.get("values", ())
    }
    return Found(databases, policies, queries)


def _rows(series: list[dict[str, Any]]) -> list[list[Any]]:
    return [row for one in series for row in one.get("values", ())]


def _ask(account: Account, statement: str) -> list[dict[str, Any]]:
    """The series of the answer. Raises OSError where there is none, ValueError with the server's words."""
    import urllib3

    headers = account.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    headers.pop("Content-Encoding", None)
    try:
        reply = urllib3.request(
            "POST",
            f"{account.url.rstrip('/')}/query",
            body=urlencode({"q": statement}),
            headers=headers,
            timeout=_TIMEOUT_S,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise OSError(f"{account.url}: no answer ({type(error).__name__})") from None
    try:
        said: dict[str, Any] = msgspec.json.decode(reply.data)
        result = said.get("results", [{}])[0]
        wrong = said.get("error") or result.get("error")
    except (msgspec.DecodeError, LookupError, AttributeError):
        raise ValueError(f"{account.url}: HTTP {reply.status}, and no answer to a query") from None
    if wrong:
        raise ValueError(f"{account.url} refuses {statement.split(' ON ', maxsplit=1)[0]!r}: {wrong}")
    return list(result.get("series", ()))


def _say(steps: list[Step], left: list[str], *, json: bool) -> None:
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
