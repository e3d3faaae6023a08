"""How far a message got: accepted < delivered < read, or undelivered. Pure.

Receipts come late, twice and in any order: whatever the order, the same receipts end on the same rung.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from alerts.channels.receipts import ReceiptState

UNDELIVERED: Final = "undelivered"
_MENDED: Final = frozenset({"waiting", "dead", UNDELIVERED})
"""States that a proof of delivery puts right: a try whose answer was lost had worked after all."""


class Rung(NamedTuple):
    """Of a notification: `state` and when it was accepted, delivered and read (µs UTC; None: not known)."""

    state: str
    accepted_us: int | None = None
    delivered_us: int | None = None
    read_us: int | None = None


def climbed(rung: Rung, receipt: ReceiptState, at_us: int, *, is_latest: bool) -> Rung:
    """The rung after this receipt of `at_us`; the same where it says nothing higher.

    A call that was picked up counts as read. `is_latest`: the receipt is of the latest try; that an earlier
    one failed says nothing of it. What was delivered once has not failed, whatever comes later. A message
    under way stays so: only its own outcome ends it.
    """
    if receipt is ReceiptState.FAILED:
        fails = is_latest and rung.state == "accepted" and rung.delivered_us is None
        return rung._replace(state=UNDELIVERED) if fails else rung
    if receipt is ReceiptState.ACCEPTED:
        return rung
    if rung.state in _MENDED:
        rung = rung._replace(state="accepted", accepted_us=_first(rung.accepted_us, at_us))
    rung = rung._replace(delivered_us=_first(rung.delivered_us, at_us))
    if receipt in {ReceiptState.READ, ReceiptState.ANSWERED}:
        rung = rung._replace(read_us=_first(rung.read_us, at_us))
    return rung


def _first(known_us: int | None, at_us: int) -> int:
    return at_us if known_us is None else min(known_us, at_us)
