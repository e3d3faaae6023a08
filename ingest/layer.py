"""What every link that lies upon another has of it: the socket, what is unsent, and waiting."""

from __future__ import annotations

from ingest.link import Link


class Layer:
    """A part of a `Link` upon `below`. `_open` says whether its own opening, called `_opening`, is done."""

    _opening = ""

    def __init__(self, below: Link) -> None:
        self.more = False
        self._below = below
        self._open = False

    @property
    def stage(self) -> str:
        """What is below first, then its own opening."""
        return self._below.stage or ("" if self._open else self._opening)

    @property
    def pending(self) -> bool:
        """Whether there is something to receive that the socket does not know of."""
        return self._below.pending

    @property
    def unsent(self) -> int:
        """Bytes kept for later."""
        return self._below.unsent

    def fileno(self) -> int:
        """The socket to wait for."""
        return self._below.fileno()

    def interest(self, *, reading: bool) -> int:
        """What to wait for on the socket, as a mask of `select.poll`; while opening, always what comes."""
        return self._below.interest(reading=reading or not self._open)

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        """Waits until there may be something to read (if `reading`), flushing meanwhile."""
        if reading and self.pending:
            return True
        return self._below.wait(timeout_s, reading=reading)

    def close(self) -> None:
        """Lets go of the socket."""
        self._below.close()
