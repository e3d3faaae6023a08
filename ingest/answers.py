"""Answers of profiles: checked, numbered by the messages of the whole tick, and put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Int16, Int32
from devices.profiles.own.alike import joined_asides
from devices.profiles.profile import Decoded, Rejected, StrangerReading


def check_answer(part: Decoded, messages: int, rows: int) -> None:
    """Raises ValueError for an answer that no profile may give to so many messages, where there are so many
    rows."""
    columns = (part.row, part.metric, part.observed_us, part.value, part.quality, part.message)
    if len({len(column) for column in columns}) != 1 or len(part.seq) != messages:
        raise ValueError("arrays of different length")
    if len(part.row) and not (
        _within(part.row, 0, rows)
        and _within(part.metric, 1, METRIC_LIMIT)
        and _within(part.message, 0, messages)
    ):
        raise ValueError("row, metric or message out of range")
    named = [one.message for one in (*part.rejected, *part.asides.unread)]
    named += [one.message for one in part.strangers]
    if not all(0 <= message < messages for message in named):
        raise ValueError("rejected or stranger message out of range")


def _within(values: Int32 | Int16, low: int, high: int) -> bool:
    return bool(values.min() >= low and values.max() < high)


def renumbered(part: Decoded, messages: Sequence[int]) -> Decoded:
    """`part` of some messages, with the tick's numbers; its `seq` stays one per asked message."""
    number = np.array(messages, np.int32)
    seq = np.full(max(messages) + 1, -1, np.int64)
    seq[number] = part.seq
    return Decoded(
        part.row,
        part.metric,
        part.observed_us,
        part.value,
        part.quality,
        number[part.message],
        seq,
        [Rejected(messages[one.message], one.reason, one.detail) for one in part.rejected],
        [
            StrangerReading(
                messages[one.message],
                one.uid,
                one.channel,
                one.metric,
                one.value,
                one.observed_us,
                one.quality,
            )
            for one in part.strangers
        ],
        part.asides._replace(
            holds=tuple(hold._replace(message=messages[hold.message]) for hold in part.asides.holds),
            unread=tuple(
                Rejected(messages[one.message], one.reason, one.detail) for one in part.asides.unread
            ),
        ),
    )


def together(
    parts: list[Decoded], count: int, rejected: list[Rejected], strangers: list[StrangerReading]
) -> Decoded:
    """One result in message order. Each part's `seq` is numbered by the tick's messages, -1 for others'."""
    if len(parts) == 1 and len(parts[0].seq) == count:
        one = parts[0]
        return Decoded(
            one.row,
            one.metric,
            one.observed_us,
            one.value,
            one.quality,
            one.message,
            one.seq,
            rejected,
            strangers,
            one.asides,
        )
    seq = np.full(count, -1, np.int64)
    for part in parts:
        np.maximum(seq[: len(part.seq)], part.seq, out=seq[: len(part.seq)])
    message = _column(parts, "message", np.int32)
    order = np.argsort(message, kind="stable")
    return Decoded(
        _column(parts, "row", np.int32)[order],
        _column(parts, "metric", np.int16)[order],
        _column(parts, "observed_us", np.int64)[order],
        _column(parts, "value", np.float64)[order],
        _column(parts, "quality", np.uint32)[order],
        message[order],
        seq,
        rejected,
        strangers,
        joined_asides([part.asides for part in parts]),
    )


def _column(parts: list[Decoded], name: str, dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, dtype)]).astype(
        dtype, copy=False
    )
