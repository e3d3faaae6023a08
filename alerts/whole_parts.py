"""All pieces of a message, by the names of `alerts.channels.channel.PARTS`, for the channel that carries it.
Pure."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.callbacks import how_to_answer
from devices.model import Carrier


def whole_parts(
    parts: Mapping[str, str], text: str, link: str, carrier: Carrier, language: str
) -> dict[str, str]:
    """`parts` of a text with those that every message has: the code is the end of the link, whose beginning
    is often fixed in a template; `answer` only where the carrier can hear answers, and
    as `parts` have it where they do."""
    whole = {**parts, "text": text, "link": link, "code": link.rpartition("/")[2]}
    how = parts["answer"] if "answer" in parts else how_to_answer(carrier, language)
    return {**whole, "answer": how} if how else whole
