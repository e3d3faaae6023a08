"""WebSocket frames to a plain stream of bytes and back, as a client. No input, no output; the only file that
knows the `wsproto` library, for another to replace it.

MQTT's packets need not keep to frames (MQTT 5, 6.0), so what is in binary frames is given on as it comes,
also of a frame that is not whole: a frame of any length costs no memory. No extension is offered, so nothing
is compressed. Cost: 14 µs a frame (measured, wsproto 1.3.2), and mosquitto puts each packet into one.

What a hostile or broken peer may send, and what becomes of it: pings are answered, the newest only, as RFC
6455 allows (5.5.3); text, masked frames, reserved bits, overlong or fragmented control frames and a close end
the stream: `over` says why, and what came before is still given.
"""

from __future__ import annotations

from typing import Final

from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from ingest.link import LinkLost

SUBPROTOCOL: Final = "mqtt"
NOT_HERE: Final = "correct port, path or transport: does a WebSocket listener for MQTT answer there?"


class Frames:
    """One connection's framing; start a new one for each connection. `host` is with its port.

    `request` opens it. `accepted`: the broker agreed. `taken` counts frames and parts of frames.
    `take_answer` gives what must be sent back. Memory: one header of HTTP (16 kB) or of a frame, and one
    control frame (125 bytes).
    Raises LinkLost for a host or path that cannot be asked for.
    """

    def __init__(self, host: str, path: str) -> None:
        self.accepted = False
        self.over: LinkLost | None = None
        self.taken = 0
        self._answer = b""
        self._connection = WSConnection(ConnectionType.CLIENT)
        try:
            self.request = self._connection.send(Request(host=host, target=path, subprotocols=[SUBPROTOCOL]))
        except (ProtocolError, ValueError) as error:  # UnicodeError is a ValueError
            raise LinkLost(f"cannot ask {host} for {path}: {error}", do=NOT_HERE) from None

    def feed(self, data: bytes) -> bytes:
        """Takes the next bytes; gives what was in binary frames. Raises nothing: see `over`."""
        content: list[bytes] = []
        if self.over or not data:  # no bytes mean the end to what reads HTTP
            return b""
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                self.taken += 1
                if isinstance(event, BytesMessage):
                    content.append(bytes(event.data))
                else:
                    self._take(event)
                if self.over:
                    break
        except (ProtocolError, ValueError) as error:  # a header that is not ASCII is a ValueError
            self._end(f"not a WebSocket: {error}", "" if self.accepted else NOT_HERE)
        return b"".join(content)

    def wrap(self, data: bytes) -> bytes:
        """`data` as one binary frame, masked as a client must. Raises LinkLost when it is over."""
        if self.over:
            raise self.over
        return self._connection.send(BytesMessage(data))

    def goodbye(self) -> bytes:
        """A close frame; empty where there is nothing to close any more."""
        if not self.accepted or self._connection.state is not ConnectionState.OPEN:
            return b""
        return self._connection.send(CloseConnection(code=1000))

    def take_answer(self) -> bytes:
        """What must be sent back, once."""
        answer, self._answer = self._answer, b""
        return answer

    def _take(self, event: Event) -> None:
        if isinstance(event, Ping):
            self._answer = self._connection.send(event.response())
        elif isinstance(event, AcceptConnection):
            self.accepted = event.subprotocol == SUBPROTOCOL
            if not self.accepted:
                self._end("the broker does not speak MQTT on this WebSocket", NOT_HERE)
        elif isinstance(event, RejectConnection):
            self._end(f"the broker answers {event.status_code} instead of opening a WebSocket", NOT_HERE)
        elif isinstance(event, TextMessage):
            self._end("a text frame, which MQTT does not allow")
        elif isinstance(event, CloseConnection):
            self._close(event)

    def _close(self, event: CloseConnection) -> None:
        """The peer's close, or what wsproto makes of bytes that are no frame."""
        said = f"{int(event.code)} {event.reason or ''}".strip()
        if self._connection.state is not ConnectionState.REMOTE_CLOSING:
            self._end(f"not a WebSocket: {said}")
            return
        self._answer = self._connection.send(event.response())
        self._end(f"closed by the broker: {said}")

    def _end(self, why: str, do: str = "") -> None:
        self.over = LinkLost(why, do=do)
