"""What `gengfu check` says of the site's series server: whether it lets us write, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import urllib3

from gengfu.config_store import EMBEDDED, Store
from gengfu.store_account import account_of
from ingest.probes.finding import Finding
from ingest.store.influx.server import PROBE, Account, Later, Refused, Server

NAME: Final = "series store"
_TIMEOUT_S: Final = 5.0
LIMITS: Final = ("max-values-per-tag", "max-series-per-database")


def store_findings(store: Store) -> Iterator[Finding]:
    """Whether the server takes points, and its limits. Nothing to say of the embedded store."""
    if store.kind == EMBEDDED:
        return
    try:
        account = account_of(store)
    except (OSError, ValueError) as error:
        yield Finding(NAME, False, f"its secret cannot be read: {error}")
        return
    product = product_of(account)
    yield _writes(account, product)
    if "InfluxDB 1." in product:
        yield limits_told(_diagnostics(account), account.database or account.bucket)
    elif product == "VictoriaMetrics":
        yield dedup_told(_get(account, "/flags")[1].decode(errors="replace"))


def _writes(account: Account, product: str) -> Finding:
    server = Server(account, 1)
    answer = server.post(PROBE)
    server.close()
    if isinstance(answer, Later | Refused):
        return Finding(
            NAME, False, f"{product} at {account.url}: {answer.why}; {_what_to_do(account, answer)}"
        )
    return Finding(
        NAME, True, f"{product} at {account.url} takes points in {account.database or account.bucket}"
    )


def _what_to_do(account: Account, answer: Later | Refused) -> str:
    if isinstance(answer, Later) and answer.denied and "404" in answer.why:
        if account.database:
            return f"make the database (CREATE DATABASE {account.database}), or use bucket for a newer server"
        return "make the bucket, or use database for InfluxDB 1.x, which has no /api/v2/write before 1.8"
    if isinstance(answer, Later) and answer.denied:
        return "compare user, password or token, and what they may write"
    return "see whether it runs and can be reached from here"


def product_of(account: Account) -> str:
    """What the server calls itself: `InfluxDB` with its version, `VictoriaMetrics`, or `a server`."""
    _, _, headers = _get(account, "/ping")
    version = headers.get("X-Influxdb-Version", "")
    if version and "X-Server-Hostname" not in headers:  # VictoriaMetrics plays 1.8
        return f"InfluxDB {version.lstrip('v')}"
    status, body, _ = _get(account, "/metrics")
    return "VictoriaMetrics" if status == 200 and b"\nvm_" in body else "a server"


def limits_told(limits: Mapping[str, Any] | None, database: str) -> Finding:
    """What InfluxDB 1.x refuses beyond: new devices, without a word to anybody else. None: not to be read."""
    name = f"{NAME} limits"
    wanted = " = 0, ".join(LIMITS) + ' = 0 and index-version = "tsi1" in [data] of its configuration'
    if limits is None:
        text = f"this user may not read them; InfluxDB 1.x refuses devices beyond 100000 unless {wanted}"
        return Finding(name, None, text)
    bounded = [f"{key} is {limits[key]}" for key in LIMITS if limits.get(key)]
    if bounded:
        return Finding(
            name, False, f"{', '.join(bounded)}: points of devices beyond are refused; set {wanted}"
        )
    return Finding(name, True, f"{database} may grow; index-version = tsi1 keeps its memory small")


def dedup_told(flags: str) -> Finding:
    """VictoriaMetrics keeps a point that is written again twice, unless it is told not to."""
    name = f"{NAME} repeats"
    given = [
        line.split("=", 1)[1].strip('" ') for line in flags.splitlines() if "dedup.minScrapeInterval=" in line
    ]
    if given and given[0] not in ("", "0", "0s"):
        return Finding(name, True, f"points of one series within {given[0]} are one")
    return Finding(
        name, False, "start it with -dedup.minScrapeInterval=1ms: points written again count twice"
    )


def _diagnostics(account: Account) -> dict[str, Any] | None:
    status, body, _ = _get(account, "/query?q=SHOW+DIAGNOSTICS")
    try:
        results = msgspec.json.decode(body)["results"][0]["series"] if status == 200 else []
        data = next(one for one in results if one["name"] == "config-data")
        return dict(zip(data["columns"], data["values"][0], strict=True))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, StopIteration):
        return None


def _get(account: Account, path: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers; 0 for no answer."""
    try:
        reply = urllib3.request(
            "GET",
            f"{account.url.rstrip('/')}{path}",
            headers=account.headers,
            timeout=_TIMEOUT_S,
            retries=False,
        )
    except (urllib3.exceptions.HTTPError, OSError):
        return 0, b"", {}
    return reply.status, reply.data, reply.headers
