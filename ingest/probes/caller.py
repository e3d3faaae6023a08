"""One MQTT 5 connection of the check: it does one thing at a time, waits for each, and keeps what arrives.

Unlike `ingest/session.py` it acknowledges when it is told to, can be cut off, and may publish. It needs
packets that ingest never sends, so it knows the codec itself.

Errors:
* NotServed: refused or left; Unreachable: no connection; Silent: no answer; TooSlow: not all in time;
  TakenOver: another connection with the same client id. See finding.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

import mqtt5

from ingest import wire
from ingest.link import LinkLost
from ingest.packets import WireError
from ingest.probes import speech
from ingest.probes.finding import NotServed, TakenOver, Unreachable
from ingest.probes.terms import Dial, Login, Patience, Terms, Waits
from ingest.salvage import frame_length

QUIET_S: Final = 0.5
"""After so long without a byte the broker is asked whether it has more (chosen: late inside a cluster)."""
LEAVE_S: Final = 5.0
LOOK_S: Final = 0.5
"""How often it is looked whether anything left, while nothing comes (chosen)."""
CHUNK_BYTES: Final = 1 << 16
FAILED: Final = 0x80
TAKEN_OVER: Final = 0x8E
_PUBACK: Final = 4


class Caller:
    """A connection that was let in; `greeting` is the CONNACK.

    `messages` are the PUBLISH packets in the order of arrival. `gone`: it is over; `ended` says why the
    broker ended it, or is empty. `taken_over`: it says that somebody else connected with the client id;
    `unsaid`: it gave no reason, as mosquitto 2.0.11 gives none for that. A step that ran out of time ends the
    connection. Use as a context: leaving it without `leave` or `cut` leaves in order.
    """

    def __init__(
        self, dial: Dial, client_id: str, login: Login, terms: Terms, waits: Waits | None = None
    ) -> None:
        """Connects. Raises NotServed when not let in, Unreachable when nobody is there."""
        self._waits = waits or Waits()
        self.messages: list[mqtt5.PublishPacket] = []
        self.ended = ""
        self._buffer = b""
        self._acknowledged = 0
        self._taken: dict[int, int] = {}
        self._granted: list[int] | None = None
        self._pongs = self._next_id = 0
        self._greeting: mqtt5.ConnAckPacket | None = None
        self.gone = self.taken_over = self.unsaid = False
        try:
            self._link = dial()
        except (LinkLost, OSError) as error:
            raise Unreachable(f"{error}{_do(error)}") from None
        packet = mqtt5.ConnectPacket(
            client_id,
            username=login.name or None,
            password=login.password.encode() if login.name else None,
            clean_start=terms.clean,
            keep_alive=terms.keep_alive_s,
            session_expiry_interval=terms.expiry_s,
            receive_max=terms.receive_maximum,
            max_packet_size=terms.max_packet_bytes,
        )
        try:
            self._send(packet.write())
            self._await(lambda: self._greeting is not None, "no answer to CONNECT")
        except NotServed:
            self.cut()
            raise
        answer = self.greeting.reason_code
        if int(answer) >= FAILED:
            self.cut()
            raise NotServed(speech.words(answer.name, self.greeting.reason_str))

    @property
    def greeting(self) -> mqtt5.ConnAckPacket:
        """The broker's CONNACK."""
        if self._greeting is None:
            raise NotServed("no answer to CONNECT")
        return self._greeting

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def subscribe(self, *filters: str) -> None:
        """As ingest does: QoS 1, Retain As Published 0, Retain Handling 1. Raises NotServed."""
        self._granted = None
        self._send(wire.subscribe(1, filters))
        self._await(lambda: self._granted is not None, f"no answer to subscribing to {filters[0]}")
        codes: list[int] = self._granted or []
        if len(codes) != len(filters):
            raise NotServed(f"subscribing to {len(filters)} filters was answered with {len(codes)} codes")
        for name, code in zip(filters, codes, strict=True):
            if code != 1:
                raise NotServed(f"{name} at QoS 1 was answered with {code:#04x}")

    def publish(self, topic: str, payloads: Iterable[bytes], *, qos: int = 1) -> None:
        """Returns when the broker has taken all of them, never more than its Receive Maximum at once.

        Raises NotServed when it takes one not, or ends the connection.
        """
        window = self.greeting.receive_max
        waiting: list[int] = []
        for payload in payloads:
            if len(waiting) >= window:
                waiting = self._await_taken(waiting, window - 1)
            packet_id = self._id() if qos else None
            self._send(speech.publish(topic, payload, qos, packet_id))
            if packet_id:
                waiting.append(packet_id)
        self._await_taken(waiting, 0)
        if not qos:
            self.round_trip()

    def reason_of(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int = 0) -> int:
        """The PUBACK's reason code of one message at QoS 1. Raises NotServed when there is none."""
        packet_id = self._id()
        self._send(speech.publish(topic, payload, 1, packet_id, retain=retain, expiry_s=expiry_s))
        patience = Patience(self._waits, more_bytes=len(payload))
        self._await(lambda: packet_id in self._taken, f"no answer to publishing on {topic}", patience)
        return self._taken.pop(packet_id)

    def round_trip(self) -> None:
        """Returns when the broker has handled all that was sent before. Raises NotServed."""
        self._ping()

    def on(self, topic: str) -> list[mqtt5.PublishPacket]:
        """What arrived on `topic`."""
        return [one for one in self.messages if one.topic == topic]

    def gather(self, count: int, *, acknowledge: bool, quiet_s: float = QUIET_S) -> None:
        """Reads until `count` are there, or none came for `quiet_s` and the broker, asked, has no more.

        With `acknowledge` the broker has all acknowledgements when it returns. Raises NotServed.
        """
        patience = Patience(self._waits)
        while len(self.messages) < count:
            self._step(min(quiet_s / 4, patience.rest_s), patience, "not all messages came")
            if acknowledge:
                self.acknowledge()
            if patience.idle_s > quiet_s:
                before = len(self.messages)
                self._ping(patience)
                if len(self.messages) == before:
                    break
        if acknowledge:
            self.acknowledge()
            self.round_trip()

    def acknowledge(self) -> None:
        """A PUBACK for each message at QoS 1 that has none yet, in order of arrival."""
        due = self.messages[self._acknowledged :]
        self._acknowledged = len(self.messages)
        packets = [mqtt5.PubAckPacket(one.packet_id).write() for one in due if one.packet_id]
        if packets and not self.gone:
            self._send(b"".join(packets))

    def is_ended(self, timeout_s: float) -> bool:
        """Whether the broker ends the connection in time."""
        until = time.monotonic() + timeout_s
        while not self.gone and (rest := until - time.monotonic()) > 0:
            self._pump(rest)
        return self.gone

    def leave(self, expiry_s: int | None = None) -> None:
        """Says goodbye; `expiry_s` 0 ends the session that CONNECT asked to keep. Raises nothing."""
        if self.gone:
            return
        try:
            self._send(mqtt5.DisconnectPacket(session_expiry_interval=expiry_s).write())
            until = time.monotonic() + LEAVE_S
            while self._link.unsent and time.monotonic() < until:
                self._link.wait(0.1, reading=False)
            self.is_ended(1.0)  # the broker closes when it has done it
        except (NotServed, LinkLost, OSError):
            pass  # it left first
        self.cut()

    def cut(self) -> None:
        """Ends the connection without a word, as a lost line does."""
        self.gone = True
        self._link.close()

    def _id(self) -> int:
        self._next_id = self._next_id % 65_535 + 1
        return self._next_id

    def _await_taken(self, waiting: list[int], most: int) -> list[int]:
        """What is still untaken when that is `most` at most. Raises NotServed for a refusal."""

        def left() -> list[int]:
            return [one for one in waiting if one not in self._taken]

        self._await(lambda: len(waiting) - len(self._taken) <= most, "a published message was not taken")
        still = left()
        refused = [code for code in self._taken.values() if code >= FAILED]
        self._taken.clear()
        if refused:
            raise NotServed(f"a published message was refused with {refused[0]:#04x}")
        return still

    def _ping(self, patience: Patience | None = None) -> None:
        wanted = self._pongs + 1
        self._send(mqtt5.PingReqPacket().write())
        self._await(lambda: self._pongs >= wanted, "no answer to PINGREQ", patience)

    def _await(self, there: Callable[[], bool], what: str, patience: Patience | None = None) -> None:
        patience = patience or Patience(self._waits)
        while not there():
            self._step(min(patience.rest_s, LOOK_S), patience, what)

    def _step(self, timeout_s: float, patience: Patience, what: str) -> None:
        """Reads once. Raises NotServed where the connection is over, or there is no time left."""
        if self.gone:
            raise self._over(f"{what}: {self.ended}")
        if patience.rest_s <= 0:
            ended = patience.end(what)
            self._end(str(ended))
            raise ended
        unsent = self._link.unsent
        if self._pump(timeout_s) or self._link.unsent < unsent:
            patience.restart()

    def _over(self, why: str) -> NotServed:
        return TakenOver(why) if self.taken_over else NotServed(why)

    def _send(self, data: bytes) -> None:
        if self.gone:
            raise self._over(self.ended)
        try:
            self._link.send(data)
        except (LinkLost, OSError) as error:
            self._lose(error)
            raise NotServed(self.ended) from None

    def _pump(self, timeout_s: float) -> bool:
        """Reads what comes within `timeout_s`; whether anything came. The end of the connection is noted."""
        try:
            if not self._link.wait(max(timeout_s, 0.001), reading=True):
                return False
            data = self._link.receive(CHUNK_BYTES)
            self._buffer += data
            self._take_all()
            return bool(data)
        except (LinkLost, OSError) as error:
            self._lose(error)
        except WireError as error:
            self._end(str(error))
        return False

    def _lose(self, error: Exception) -> None:
        self.unsaid = not self.gone
        self._end(str(error))

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self.gone = True
        self._link.close()

    def _take_all(self) -> None:
        view = memoryview(self._buffer)
        at = 0
        while len(view) - at >= 2 and (length := frame_length(view[at:])) and at + length <= len(view):
            self._take(view[at : at + length])
            at += length
        self._buffer = self._buffer[at:]

    def _take(self, frame: memoryview) -> None:
        if frame[0] >> 4 == _PUBACK:  # mosquitto refuses with codes the codec does not know
            self._taken[int.from_bytes(frame[2:4], "big")] = frame[4] if len(frame) > 4 else 0
            return
        packet = speech.read(frame)
        if isinstance(packet, mqtt5.PublishPacket):
            self.messages.append(packet)
        elif isinstance(packet, mqtt5.ConnAckPacket):
            self._greeting = packet
        elif isinstance(packet, mqtt5.SubAckPacket):
            self._granted = [int(code) for code in packet.reason_codes]
        elif isinstance(packet, mqtt5.PingRespPacket):
            self._pongs += 1
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self.taken_over = int(packet.reason_code) == TAKEN_OVER
            self._end(f"the broker says: {speech.words(packet.reason_code.name, packet.reason_str)}")


def _do(error: Exception) -> str:
    said = error.do if isinstance(error, LinkLost) else ""
    return f"; {said}" if said else ""
