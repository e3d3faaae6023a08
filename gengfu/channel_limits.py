"""From `[channels.limits]` to how much each carrier takes: what an account was granted, in the place of what
the carrier says of itself (`alerts.channels.intake`). Of every limit 30 % stays for fires.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Final

from msgspec.structs import fields

from alerts.channels.intake import LIMITS
from alerts.limits import Limit, Limits
from devices.model import Carrier
from gengfu.config_channels import Channels, OwnLimit, OwnLimits

MOST_TIMES: Final = 100
"""So many times what the carrier says of itself at most (chosen: more is a slip of the pen)."""
LEAST_PART: Final = 10
"""And the tenth of it at least (chosen: what is less tells nobody of a fire)."""
LEAST_OF_ACCOUNT: Final = 20
"""Messages that an account takes in a minute at least (chosen: those whom one fire tells)."""


def limits_of(channels: Channels) -> dict[Carrier, Limits]:
    """How much each carrier takes here."""
    return {**LIMITS, **{carrier: _settled(LIMITS[carrier], own) for carrier, own in _own(channels)}}


def wrong_limits(channels: Channels) -> str:
    """The first limit that cannot be meant, with what is allowed; empty where all can."""
    found = (_wrong(carrier, own) for carrier, own in _own(channels))
    return next(filter(None, found), "")


def _own(channels: Channels) -> Iterator[tuple[Carrier, OwnLimits]]:
    for one in fields(channels.limits):
        own = getattr(channels.limits, one.name)
        if own is not None:
            yield Carrier(one.name), own


def _settled(shipped: Limits, own: OwnLimits) -> Limits:
    address, account = _plain(own.address) or shipped.address, _plain(own.account) or shipped.account
    return replace(shipped, address=address, account=account)


def _plain(own: Sequence[OwnLimit]) -> tuple[Limit, ...]:
    return tuple(Limit(one.most, float(one.per_s)) for one in own)


def _wrong(carrier: Carrier, own: OwnLimits) -> str:
    for key, limits in (("address", own.address), ("account", own.account)):
        if len({one.per_s for one in limits}) < len(limits):
            return f"`channels.limits.{carrier}.{key}`: each `per_s` once is allowed"
    for shipped in LIMITS[carrier].address if own.address else ():
        lets = _in_any(own.address, shipped.per_s)
        least, most = max(1, ceil(shipped.most / LEAST_PART)), shipped.most * MOST_TIMES
        if not least <= lets <= most:
            return (
                f"`channels.limits.{carrier}.address`: lets {lets} through in {shipped.per_s:g} s; the"
                f" carrier says {shipped.most} of itself, {least} to {most} are allowed"
            )
    if own.account and _in_any(own.account, 60.0) < LEAST_OF_ACCOUNT:
        return (
            f"`channels.limits.{carrier}.account`: lets {_in_any(own.account, 60.0)} through in a minute;"
            f" {LEAST_OF_ACCOUNT} and more are allowed, as many as one fire tells"
        )
    return ""


def _in_any(limits: Sequence[OwnLimit], stretch_s: float) -> int:
    """How many these limits let through in a stretch so long."""
    return min(one.most * ceil(stretch_s / one.per_s) for one in limits)
