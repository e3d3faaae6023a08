"""What every channel promises, and the small tree of ways a send can end.

Outcomes:
* Accepted: the provider took it (not: it arrived).
* Failed: it did not; `permanent` says that trying again through this channel is pointless, unless somebody
  mends it meanwhile: lesser messages are given up, urgent ones are tried again all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from devices.model import Medium

PARTS: Final = (
    "severity", "what", "where", "since", "do", "why_now", "others", "text", "link", "code", "answer",
)  # fmt: skip
"""What a template can be filled with. `severity` P0 …, `what` the alarm, `where` the place, `since` its local
time, `do` what to do, `why_now` why this is sent again (empty for a first word), `others` the roles of
the others who were told, `text` the whole message,
`link` the one-tap page, `code` the end of that link (providers often fix a link's host in the template),
`answer` how to answer by the same way, where its carrier can hear answers."""
_NO_PARTS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Message:
    """What to carry, to whom. `address` is in clear only here and in the channel: never log it.

    `text` is complete by itself; `parts` are its pieces by the names of `PARTS` for providers that send fixed
    templates with variables, and may lack some: a channel that needs one that is missing uses the empty text.
    `language` is zh-CN or en.
    """

    key: str
    address: str
    medium: Medium
    text: str
    link: str
    urgent: bool
    language: str = "zh-CN"
    parts: Mapping[str, str] = field(default_factory=lambda: _NO_PARTS)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. `receipt` is what it calls the message in its receipts, empty where it
    sends none."""

    detail: str = ""
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider did not take it. `retry_after_s`: what the provider asked for, 0 for nothing. `unreached`:
    it surely never heard of the message."""

    reason: str
    permanent: bool = False
    retry_after_s: float = 0.0
    unreached: bool = field(default=False, compare=False)


Outcome = Accepted | Failed


class Channel(Protocol):
    """One way of reaching a person."""

    async def send(self, message: Message) -> Outcome:
        """Hands `message` to the provider. Never raises: whatever goes wrong is a `Failed` with its reason.

        Bounded in time by the caller, who cancels it.
        """

    async def close(self) -> None:
        """Lets go of connections and processes."""
