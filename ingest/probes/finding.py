"""What a proof says, and why one could not be made.

Errors:
* NotServed: the broker did not do what was asked; the text says what.
  * Unreachable: there was no connection at all.
  * Stopped: a finding has said why, and there is no use in going on.
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


class Stopped(NotServed):
    """A finding has said why, and there is no use in going on; the text says what is missing."""
