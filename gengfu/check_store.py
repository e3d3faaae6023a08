"""What `gengfu check` says of the site's series server: whether it lets us write and read, what it refuses,
and what is not in it yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gengfu.check_history import history_finding
from gengfu.check_store_limits import NAME, dedup_told, limits_of, limits_told, retention_told
from gengfu.check_store_reading import PATIENCE, unread_told
from gengfu.check_store_words import what_to_do
from gengfu.config_store import EMBEDDED, Store
from gengfu.store_account import account_of
from ingest.probes.finding import Finding
from ingest.store.history import SeriesUnread
from ingest.store.influx.asking import Asking, Away
from ingest.store.influx.product import UNKNOWN, Make, Product
from ingest.store.influx.server import PROBE, Account, Later, Refused, Server


def store_findings(store: Store, data_dir: Path) -> Iterator[Finding]:
    """Whether the server takes points and gives them back, its limits, and whether the data folder holds
    history that is not known to be there. Nothing to say of the embedded store."""
    if store.kind == EMBEDDED:
        return
    try:
        account = account_of(store)
    except (OSError, ValueError) as error:
        yield Finding(NAME, False, f"its secret cannot be read: {error}")
        return
    with Asking(account, PATIENCE) as asking:
        product = _product(asking)
        yield _use(account, product)
        yield from _of_product(asking, account, product)
    if history := history_finding(data_dir, account.target):
        yield history


def _product(asking: Asking) -> Product:
    try:
        return asking.product()
    except Away:  # writing says why
        return UNKNOWN


def _use(account: Account, product: Product) -> Finding:
    """Whether we may write there; where we may, whether we may read."""
    server = Server(account, 1)
    answer = server.post(PROBE)
    server.close()
    if isinstance(answer, Later | Refused):
        silent = isinstance(answer, Later) and answer.cause
        who = account.url if silent else f"{product} at {account.url}"
        return Finding(NAME, False, f"{who}: {answer.why}; {what_to_do(account, product, answer)}")
    takes = f"{product} at {account.url} takes points in {account.database or account.bucket}"
    if trouble := unread_told(account, product):
        return Finding(NAME, False, f"{takes}, and they cannot be read there: {trouble}")
    return Finding(NAME, True, f"{takes}, and gives them back")


def _of_product(asking: Asking, account: Account, product: Product) -> Iterator[Finding]:
    """What matters with this one only."""
    if product.is_influxdb(1):
        database = account.database or account.bucket.partition("/")[0]
        yield limits_told(limits_of(asking, database), database)
    elif product.make == Make.VICTORIA:
        flags = _flags(asking)
        yield dedup_told(flags)
        yield retention_told(flags)


def _flags(asking: Asking) -> str:
    try:
        return asking.get("/flags", {}).decode(errors="replace")
    except SeriesUnread:
        return ""
