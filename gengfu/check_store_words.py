"""What somebody has to do where a series server does not take points, or gives none back. Pure: its answer
gives the words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ingest.store.history import SeriesUnread
from ingest.store.influx.asking import Away
from ingest.store.influx.layout import RAW
from ingest.store.influx.product import Product
from ingest.store.influx.server import Account, Later, Refused
from ingest.store.influx.unanswered import Cause

_UNANSWERED: Final[Mapping[Cause, str]] = {
    Cause.ADDRESS: "correct store.url: http:// or https://, a name, a port",
    Cause.NAME: "see whether store.url is spelt right, and whether this machine can look names up",
    Cause.REFUSED: "see whether the server runs, and whether store.url has its port",
    Cause.UNREACHED: "see the network and any firewall between here and there",
    Cause.LATE: "see whether the server runs and keeps up, and any firewall between here and there",
    Cause.UNTRUSTED: "name the file of the authority that signed it in the environment as SSL_CERT_FILE",
    Cause.NAMED_OTHERWISE: "set store.url to a name that the certificate has",
    Cause.OUT_OF_TIME: "renew the certificate; see whether the clocks here and there are right",
    Cause.NO_TLS: "write http:// in store.url, or give the server a certificate",
    Cause.TLS: "see in its log and configuration which TLS it wants",
    Cause.BROKEN: "see its log; where it wants TLS, write https:// in store.url",
    Cause.NOT_HTTP: "correct store.url: another service has this port",
    Cause.OTHER: "see whether the server runs and can be reached from here",
}
_NOBODY_BEHIND: Final = frozenset({502, 503, 504})
_HIDDEN: Final = ("could not find bucket", "database not found")
"""What InfluxDB 2 says to those who may not read."""
_UNSEEN: Final = "it is not there, or we may not read it"
_ITSELF: Final = "set store.url to the series server itself"
_PAST_IT: Final = f"a proxy or another service answers in its place: let this machine through, or {_ITSELF}"
_SENT_AWAY: Final = (
    "it sends us to another address (https://, or a page to log in at): set store.url to the one that answers"
)


def what_to_do(account: Account, product: Product, answer: Later | Refused) -> str:
    """One or two clauses, for the configuration and the server as they are."""
    if isinstance(answer, Later) and answer.cause:
        return _UNANSWERED[answer.cause]
    status = _status(answer.why)
    if 300 <= status < 400:
        return _SENT_AWAY
    if status in _NOBODY_BEHIND and "a web page" in answer.why:
        return "a proxy answers that reaches no server: see whether the server behind it runs"
    if status < 300 or "a web page" in answer.why:
        return _PAST_IT
    if status == 401:
        return _who(account, product)
    if status == 403:
        return _right(account, product)
    if status == 404 and product.is_influxdb(2):
        return _bucket(account, answer.why)
    if status == 404:
        return _place(account, product)
    if "retention policy not found" in answer.why:
        return _policy(account)
    if "HTTPS server" in answer.why:
        return "write https:// in store.url"
    if product.is_influxdb(2) and not account.database and not account.org:
        return "InfluxDB 2 wants store.org"
    if isinstance(answer, Later) and not answer.denied:
        return "it takes nothing now: see its log, its disk and its load"
    return f"see its log; {_ITSELF} if this is another service"


def what_to_do_unread(
    account: Account, product: Product, error: SeriesUnread, *, takes_points: bool = False
) -> str:
    """The same for a question that got no points; `takes_points`: it was seen that we may write there."""
    why = str(error)
    if "HTTP" in why and "a web page" in why:
        return _PAST_IT
    if isinstance(error, Away):
        return "see whether the server runs and keeps up: its log, its disk and its load"
    hidden = product.is_influxdb(2) and any(words in why for words in _HIDDEN)
    if not hidden and "database not found" in why:
        return _place(account, product)
    if "retention policy not found" in why:
        return _policy(account)
    if not hidden and _status(why) not in {401, 403}:
        return f"see its log; {_ITSELF} if this is another service"
    seen = "we may write there and not read" if takes_points else _UNSEEN
    return f"{seen}: {_reading(account, product)}"


def _reading(account: Account, product: Product) -> str:
    """Lets us read as well."""
    if product.is_influxdb(1) and (user := _user(account)):
        return f'GRANT ALL ON "{_database(account)}" TO "{user}"'
    if product.is_influxdb(2) and account.token:
        org, bucket = account.org or "ORG", account.bucket or account.database
        return (
            f"influx auth create --org {org} --read-bucket ID --write-bucket ID, with the ID that influx"
            f" bucket list --org {org} --name {bucket} shows; put the new token into the file that"
            " store.token_file names"
        )
    return f"give this {'token' if account.token else 'user'} the right to read there too"


def _user(account: Account) -> str:
    """Also of 1.8, where a token is `user:password`."""
    name, colon, _ = account.token.partition(":")
    return account.user or (name if colon else "")


def _status(why: str) -> int:
    return int(found[1]) if (found := re.search(r"(?:^|: )HTTP (\d+)", why)) else 0


def _who(account: Account, product: Product) -> str:
    """It does not know us."""
    if account.token:
        form = ", on 1.8 as user:password" if product.is_influxdb(1) else ""
        place = account.database or account.bucket
        return f"put a token that may read and write {place} into the file that store.token_file names{form}"
    if account.user:
        return f"compare user, password ({account.user}, and the file that store.password_file names)"
    by_token = product.is_influxdb(2) or product.is_influxdb(3) or not account.database
    wanted = "store.token_file" if by_token else "store.user, store.password_file"
    return f"it wants to know who writes: set {wanted}"


def _right(account: Account, product: Product) -> str:
    """It knows us, and we may not."""
    if product.is_influxdb(1) and (user := _user(account)):
        return f'let the user read and write: GRANT ALL ON "{_database(account)}" TO "{user}"'
    return f"give this {'token' if account.token else 'user'} the right to read and write there"


def _place(account: Account, product: Product) -> str:
    """What we write to is not there."""
    database = _database(account)
    if product.is_influxdb(1) and account.bucket and re.match(r"1\.[0-7]\b", product.version):
        return f'this release has no buckets: set store.database = "{database}" instead of store.bucket'
    if product.is_influxdb(1):
        return f'make the database: `gengfu influx init`, or CREATE DATABASE "{database}"'
    if account.database:
        return f'make the database (CREATE DATABASE "{database}"), or use bucket for a newer server'
    return "make the bucket, or use database for InfluxDB 1.x, which has no /api/v2/write before 1.8"


def _bucket(account: Account, why: str) -> str:
    """The same of InfluxDB 2."""
    if account.database:
        return "no bucket has this name: set store.org, store.bucket and store.token_file for InfluxDB 2"
    if "organization" in why:
        return f"compare store.org ({account.org}) with `influx org list` at the server"
    made = f"influx bucket create --org {account.org} --name {account.bucket} --retention 400d"
    return f"make the bucket: `gengfu influx init` with a token that may, or {made}"


def _policy(account: Account) -> str:
    """The database is there, and not what points are kept under."""
    if account.bucket:
        return f"correct what follows the / in store.bucket ({account.bucket})"
    if account.retention_policy == RAW:
        return "`gengfu influx init` makes it"
    return f"make the retention policy {account.retention_policy}, or leave out store.retention_policy"


def _database(account: Account) -> str:
    return account.database or account.bucket.partition("/")[0]
