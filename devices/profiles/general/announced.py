"""Who has announced which devices, so that an announcement that is withdrawn takes its proposals with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.profiles.profile import Proposal

TOPICS_MAX: Final = 20_000
"""Topics of announcements that are remembered, and the devices of one (chosen: as many proposals as are
kept)."""
DEVICES_MAX: Final = 500
"""Devices of one announcement (as many as a config proposes)."""


class Announced:
    """The devices that each topic announces. Bounded; what finds no room is proposed all the same and never
    withdrawn. Nothing outlives the process: announcements are retained, so the broker tells them again.
    """

    def __init__(self) -> None:
        self._uids: dict[str, tuple[str, ...]] = {}
        self._topics: dict[str, int] = {}

    def said(self, topic: str, proposals: Sequence[Proposal]) -> list[Proposal]:
        """What a topic announces now, in place of what it did before: its proposals, and a withdrawal of each
        device that no topic announces any more."""
        before = self._uids.pop(topic, ())
        uids = tuple(dict.fromkeys(one.uid for one in proposals))[:DEVICES_MAX]
        if uids and len(self._uids) < TOPICS_MAX:
            self._uids[topic] = uids
            for uid in uids:
                self._topics[uid] = self._topics.get(uid, 0) + 1
        gone = [uid for uid in before if self._released(uid)]
        return [*proposals, *(Proposal(uid, "", {}) for uid in gone if uid not in uids)]

    def _released(self, uid: str) -> bool:
        """One topic fewer announces a device; whether it was the last."""
        self._topics[uid] -= 1
        if self._topics[uid]:
            return False
        del self._topics[uid]
        return True
