"""Who may publish: devices and gateways with a name, a password and the topics that are theirs.

A publisher counts while it is not revoked and its device, if it has one, is in service. What the broker lets
in is derived from these rows (`ingest.gate`); nothing is ever read back from the broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, exists, insert, or_, select, update

from devices.profiles.own import own_profile as own
from devices.registry.credentials import (
    OURS,
    Credential,
    Prefixes,
    broker_hash,
    check_name,
    check_prefix,
    is_name,
    new_password,
    own_prefix,
)
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, among, check_words
from devices.registry.rows import find, need, note_change, rows_of
from devices.schema import device, publisher, publisher_prefix

KINDS: Final = ("device", "gateway")
PREFIXES_MAX: Final = 50
"""Of one gateway (chosen: the broker looks through them at each message)."""
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class PublisherRow:
    """One publisher; never its password. `valid`: the broker lets it in. `device` is a uid or empty."""

    name: str
    kind: str
    device: str
    prefixes: tuple[str, ...]
    label: str
    valid: bool
    created_us: int
    created_by: str
    rotated_us: int | None
    revoked_us: int | None


@dataclass(frozen=True, slots=True)
class ValidPublisher:
    """What the broker's files need of one that counts."""

    name: str
    password_hash: str
    prefixes: tuple[str, ...]
    kind: str


def add_publisher(
    connection: Connection,
    *,
    name: str = "",
    kind: str,
    device_uid: str | None = None,
    prefixes: Sequence[str] = (),
    label: str = "",
    by: str,
    now_us: int,
) -> Credential:
    """A new publisher, or a revoked one anew; gives its password, which is stored only as a hash.

    A device of our own format needs neither name nor prefix: they follow from its id. Where its firmware
    publishes under its id in upper case, give either in that case: the broker takes the very letters.
    Raises NotAllowed where a prefix belongs to another, naming it.
    """
    among(kind, KINDS, "kind")
    owner = _device(connection, kind, device_uid)
    native = _own_id(owner)
    asked = [check_prefix(one) for one in prefixes]
    spelt = next((one[7:] for one in asked if native and one.lower() == own_prefix(native)), native)
    chosen = check_name(name or spelt)
    if native and not asked:
        asked = [own_prefix(chosen if chosen.lower() == native else native)]
    if not 1 <= len(asked) <= PREFIXES_MAX or (kind == "device" and len(asked) != 1):
        most = 1 if kind == "device" else PREFIXES_MAX
        raise NotAllowed(f"{kind} {chosen!r}: 1 to {most} topic prefixes are needed; give --prefix")
    known = find(connection, publisher, "name", chosen)
    if known is not None and known["revoked_us"] is None:
        raise AlreadyThere(
            f"publisher {chosen!r} is there already; `publisher rotate` gives it a new password"
        )
    _check_one_each(connection, owner)
    held = _held(connection)
    held.check_free(chosen, asked)
    if known is not None:
        connection.execute(delete(publisher_prefix).where(publisher_prefix.c.publisher_id == known["id"]))
        connection.execute(delete(publisher).where(publisher.c.id == known["id"]))
    password = new_password()
    values = {
        "name": chosen,
        "kind": kind,
        "device_id": owner["id"] if owner is not None else None,
        "label": check_words(label, 200, "label") if label.strip() else "",
        "password_hash": broker_hash(password),
        "created_us": now_us,
        "created_by": by[:64],
    }
    row_id = connection.execute(insert(publisher).values(values).returning(publisher.c.id)).scalar_one()
    rows = [{"publisher_id": row_id, "prefix": one} for one in dict.fromkeys(asked)]
    connection.execute(insert(publisher_prefix), rows)
    note_change(connection, by, now_us, f"publisher add {chosen}")
    return Credential(chosen, password)


def rotate_publisher(connection: Connection, *, name: str, by: str, now_us: int) -> Credential:
    """A new password; the old one holds no longer, also for who is connected. Raises NotThere."""
    known = _standing(connection, name)
    password = new_password()
    values = {"password_hash": broker_hash(password), "rotated_us": now_us}
    connection.execute(update(publisher).where(publisher.c.id == known["id"]).values(values))
    note_change(connection, by, now_us, f"publisher rotate {name}")
    return Credential(name, password)


def revoke_publisher(connection: Connection, *, name: str, by: str, now_us: int) -> None:
    """It may publish no longer and is cut off; the row stays as history. Raises NotThere."""
    known = _standing(connection, name)
    connection.execute(update(publisher).where(publisher.c.id == known["id"]).values(revoked_us=now_us))
    note_change(connection, by, now_us, f"publisher revoke {name}")


def issue_publishers(
    connection: Connection, *, by: str, now_us: int
) -> tuple[list[tuple[Credential, str]], list[str]]:
    """Credentials with their prefix for every device of our own format in service that has none.

    Also gives the uids that were left out: the id cannot be a name, or the topics belong to another.
    """
    has_one = exists().where(publisher.c.device_id == device.c.id, publisher.c.revoked_us.is_(None))
    wanted = connection.execute(
        select(device.c.id, device.c.uid)
        .where(device.c.profile == own.NAME, device.c.retired_us.is_(None), ~has_one)
        .order_by(device.c.uid)
    ).all()
    held = _held(connection)
    taken = set(connection.execute(select(publisher.c.name)).scalars())
    made: list[tuple[Credential, str]] = []
    left: list[str] = []
    rows: list[dict[str, Any]] = []
    for device_id, uid in wanted:
        name = uid.partition(":")[2]
        if not is_name(name) or name in taken or name.startswith(OURS) or held.holder(own_prefix(name)):
            left.append(uid)
            continue
        credential = Credential(name, new_password())
        made.append((credential, own_prefix(name)))
        row = {"name": name, "kind": "device", "device_id": device_id, "created_us": now_us}
        rows.append(row | {"created_by": by[:64], "password_hash": broker_hash(credential.password)})
    if rows:
        connection.execute(insert(publisher), rows)
        ids = _ids(connection, [row["name"] for row in rows])
        connection.execute(
            insert(publisher_prefix),
            [{"publisher_id": ids[credential.name], "prefix": prefix} for credential, prefix in made],
        )
        note_change(connection, by, now_us, f"publisher issue {len(rows)}")
    return made, left


def list_publishers(
    connection: Connection, *, only: str | None = None, revoked: bool = False
) -> list[PublisherRow]:
    """Publishers by name, with `revoked` also those that count no longer; or the one called `only`."""
    query = select(
        publisher, device.c.uid.label("device_uid"), device.c.retired_us.label("device_retired_us")
    ).outerjoin(device, publisher.c.device_id == device.c.id)
    if only is None and not revoked:
        query = query.where(_VALID)
    rows = rows_of(connection, query, publisher, only, key="name")
    prefixes = _prefixes(connection, [row["id"] for row in rows] if only is not None else None)
    return [_row(row, prefixes.get(row["id"], ())) for row in rows]


def valid_publishers(connection: Connection) -> list[ValidPublisher]:
    """All that count, by name."""
    prefixes = _prefixes(connection, None)
    rows = connection.execute(
        select(publisher.c.id, publisher.c.name, publisher.c.password_hash, publisher.c.kind)
        .outerjoin(device, publisher.c.device_id == device.c.id)
        .where(_VALID)
        .order_by(publisher.c.name)
    )
    return [ValidPublisher(row.name, row.password_hash, prefixes.get(row.id, ()), row.kind) for row in rows]


_VALID: Final = publisher.c.revoked_us.is_(None) & or_(
    publisher.c.device_id.is_(None), device.c.retired_us.is_(None)
)


def _held(connection: Connection) -> Prefixes:
    held = Prefixes()
    for one in valid_publishers(connection):
        held.add(one.name, one.prefixes)
    return held


def _device(connection: Connection, kind: str, uid: str | None) -> RowMapping | None:
    if kind == "gateway":
        if uid is not None:
            raise NotAllowed("a gateway publishes for many devices: --device is allowed for kind device only")
        return None
    if uid is None:
        raise NotAllowed("kind device: the uid of the device is needed (--device)")
    found = need(connection, device, "uid", uid)
    if found["retired_us"] is not None:
        raise NotThere(f"device {uid!r} is retired")
    return found


def _own_id(owner: RowMapping | None) -> str:
    """The device's id where it speaks our own format; else empty."""
    if owner is None or owner["profile"] != own.NAME:
        return ""
    return str(owner["uid"]).partition(":")[2]


def _check_one_each(connection: Connection, owner: RowMapping | None) -> None:
    if owner is None:
        return
    other = connection.scalar(
        select(publisher.c.name).where(publisher.c.device_id == owner["id"], publisher.c.revoked_us.is_(None))
    )
    if other is not None:
        raise AlreadyThere(f"device {owner['uid']!r} publishes as {other!r} already")


def _standing(connection: Connection, name: str) -> RowMapping:
    known = need(connection, publisher, "name", name)
    if known["revoked_us"] is not None:
        raise NotThere(f"publisher {name!r} is revoked; `publisher add` makes it anew")
    return known


def _ids(connection: Connection, names: Sequence[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(names), _CHUNK):
        part = names[start : start + _CHUNK]
        rows = connection.execute(select(publisher.c.name, publisher.c.id).where(publisher.c.name.in_(part)))
        found.update((row.name, row.id) for row in rows)
    return found


def _prefixes(connection: Connection, ids: Sequence[int] | None) -> Mapping[int, tuple[str, ...]]:
    query = select(publisher_prefix.c.publisher_id, publisher_prefix.c.prefix).order_by(publisher_prefix.c.id)
    if ids is not None:
        query = query.where(publisher_prefix.c.publisher_id.in_(ids))
    found: dict[int, tuple[str, ...]] = {}
    pairs: Iterator[tuple[int, str]] = ((row.publisher_id, row.prefix) for row in connection.execute(query))
    for publisher_id, prefix in pairs:
        found[publisher_id] = (*found.get(publisher_id, ()), prefix)
    return found


def _row(row: RowMapping, prefixes: tuple[str, ...]) -> PublisherRow:
    return PublisherRow(
        name=row["name"],
        kind=row["kind"],
        device=row["device_uid"] or "",
        prefixes=prefixes,
        label=row["label"],
        valid=row["revoked_us"] is None and row["device_retired_us"] is None,
        created_us=row["created_us"],
        created_by=row["created_by"],
        rotated_us=row["rotated_us"],
        revoked_us=row["revoked_us"],
    )
