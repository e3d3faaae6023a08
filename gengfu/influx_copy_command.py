"""`gengfu influx copy`: the history of the embedded store into the site's series server, read back there."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import typer

from devices.database import open_database
from gengfu.check_store_words import what_to_do
from gengfu.cli import ConfigOption, JsonOption, configuration, refuse
from gengfu.config import Config
from gengfu.config_store import INFLUXDB
from gengfu.folder import holder_of, lock
from gengfu.influx_command import influx_app
from gengfu.influx_copy_told import as_object, date, last_line, line, what_is_wrong
from gengfu.logs import set_up_logs
from gengfu.store_account import account_of
from ingest.store.history import SeriesUnread
from ingest.store.influx.asking import Asking
from ingest.store.influx.copying import SEEN_S, Copying, DayCopied, StillWritten
from ingest.store.influx.copying_comparing import READERS
from ingest.store.influx.copying_progress import Noted, Progress, load, save
from ingest.store.influx.copying_sending import IN_FLIGHT
from ingest.store.influx.copying_waiting import Denied
from ingest.store.influx.expiry import Retention, retention_of
from ingest.store.influx.product import Make, Product
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import dialect_of
from ingest.store.influx.server import PROBE, Account, Later, Server, Taken
from ingest.store.influx.settling import SETTLED_S
from ingest.store.layout import DAY_NS
from ingest.store.reader import SeriesReader

STORE: Final = "points.db"
LOCK: Final = "influx-copy"
YIELDS: Final = 10
"""Niceness: history goes behind all that the service does (chosen)."""
SEEN_AT_ONCE_S: Final = 2.0
"""How long points of InfluxDB 1 and 2, which show them when they acknowledge, are looked for (chosen)."""
_WARNING: Final = 30
_DENIED: Final = (
    "the server has denied us for a minute: {error}; {}. Then run it again: it goes on where it was cut off"
)
_STILL_WRITTEN: Final = (
    'the service still writes to {path}: set store.kind = "influxdb", start it anew, and copy then'
)


@influx_app.command("copy")
def copy(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    again: Annotated[bool, typer.Option("--again", help="also the days that were copied before")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="that something stays behind for good")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what there is, and do nothing")] = False,
    json: JsonOption = False,
) -> None:
    """Copies the embedded store's points to the server and reads them back. Run it again if cut off."""
    settled = configuration(config or context.obj)
    if settled.store.kind != INFLUXDB:
        raise refuse(
            'points go to the embedded store: set store.kind = "influxdb" and start the service anew'
        )
    path = settled.data_dir / STORE
    set_up_logs("influx copy", level=_WARNING)
    try:
        account = _account(settled)
        with _opened(path) as reader:
            if dry_run:
                _tell_what_there_is(reader, account, json=json)
                return
            with lock(settled.data_dir, LOCK):
                os.nice(YIELDS)
                _copy(settled, reader, account, again=again, accept=accept, json=json)
    except StillWritten:
        raise refuse(_STILL_WRITTEN.format(path=path)) from None
    except SeriesUnread as error:
        raise refuse(error) from None
    except sqlite3.DatabaseError as error:
        raise refuse(f"{path}: {error}") from None


def _account(settled: Config) -> Account:
    try:
        return account_of(settled.store)
    except (OSError, ValueError) as error:
        raise refuse(f"the secret of the series store cannot be read: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[SeriesReader]:
    try:
        reader = SeriesReader.open(path)
    except FileNotFoundError:
        raise refuse(f"{path}: there is no embedded store here, and so nothing to copy") from None
    try:
        yield reader
    finally:
        reader.close()


def _copy(
    settled: Config, reader: SeriesReader, account: Account, *, again: bool, accept: bool, json: bool
) -> None:
    folder = settled.data_dir
    if _is_held_open(folder):
        raise StillWritten
    progress = _begun(folder, reader, account, again=again)
    with _copying(settled, reader, account) as (copying, longer):
        save(folder, progress)
        days = reader.days()
        progress, looked_at = _still_there(copying, progress, days)
        before = progress.days
        for day in copying.run(
            [day for day in days if date(day) not in before or before[date(day)].behind],
            kept=[day for day in days if date(day) in before and before[date(day)].refused],
        ):
            _say(as_object(day) if json else line(day), json=json)
            for text in () if json else what_is_wrong(day):
                _say(text, json=False)
            damaged = sorted({*progress.damaged, *reader.damaged_blocks})
            progress = msgspec.structs.replace(progress, damaged=tuple(damaged))
            progress = progress.with_day(date(day.day), _noted(day) if day.complete else None)
            save(folder, progress)
        if _is_held_open(folder) or reader.days() != days:
            raise StillWritten
        whole = all(date(day) in progress.days for day in days)
        progress = msgspec.structs.replace(progress, done=whole and (accept or not progress.total.behind))
        save(folder, progress)
        series = copying.series()
    total = _total(progress) | {"series": series, "in_server": progress.in_server, "looked_at": looked_at}
    _say(total if json else last_line(progress, series, folder / STORE, longer, looked_at), json=json)
    if progress.damaged or not progress.done:
        raise typer.Exit(1)


def _still_there(copying: Copying, progress: Progress, days: list[int]) -> tuple[Progress, int]:
    """Without the days that the server has no longer as they were copied by an earlier run; and how many it
    was asked for and still has. Those of which something stayed behind are copied again anyway."""
    looked_at = 0
    for day in days:
        noted = progress.days.get(date(day))
        if noted is None or noted.behind:
            continue
        if copying.still_there(day):
            looked_at += 1
        else:
            _tell(f"{date(day)} was copied, and is not there any more as it was: it is copied anew")
            progress = progress.with_day(date(day), None)
    return progress, looked_at


def _begun(folder: Path, reader: SeriesReader, account: Account, *, again: bool) -> Progress:
    """What was copied before, or a beginning."""
    before = load(folder)
    anew = Progress(target=account.target, position=reader.position)
    if before is None or again:
        return anew
    if before.target != anew.target:
        _tell("another server than before: all is copied")
        return anew
    if before.position != anew.position:
        _tell(f"{STORE} has changed since: all is copied")
        return anew
    if before.days:
        _tell(f"goes on: {len(before.days)} days with {before.total.points:,} points were copied before")
    return msgspec.structs.replace(before, done=False)


def _noted(day: DayCopied) -> Noted:
    return Noted(
        points=day.points, joined=day.joined, refused=day.refused, expired=day.expired, unnamed=day.unnamed
    )


def _total(progress: Progress) -> dict[str, Any]:
    """For programs: what is noted, of all days together."""
    noted: dict[str, Any] = msgspec.to_builtins(progress)
    counts: dict[str, Any] = msgspec.to_builtins(progress.total)
    return noted | {"days": list(progress.days)} | counts


@contextmanager
def _copying(settled: Config, reader: SeriesReader, account: Account) -> Iterator[tuple[Copying, str]]:
    """And how the server is made to keep older points."""
    with ExitStack() as held:
        with Asking(account) as asking:
            product = asking.product()
            kept = _kept(asking, reader) if product.make == Make.VICTORIA else None
        dialect = dialect_of(account, product)
        server = Server(account, IN_FLIGHT + READERS)
        held.callback(server.close)
        _see_that_it_takes_points(server, account, product)
        engine = open_database(settled.database_url)
        held.callback(engine.dispose)
        victoria = product.make == Make.VICTORIA  # which alone acknowledges before its disk has a point
        copying = Copying(
            reader,
            server,
            lambda: ServerReader(account, dialect),
            engine,
            _tell,
            whole_ms=victoria,
            settled_s=SETTLED_S if victoria else 0.0,
            keeps_s=kept.keeps_s if kept else None,
            seen_s=SEEN_S if not (product.is_influxdb(1) or product.is_influxdb(2)) else SEEN_AT_ONCE_S,
        )
        held.callback(copying.close)
        try:
            yield copying, _longer(product, kept)
        except Denied as error:
            does = what_to_do(account, product, Later(str(error), denied=True))
            raise refuse(_DENIED.format(does, error=error)) from None


def _kept(asking: Asking, reader: SeriesReader) -> Retention | None:
    """For how long VictoriaMetrics keeps points, where it says so."""
    try:
        kept = retention_of(asking.get("/flags", {}).decode(errors="replace"))
    except SeriesUnread:
        return None
    if kept and any(day * DAY_NS < time.time_ns() - kept.keeps_s * 10**9 for day in reader.days()):
        _tell(f"the server keeps {kept}: what is older stays behind")
    return kept


def _longer(product: Product, kept: Retention | None) -> str:
    """What makes the server keep older points."""
    if product.make == Make.VICTORIA:
        return f"start it with a longer -retentionPeriod{f' (it keeps {kept})' if kept else ''}"
    if product.is_influxdb(1) or product.is_influxdb(2):
        return "`gengfu influx init --raw 1200d --change`, with as many days as your history has"
    return "give the database a longer retention at the server"


def _see_that_it_takes_points(server: Server, account: Account, product: Product) -> None:
    answer = server.post(PROBE)
    if not isinstance(answer, Taken):
        does = what_to_do(account, product, answer)
        raise refuse(f"{product} at {account.url} takes no points: {answer.why}; {does}")


def _is_held_open(folder: Path) -> bool:
    """Whether the store process that runs has the embedded store open. Seen on Linux only, and where we may
    look; elsewhere only that points come in is noticed."""
    holder = holder_of(folder, "store")
    if holder is None:
        return False
    try:
        opened = [str(one.readlink()) for one in Path(f"/proc/{holder.pid}/fd").iterdir()]
    except OSError:
        return False
    return str((folder / STORE).resolve()) in opened


def _tell_what_there_is(reader: SeriesReader, account: Account, *, json: bool) -> None:
    points = 0
    days = reader.days()
    for day in days:
        held, series = 0, 0
        for piece in reader.pieces(day):
            held += len(piece)
            series += len(np.unique(piece.slot))
        points += held
        text = f"{date(day)}  {held:,} points of {series:,} series"
        _say({"day": date(day), "points": held, "series": series} if json else text, json=json)
    total = f"{points:,} points on {len(days)} days, to {account.target}"
    _say({"target": account.target, "days": len(days), "points": points} if json else total, json=json)


def _say(said: str | dict[str, Any], *, json: bool) -> None:
    typer.echo(msgspec.json.encode(said).decode() if json else said)


def _tell(text: str) -> None:
    typer.echo(f"gengfu: {text}", err=True)
