"""What messages say to others than the rules: texts of devices, proposals, replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from devices.profiles.compiling.compiled import Pattern
from devices.profiles.general.findings import Raw, Tree
from devices.profiles.general.identity import clean
from devices.profiles.general.reaching import Bound, finder
from devices.profiles.language.templates import fill
from devices.profiles.profile import Proposal, Reply, Said

PROPOSALS_MAX: Final = 500
"""Proposals of one message (as many as a discovery config may hold)."""
REPLY_BYTES_MAX: Final = 4_096
REPLY_TOPIC_MAX: Final = 512
"""What a device is answered at most (chosen)."""


@dataclass(slots=True)
class Outside:
    """What messages said to others than the rules."""

    said: list[Said] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


def reply_of(patterns: tuple[Pattern, Pattern], captures: Bound, tree: Tree) -> Reply | None:
    """The reply that two templates make of a message; None where one has no value, or makes no topic or too
    much."""
    topic, payload = (fill(pattern, captures, finder(tree, tree)) for pattern in patterns)
    if not topic or payload is None or len(topic) > REPLY_TOPIC_MAX or {"+", "#", "\0"} & set(topic):
        return None
    octets = payload.encode(errors="replace")
    return Reply(topic, octets) if len(octets) <= REPLY_BYTES_MAX else None


def proposal_of(said: Raw) -> Proposal | None:
    """What a format made of a device that announces itself; None where it names none."""
    if type(said) is not dict or type(said.get("uid")) is not str:
        return None
    topic, detail = said.get("topic"), said.get("detail", said)
    texts_said = detail.items() if type(detail) is dict else ()
    known = {"uid", "topic"}
    return Proposal(
        clean(said["uid"]),
        clean(topic) if type(topic) is str else "",
        {clean(str(key)): clean(text) for key, text in texts_said if type(text) is str and key not in known},
    )
