"""Readings of messages that have a shape, and how they join those that were read the general way. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from devices.model import Int32, Int64, Quality
from devices.profiles.own.mapping import FlatMapping
from devices.profiles.own.shapes import Alike, outside
from devices.profiles.profile import NO_ASIDES, Asides, Decoded, Points
from devices.profiles.sources import STRANGER, Sources
from devices.profiles.values.times import epoch_ms_of


def registered_only(alike: Alike, sources: Sources, points: Points) -> tuple[Alike, Int32, list[int]]:
    """The messages of registered devices, the row of each of their values, and the numbers of the others.

    What a stranger says is for the general way to refuse.
    """
    names = list(dict.fromkeys(alike.shape.channels))
    numbers = [sources.channel_number(name) for name in names]
    count, source = len(alike.source), alike.source.astype(np.intp)
    by_channel = np.empty((count, len(names)), np.int32)
    for n, number in enumerate(numbers):
        by_channel[:, n] = sources.rows(source, np.full(count, number, np.intp), points)
    strange = (by_channel == STRANGER).any(axis=1) if int(by_channel.min()) < 0 else None
    gone: list[int] = []
    if strange is not None:
        gone = alike.message[strange].tolist()
        alike, by_channel = alike.only(~strange), by_channel[~strange]
    if len(names) == 1:
        return alike, by_channel.repeat(len(alike.shape.fields), axis=1), gone
    return alike, by_channel[:, [names.index(name) for name in alike.shape.channels]], gone


def decoded_alike(alike: Alike, rows: Int32, mapping: FlatMapping, messages: int) -> Decoded:
    """The readings of messages of one shape, in their order; `messages` is how many the tick has."""
    count, width = alike.values.shape
    quality = np.zeros(count * width, np.uint32)
    beyond = outside(alike)
    if beyond is not None:
        quality[beyond.ravel()] = np.uint32(Quality.OUT_OF_RANGE)
    at = np.zeros(count, np.int64) if alike.at is None else epoch_ms_of(alike.at)
    seq = np.full(messages, -1, np.int64)
    if alike.seq is not None:
        seq[alike.message] = alike.seq
    return Decoded(
        row=rows.reshape(-1),
        metric=np.tile(mapping.metric[alike.shape.fields], count),
        observed_us=at.repeat(width),
        value=alike.values.reshape(-1),
        quality=quality,
        message=alike.message.repeat(width),
        seq=seq,
        rejected=[],
        strangers=[],
    )


def joined(general: Decoded, parts: Sequence[Decoded]) -> Decoded:
    """All readings in message order; refusals and strangers are those of `general`."""
    whole = [part for part in (general, *parts) if len(part.row)]
    asides = joined_asides([general.asides, *(part.asides for part in parts)])
    seq: Int64 = np.maximum.reduce([general.seq, *(part.seq for part in parts)])
    if len(whole) == 1:
        return replace(
            whole[0], seq=seq, rejected=general.rejected, strangers=general.strangers, asides=asides
        )
    message = np.concatenate([part.message for part in whole])
    order = np.argsort(message, kind="stable")
    return Decoded(
        row=np.concatenate([part.row for part in whole])[order],
        metric=np.concatenate([part.metric for part in whole])[order],
        observed_us=np.concatenate([part.observed_us for part in whole])[order],
        value=np.concatenate([part.value for part in whole])[order],
        quality=np.concatenate([part.quality for part in whole])[order],
        message=message[order],
        seq=seq,
        rejected=general.rejected,
        strangers=general.strangers,
        asides=asides,
    )


def joined_asides(parts: Sequence[Asides]) -> Asides:
    """All of them, kind by kind, in the order of the parts."""
    some = [part for part in parts if part != NO_ASIDES]
    if len(some) <= 1:
        return some[0] if some else NO_ASIDES
    return Asides(*(sum(kind, ()) for kind in zip(*some, strict=True)))
