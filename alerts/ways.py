"""Whether a contact can be reached, by what became of the messages through its ways. Pure.

A message that is sent proves more or less of the way that carried it. A provider with receipts says that it
was delivered, or that it was not. Of the others that they took it is all that anybody can know. So a way is

* *bounced*: its newest message with a receipt was not delivered, or the provider refused the newest for good;
* *proven*: one got through within `PROVEN_US`;
* *unproven*: neither is known.

Contacts and places are judged in steps of `Reach`, the worst first. Only `NOBODY`, `NO_WAY` and `BOUNCED` are
nobody to tell: an unproven way is used like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from alerts.callbacks import POSTERS
from alerts.channel_proofs import Bounced
from devices.model import Carrier, Medium, Role
from devices.people import Way

PROVEN_US: Final = 62 * 24 * 3600 * 1_000_000
"""A proof counts for two months (chosen: two monthly tests, one of which may go astray)."""
WITH_RECEIPTS: Final = frozenset(POSTERS)
"""Carriers that say what became of a message: that they took it proves nothing."""
WAKING: Final = (Role.FAMILY, Role.NEIGHBOUR, Role.GRID_WORKER, Role.BUILDING_SECRETARY)
"""Who is told at once and may be asleep. Desks and stations are staffed day and night; who comes later in the
chain is not the one on whom a night depends."""


class Reach(IntEnum):
    """How well somebody can be reached; of a place, the best of its people. The worst first."""

    NOBODY = 0
    """Of a place only: nobody is bound in a role told at once."""
    NO_WAY = 1
    """No way is registered, or none that anything carries here."""
    BOUNCED = 2
    """Every way that is carried bounces."""
    AWAKE_ONLY = 3
    """No call: the ways that work need somebody who is awake and looks."""
    UNPROVEN = 4
    """Nothing says yet, or any more, that a message gets through."""
    REACHABLE = 5

    @property
    def word(self) -> str:
        """As JSON and tables have it."""
        return self.name.lower()

    @property
    def is_somebody(self) -> bool:
        """Whether there is somebody to tell."""
        return self > Reach.BOUNCED


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one way: when the newest message that got through was sent or taken (µs UTC), since
    when and why it bounces, and when and why a provider refused the newest one for good."""

    through_us: int = 0
    bounced: Bounced | None = None
    refused_us: int = 0
    refused: str = ""

    @property
    def fails(self) -> bool:
        """Whether it does not work as far as we know."""
        return self.bounced is not None or self.refused_us > self.through_us


class Reason(NamedTuple):
    """Why somebody is judged so: the way it is about (None: no one way), since when or when (µs UTC, 0: no
    time), how often, and what the provider said."""

    word: str
    way: Way | None = None
    at_us: int = 0
    times: int = 0
    detail: str = ""


class Judged(NamedTuple):
    """A contact's `Reach`, and why."""

    reach: Reach
    why: Reason


_UNKNOWN: Final = Proof()
_NO_WAY: Final = Judged(Reach.NO_WAY, Reason("no_way"))
NO_PROOFS: Final[Mapping[int, Proof]] = MappingProxyType({})


def judge(
    ways: Sequence[Way],
    proofs: Mapping[int, Proof],
    now_us: int,
    *,
    uncarried: frozenset[Carrier] = frozenset(),
    sleeps: bool = False,
) -> Judged:
    """How well a contact with these ways, the first ranked first, can be reached.

    `proofs` are by channel id, `uncarried` carriers without an account here; `sleeps`: a role in `WAKING`.
    """
    if not ways:
        return _NO_WAY
    carried = [way for way in ways if way.carrier not in uncarried] if uncarried else ways
    if not carried:
        return Judged(Reach.NO_WAY, Reason("uncarried", ways[0]))
    if not any(way.channel_id in proofs for way in carried):
        working: Sequence[Way] = carried
    else:
        working = [way for way in carried if not proofs.get(way.channel_id, _UNKNOWN).fails]
    if not working:
        return Judged(Reach.BOUNCED, _why_failing(carried[0], proofs[carried[0].channel_id]))
    if sleeps and not any(is_waking(way) for way in working):
        return Judged(Reach.AWAKE_ONLY, Reason("no_call", working[0]))
    through_us, best = max(
        ((proofs.get(way.channel_id, _UNKNOWN).through_us, way) for way in working), key=lambda one: one[0]
    )
    if through_us > now_us - PROVEN_US:
        return Judged(Reach.REACHABLE, Reason("proven", best, through_us))
    return Judged(Reach.UNPROVEN, Reason("long_ago" if through_us else "never", best, through_us))


def is_waking(way: Way) -> bool:
    """Whether it wakes somebody who sleeps: a call, or a sounder (chosen: an SMS or a push does not)."""
    return way.medium is Medium.VOICE or way.carrier is Carrier.MQTT


def _why_failing(way: Way, proof: Proof) -> Reason:
    if proof.bounced is not None:
        bounced = proof.bounced
        return Reason("bounced", way, bounced.first_us, bounced.count, bounced.detail)
    return Reason("refused", way, proof.refused_us, 1, proof.refused)
