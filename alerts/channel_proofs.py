"""What receipts say of contacts' ways: which of them have bounced, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from alerts.receipt_schema import channel_proof as table
from devices.database import insert_new


@dataclass(frozen=True, slots=True)
class Bounced:
    """A way whose newest message with a receipt was not delivered: since when (µs UTC), how many in a row,
    and what the provider said of the last."""

    first_us: int
    last_us: int
    count: int
    detail: str


class Sent(NamedTuple):
    """A message sent through a way at `sent_us`, and whether it was delivered; else `detail` says why not."""

    channel_id: int
    sent_us: int
    delivered: bool
    detail: str = ""


class Proof(NamedTuple):
    """What is known of one way: when the newest message that was delivered, and the newest that was not,
    was sent; since when and how often none has been."""

    delivered_us: int | None = None
    bounced_us: int | None = None
    first_us: int | None = None
    times: int = 0
    detail: str = ""

    def after(self, sent: Sent) -> Proof:
        """With one more message, whichever was sent first."""
        return self._delivered(sent.sent_us) if sent.delivered else self._bounced(sent)

    def _delivered(self, sent_us: int) -> Proof:
        if sent_us <= (self.delivered_us or 0):
            return self
        over = sent_us >= (self.bounced_us or 0)
        known = self._replace(delivered_us=sent_us)
        return known._replace(first_us=None, times=0) if over else known

    def _bounced(self, sent: Sent) -> Proof:
        if sent.sent_us <= (self.delivered_us or 0):
            return self  # a later one was delivered
        newest = sent.sent_us >= (self.bounced_us or 0)
        return self._replace(
            bounced_us=max(self.bounced_us or 0, sent.sent_us),
            first_us=min(self.first_us or sent.sent_us, sent.sent_us),
            times=self.times + 1,
            detail=sent.detail if newest else self.detail,
        )


def bounced_channels(connection: Connection) -> Mapping[int, Bounced]:
    """The ways that bounce now, by the id of the contact's channel. One is forgotten when a later message
    through it is delivered; whether it is still in use is the registry's to say."""
    c = table.c
    newer = (c.delivered_us.is_(None)) | (c.bounced_us > c.delivered_us)
    rows = connection.execute(select(table).where(c.bounced_us.is_not(None), newer))
    return {
        row.channel_id: Bounced(row.first_us or row.bounced_us, row.bounced_us, row.times, row.detail)
        for row in rows
    }


def note_sent(connection: Connection, sent: Sequence[Sent]) -> None:
    """Remembers what became of these messages, with three statements at most."""
    if not sent:
        return
    ids = {one.channel_id for one in sent}
    rows = connection.execute(select(table).where(table.c.channel_id.in_(ids)))
    known = {row.channel_id: Proof(*(getattr(row, name) for name in Proof._fields)) for row in rows}
    proofs = dict(known)
    for one in sent:
        proofs[one.channel_id] = proofs.get(one.channel_id, Proof()).after(one)
    changed = {key: proof for key, proof in proofs.items() if proof != known.get(key)}
    fresh = [{"channel_id": key, **one._asdict()} for key, one in changed.items() if key not in known]
    if fresh:
        connection.execute(insert_new(connection, table), fresh)
    if old := [
        {"b_id": key} | {f"b_{name}": value for name, value in one._asdict().items()}
        for key, one in changed.items()
        if key in known
    ]:
        connection.execute(_CHANGE, old)


_CHANGE: Final = (
    update(table)
    .where(table.c.channel_id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in Proof._fields})
)
