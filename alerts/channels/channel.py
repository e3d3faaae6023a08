"""What every channel promises, and the small tree of ways a send can end.

Outcomes:
* Accepted: the provider took it (not: it arrived).
* Failed: it did not; `permanent` says that trying again through this channel is pointless, unless somebody
  mends it meanwhile: lesser messages are given up, urgent ones are tried again all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from devices.model import Medium


@dataclass(frozen=True, slots=True)
class Message:
    """What to carry, to whom. `address` is in clear only here and in the channel: never log it."""

    key: str
    address: str
    medium: Medium
    text: str
    link: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider did not take it. `retry_after_s`: what the provider asked for, 0 for nothing."""

    reason: str
    permanent: bool = False
    retry_after_s: float = 0.0


Outcome = Accepted | Failed


class Channel(Protocol):
    """One way of reaching a person."""

    async def send(self, message: Message) -> Outcome:
        """Hands `message` to the provider. Never raises: whatever goes wrong is a `Failed` with its reason.

        Bounded in time by the caller, who cancels it.
        """

    async def close(self) -> None:
        """Lets go of connections and processes."""
