"""`gengfu device discover`: who was heard or announces itself, and how each is registered."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from sqlalchemy import Connection, select

from devices.commands.desk import JsonOption, desk_of, looking, print_rows
from devices.commands.device import device_app
from devices.model import METRIC_BY_NAME, Metric
from devices.schema import device, series
from ingest.heard import list_proposals, list_said
from ingest.schema import stranger
from ingest.sightings import METRICS_KEY, UNREAD_KEY

_SMOKE: Final = frozenset({"smoke", "heat", "gas", "manual"})
_ELECTRICAL: Final = frozenset(
    {"current", "voltage", "power", "energy", "frequency", "charge", "arc", "breaker"}
)
"""First words of the names of metrics that tell what kind of device it is."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """A device nobody registered. `how`: heard (it sent messages) or announced (something proposes it).

    `metric` is what it is said to measure, as far as that is known, `metrics` all that it was heard to,
    `unread` what it sends that nobody reads,
    `last_us` when it was heard or announced last. `register` is the command for it; PLACE stands for the code
    of its dwelling, KIND where the kind is not known.
    """

    uid: str
    how: str
    profile: str
    topic: str
    vendor: str
    model: str
    label: str
    metric: str
    metrics: str
    unread: str
    last_us: int
    register: str


@device_app.command("discover")
def discover(
    context: typer.Context,
    uid: Annotated[str, typer.Argument(help="only this device")] = "",
    json: JsonOption = False,
) -> None:
    """Devices that were heard or announce themselves and that nobody registered, and how to register each."""
    desk = desk_of(context)
    with looking(desk) as connection:
        rows = [one for one in list_discovered(connection) if uid in ("", one.uid)]
    if json:
        print_rows(rows, json=True)
        return
    if not rows:
        typer.echo("no device was heard or announces itself that is not registered", err=True)
    for row in rows:
        known = ", ".join(
            part for part in (row.vendor, row.model, row.label, row.metrics, row.unread) if part
        )
        by = f"by {row.profile}, " if row.profile else ""
        typer.echo(
            f"{row.uid}  {row.how} on {row.topic}, {by}last {_when(row.last_us)}"
            + (f"  ({known})" if known else "")
        )
        typer.echo(f"    {row.register}")


def list_discovered(connection: Connection) -> list[Discovered]:
    """All of them by uid; one that was heard and is announced counts as heard."""
    registered = set(connection.scalars(select(device.c.uid).where(device.c.retired_us.is_(None))))
    found = _announced(connection) | _heard(connection)
    said: dict[str, dict[str, str]] = {}
    for row in list_said(connection):
        if row.uid in found:
            said.setdefault(row.uid, {})[row.key] = row.text
    metrics = _metrics(connection, [*found])
    rows = []
    for uid in sorted(found.keys() - registered):
        one = found[uid] | {key: text for key, text in said.get(uid, {}).items() if key in _TOLD}
        heard = said.get(uid, {}).get(METRICS_KEY, "")
        metric = one.get("metric", "") or metrics.get(uid, "") or _telling(heard)
        rows.append(
            Discovered(
                uid=uid,
                how=one["how"],
                profile=one["profile"],
                topic=one["topic"],
                vendor=one.get("vendor", ""),
                model=one.get("model", ""),
                label=one.get("label", ""),
                metric=metric,
                metrics=heard or metric,
                unread=said.get(uid, {}).get(UNREAD_KEY, ""),
                last_us=int(one["last_us"]),
                register=_command(uid, one, metric),
            )
        )
    return rows


_TOLD: Final = ("vendor", "model", "label")


def _heard(connection: Connection) -> dict[str, dict[str, str]]:
    c = stranger.c
    rows = connection.execute(select(c.uid, c.topic, c.profile, c.last_us))
    return {
        uid: {"how": "heard", "topic": topic, "profile": profile, "last_us": str(last_us)}
        for uid, topic, profile, last_us in rows
    }


def _announced(connection: Connection) -> dict[str, dict[str, str]]:
    return {
        one.uid: {
            **one.detail,
            "how": "announced",
            "topic": one.topic,
            "profile": one.profile,
            "last_us": str(one.seen_us),
        }
        for one in list_proposals(connection)
    }


def _metrics(connection: Connection, uids: list[str]) -> dict[str, str]:
    """What strangers in alarm have measured: their series."""
    rows = connection.execute(select(series.c.uid, series.c.metric).order_by(series.c.uid, series.c.metric))
    wanted = set(uids)
    found: dict[str, str] = {}
    for uid, metric in rows:
        if uid in wanted:
            found.setdefault(uid, Metric(metric).name_on_wire)
    return found


def _command(uid: str, one: dict[str, str], metric: str) -> str:
    words = ["gengfu", "device", "register", uid, "--kind", _kind(metric)]
    words += ["--profile", one["profile"] or "PROFILE", "--dwelling", "PLACE"]
    for key in _TOLD:
        if text := one.get(key, ""):
            words += [f"--{key}", text]
    return shlex.join(words)


def _telling(metrics: str) -> str:
    """Of several metrics the one that tells most of what kind of device it is."""
    names = [name for name in metrics.split(", ") if name]
    kinds = ("smoke", "electrical", "other")
    return min(names, key=lambda name: kinds.index(_kind(name)), default="")


def _when(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _kind(metric: str) -> str:
    """smoke or electrical where the metric says so, other for any other metric, KIND where none is known."""
    first = metric.partition(".")[0]
    if first in _SMOKE:
        return "smoke"
    if first in _ELECTRICAL:
        return "electrical"
    return "other" if metric in METRIC_BY_NAME else "KIND"
