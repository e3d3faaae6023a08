"""Whether a series server gives points back to us, and what to do where it does not.

`gengfu check` asks for the newest point of a device that there is not: who gets "none" would get points. Who
may write and not read is told at once, not when pages, `gengfu replay --store` or `gengfu influx copy` fail.
"""

from __future__ import annotations

from typing import Final

from devices.model import Metric
from gengfu.check_store_words import what_to_do_unread
from gengfu.config_store import EMBEDDED, Store
from gengfu.store_account import account_of
from ingest.store.history import Series, SeriesUnread
from ingest.store.influx.asking import Asking, Away, Limits, NotUnderstood, Refused
from ingest.store.influx.product import Product
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import dialect_of
from ingest.store.influx.server import Account

PATIENCE: Final = Limits(answer_s=5.0, whole_s=15.0, most_bytes=8 << 20)
"""For what is asked here (chosen: somebody waits for it)."""
_NOBODYS: Final = Series(0, "gengfu", "", Metric.SMOKE_ALARM)


def unread_told(account: Account, product: Product) -> str:
    """Why points cannot be read at a server that takes them, and what to do; empty where they can."""
    reader = ServerReader(account, dialect_of(account, product), limits=PATIENCE)
    try:
        reader.latest([_NOBODYS])
    except SeriesUnread as error:
        why = str(error).removeprefix(f"{account.url.rstrip('/')}: ")
        return f"{why}; {what_to_do_unread(account, product, error, takes_points=True)}"
    finally:
        reader.close()
    return ""


def unread_advice(store: Store, error: SeriesUnread) -> str:
    """What to do about an error of reading that somebody met elsewhere, in words that follow it (`; …`).

    Asks the server what it is. Empty where the error is not of a server, and where nothing can be said of it.
    """
    if store.kind == EMBEDDED or not isinstance(error, Away | Refused | NotUnderstood):
        return ""
    try:
        account = account_of(store)
        with Asking(account, PATIENCE) as asking:
            product = asking.product()
    except (OSError, ValueError, Away):
        return ""
    return f"; {what_to_do_unread(account, product, error)}"
