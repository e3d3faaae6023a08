"""What a fast way promises: messages of forms that the general way has understood before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from devices.model import Int32
from devices.profiles.fast.first_sight import Sighted
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.heard import Heard
from devices.profiles.profile import Decoded, Points
from devices.profiles.sources import Sources


class Fast(Protocol):
    """The fast way: messages of forms that the general way has understood before."""

    answers: bool
    """Whether what devices wait for is sent; then its messages go the general way."""

    def take(
        self, source: Int32, payloads: Sequence[bytes], sources: Sources, points: Points
    ) -> tuple[list[Decoded], Sequence[int]]:
        """The readings of messages it is sure of, all of registered devices, as parts with the tick's
        message numbers (`seq` one per message of the tick), and the numbers of those that must go the
        general way, in order.

        `source` is negative where the topic is not remembered, or where the message must not be taken.
        """

    def learn(self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard) -> None:
        """The general way understood a message of this source, whose device is the source's own. Must not
        raise."""

    def recognise(self, payload: bytes, candidates: Sequence[Candidate]) -> Sighted | None:
        """The form of a message on a new topic, where its topic alone says whose it is. Never raises."""

    def met(self, source: int, form: int) -> None:
        """The messages of a new source are tried with this form."""

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics or devices from now on."""
