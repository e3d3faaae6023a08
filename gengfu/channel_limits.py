"""From `[channels.limits]` to how much each carrier takes: what an account was granted, in the place of what
the carrier says of itself (`alerts.channels.intake`) for the same stretch of time; what it says for other
stretches stays. Of every limit 30 % stays for fires, and no limit of a site's own over a minute holds up a
fire: a slip of the pen must not withhold it for hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Final

from msgspec.structs import fields

from alerts.channels.intake import LIMITS
from alerts.limits import Limit, Limits
from devices.model import Carrier
from gengfu.config_channels import MOST_MESSAGES, Channels, OwnLimit, OwnLimits

MOST_TIMES: Final = 100
"""So many times what the carrier says of itself at most (chosen: more is a slip of the pen)."""
LEAST_PART: Final = 10
"""And the tenth of it at least (chosen: what is less tells nobody of a fire)."""
LEAST_OF_ACCOUNT: Final = 20
"""Messages that an account takes in a minute at least, and in each hour of a longer stretch (chosen: those
whom one fire tells)."""
BINDS_S: Final = 60
"""Own limits over a longer stretch never hold up urgent messages (chosen: a fire waits a minute at most)."""
_HOUR_S: Final = 3_600


def limits_of(channels: Channels) -> dict[Carrier, Limits]:
    """How much each carrier takes here."""
    return {**LIMITS, **{carrier: _settled(LIMITS[carrier], own) for carrier, own in _own(channels)}}


def wrong_limits(channels: Channels) -> str:
    """The first limit that cannot be meant, with what is allowed; empty where all can."""
    found = (one for carrier, own in _own(channels) for one in _wrong(carrier, own))
    return next(found, "")


def _own(channels: Channels) -> Iterator[tuple[Carrier, OwnLimits]]:
    for one in fields(channels.limits):
        own = getattr(channels.limits, one.name)
        if own is not None:
            yield Carrier(one.name), own


def _settled(shipped: Limits, own: OwnLimits) -> Limits:
    return replace(
        shipped,
        address=_merged(shipped.address, own.address, shipped.binding),
        account=_merged(shipped.account, own.account, shipped.binding),
    )


def _merged(shipped: tuple[Limit, ...], own: tuple[OwnLimit, ...], binding: bool) -> tuple[Limit, ...]:
    """The own ones, and those shipped for a stretch that no own one names; the shortest stretch first."""
    named = {float(one.per_s) for one in own}
    kept = [limit for limit in shipped if limit.per_s not in named]
    ours = [Limit(one.most, float(one.per_s), binding and one.per_s > BINDS_S) for one in own]
    return tuple(sorted([*kept, *ours], key=lambda limit: limit.per_s))


def _wrong(carrier: Carrier, own: OwnLimits) -> Iterator[str]:
    for key, limits in (("address", own.address), ("account", own.account)):
        if len({one.per_s for one in limits}) < len(limits):
            yield f"`channels.limits.{carrier}.{key}`: each `per_s` once is allowed"
    shipped = LIMITS[carrier].address
    for place, one in enumerate(own.address):
        says = min(limit.most * ceil(one.per_s / limit.per_s) for limit in shipped)
        least = ceil(min(limit.most * one.per_s / limit.per_s for limit in shipped) / LEAST_PART)
        most = min(says * MOST_TIMES, MOST_MESSAGES)
        if not least <= one.most <= most:
            yield (
                f"`channels.limits.{carrier}.address[{place}].most`: lets {one.most} through in"
                f" {one.per_s} s; the carrier says {says} of itself, {least} to {most} are allowed"
            )
    for place, one in enumerate(own.account):
        if one.most < (least := _least_of_account(one.per_s)):
            yield (
                f"`channels.limits.{carrier}.account[{place}].most`: lets {one.most} through in"
                f" {one.per_s} s; {least} and more are allowed: one fire tells {LEAST_OF_ACCOUNT}, and"
                " another may come each hour"
            )


def _least_of_account(per_s: int) -> int:
    """`LEAST_OF_ACCOUNT`; of a stretch under a minute its part, of one over an hour so many in each hour."""
    return ceil(LEAST_OF_ACCOUNT * min(1.0, per_s / BINDS_S) * max(1.0, per_s / _HOUR_S))
