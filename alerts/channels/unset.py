"""A channel that nobody set up here: every message through it fails with what is missing."""

from __future__ import annotations

from alerts.channels.channel import Failed, Message, Outcome


class UnsetChannel:
    """Fails for good, so that a message goes on by the contact's next way at once."""

    def __init__(self, why: str) -> None:
        """`why`: in words without secrets."""
        self._outcome = Failed(why, permanent=True)

    async def send(self, message: Message) -> Outcome:
        """Fails."""
        return self._outcome

    async def close(self) -> None:
        """Has nothing to let go of."""
