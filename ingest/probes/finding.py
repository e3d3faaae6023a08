"""What a proof says, and why one could not be made.

Errors:
* NotServed: the broker did not do what was asked; the text says what.
  * Unreachable: there was no connection at all.
  * Silent: no answer, and nothing else either.
  * Stopped: a finding has said why, and there is no use in going on.
  * Untold: what was asked for did not come, for a reason that says nothing of the broker.
    * TooSlow: something came, and not all of it in time.
    * TakenOver: somebody else connected with our client id.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise: kept (True), not kept (False), or not to be proven from here (None); in words what was
    seen, and where it is not kept what to do. `broker` is which one, where there can be several."""

    name: str
    ok: bool | None
    text: str
    broker: str = ""


class NotServed(Exception):
    """The broker did not do what was asked; the text says what."""


class Unreachable(NotServed):
    """There was no connection at all; the text says why."""


class Silent(NotServed):
    """No answer in time, and nothing else came either; the text says to what."""


class Stopped(NotServed):
    """A finding has said why, and there is no use in going on; the text says what is missing."""


class Untold(NotServed):
    """What was asked for did not come, and that says nothing of the broker; the text says why."""


class TooSlow(Untold):
    """Something came, and not all of it in time; the text says what did not."""


class TakenOver(Untold):
    """Somebody else connected with our client id, and the broker ended our connection."""
