"""A WebSocket upon another link, for MQTT (RFC 6455; MQTT 5, chapter 6)."""

from __future__ import annotations

import contextlib
from typing import Final

from ingest.frames import NOT_HERE, Frames
from ingest.layer import Layer
from ingest.link import Link, LinkLost
from ingest.transport import Transport

_CHUNK: Final = 1 << 16
_PIECE: Final = 512
_FRAMES_A_TURN: Final = 256
"""A turn ends after so many frames and the piece they were in: 511 empty ones at most, 9 ms (measured, 17 µs
each; 64 KiB of them at once hold the tick for 0.6 s). Of the usual 200 bytes each it is 50 kB a turn."""
_ENOUGH_UNSENT: Final = 1 << 16
"""With so much unsent no ping is answered: a peer that asks and does not read must not fill our memory."""


class WebSocketLink(Layer):
    """`below` spoken through a WebSocket that asked `host` for the transport's path.

    At most one read of `below` a `receive`, and a bounded number of its frames; the rest is `pending`. Never
    asks to be read again at once, so that tiny frames cannot make one tick long. Memory: one such read.
    """

    _opening = "the WebSocket upgrade"

    def __init__(self, below: Link, host: str, port: int, transport: Transport) -> None:
        super().__init__(below)
        self._frames = Frames(_host_header(host, port, transport), transport.path)
        self._asked = False
        self._came = b""
        self._unparsed = bytearray()

    @property
    def pending(self) -> bool:
        """Whether something came that was not given yet: behind the upgrade or many frames, or the end."""
        unlooked = bool(self._came or self._unparsed)
        return unlooked or self._frames.over is not None or self._below.pending

    def opened(self) -> bool:
        """A step of the upgrade. Raises LinkLost when it is refused."""
        if self._open:
            return True
        if not self._below.opened():
            return False
        if not self._asked:
            self._asked = True
            self._below.send(self._frames.request)
        try:
            self._came += self._take(_CHUNK)
        except LinkLost as lost:
            raise LinkLost(f"{lost} during the WebSocket upgrade", do=lost.do or NOT_HERE) from None
        self._open = self._frames.accepted
        if self._frames.over and not self._open:
            raise self._frames.over
        return self._open

    def receive(self, limit: int) -> bytes:
        """What binary frames brought; empty when nothing. Raises LinkLost at the end."""
        content, self._came = self._came, b""
        if not content and not self._frames.over:
            content = self._take(limit)
            self._answer()
        if self._frames.over and not content:
            raise self._frames.over
        self.more = self._frames.over is not None
        return content

    def send(self, data: bytes) -> None:
        """Sends as one frame behind what is still unsent. Raises LinkLost."""
        self._below.send(self._frames.wrap(data) if data else b"")

    def close(self) -> None:
        """Says so, if the socket takes it, and lets go of it."""
        with contextlib.suppress(LinkLost):
            if goodbye := self._frames.goodbye():
                self._below.send(goodbye)
        super().close()

    def _take(self, limit: int) -> bytes:
        """What the next frames bring. Reads only when all that was read before is used up."""
        if not self._unparsed:
            self._unparsed += self._below.receive(limit)
        content, until = [], self._frames.taken + _FRAMES_A_TURN
        while self._unparsed and not self._frames.over and self._frames.taken < until:
            content.append(self._frames.feed(bytes(self._unparsed[:_PIECE])))
            del self._unparsed[:_PIECE]
        return b"".join(content)

    def _answer(self) -> None:
        """The other side may be gone already; what we read says more."""
        answer = self._frames.take_answer()
        if answer and self._below.unsent < _ENOUGH_UNSENT:
            with contextlib.suppress(LinkLost):
                self._below.send(answer)


def _host_header(host: str, port: int, transport: Transport) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == transport.default_port else f"{name}:{port}"
