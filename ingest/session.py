"""One connection's MQTT side: greeting, reading, acknowledging, signs of life.

Errors (all end the connection; `Ended` is a LinkLost):
* Ended: the broker refused us, left, or fell silent.
  * TakenOver: somebody else uses our client id.
* WireError (ingest/packets.py): what came is not MQTT 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ingest import wire
from ingest.link import Link, LinkLost
from ingest.pace import Backlog, Heartbeat, Outflow
from ingest.packets import Connack, Control, Pong, Received, Suback, Unsuback, WireError
from ingest.source_settings import SourceSettings, log_of
from ingest.subscriptions import Subscriptions

READ_BYTES: Final = 1 << 20
"""At most so much is read in one poll, so that a flood cannot make one tick huge (chosen: some 5,000
messages, under 10 ms of parsing)."""
CHUNK_BYTES: Final = 1 << 16
HANDSHAKE_TIMEOUT_S: Final = 15.0
"""From connected to CONNACK (chosen: a broker that loads a large store answers late)."""
CLOSE_TIMEOUT_S: Final = 0.5


class Ended(LinkLost):
    """The broker refused us, left, or fell silent; the text says which."""


class TakenOver(Ended):
    """Somebody else connected with our client id."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read gave, out of `size` bytes. With `failure` the connection is over after it."""

    messages: Received
    size: int
    queued: bool
    failure: LinkLost | WireError | None


class Session:
    """A connected link that speaks MQTT 5. Start a new one for each connection.

    `greeting` is the accepted CONNACK, None before it; `subscriptions` begin with it. `uncommitted` counts
    QoS 1 messages read and not acknowledged. `proven` is the commit number below which every acknowledgement
    has arrived, or its message has come again on this connection.
    """

    def __init__(self, link: Link, settings: SourceSettings, monotonic: Callable[[], float]) -> None:
        self.greeting: Connack | None = None
        self.uncommitted = 0
        self.proven = 0
        self.opened_at = monotonic()
        self._link, self._settings, self._monotonic = link, settings, monotonic
        self._wire = wire.Wire(settings.max_packet_bytes)
        self._heartbeat = Heartbeat(settings.keep_alive_s, self.opened_at)
        self._outflow = Outflow(settings.unsent_max, settings.keep_alive_s, self.opened_at)
        self._backlog = Backlog(settings.receive_maximum, session_present=False, now=self.opened_at)
        self.subscriptions = Subscriptions(settings, link.send, monotonic)
        self._log = log_of(settings)
        link.send(_connect(settings))

    @property
    def salvaged(self) -> int:
        """Messages so far that the codec refused and that were delivered all the same."""
        return self._wire.salvaged

    def beat(self, commits: int) -> None:
        """Does what time asks for: a PINGREQ, a filter tried again. `commits` is the newest commit's number.

        Raises Ended without a CONNACK in time, and where the broker does not take what we answer
        (UNSENT_MAX).
        """
        now = self._monotonic()
        if self._outflow.stuck(self._link.unsent, now):
            raise Ended("the broker does not read what we answer")
        if self.greeting is None:
            if now - self.opened_at > HANDSHAKE_TIMEOUT_S:
                raise Ended("no answer to CONNECT")
            return
        self.subscriptions.beat(now)
        idle = self.uncommitted == 0
        urgent = idle and self._backlog.queued(now)
        if self._heartbeat.due(now, unconfirmed=self.proven < commits, urgent=urgent):
            if idle:
                self._backlog.round_started()
            self._heartbeat.asked(now, commits)
            self._link.send(wire.PINGREQ)

    def tend(self, commits: int) -> None:
        """Keeps the connection alive while nothing may be read: a PINGREQ when due. Raises LinkLost."""
        now = self._monotonic()
        if self.greeting is not None and self._heartbeat.due_unread(now):
            self._heartbeat.asked(now, commits)
            self._link.send(wire.PINGREQ)

    def away(self) -> None:
        """Nobody looked for a while: what is read next is queued, as after connecting to a known session."""
        self._backlog.away(self._monotonic())

    def wait(self, timeout_s: float) -> bool:
        """Waits until there is something to read; False when not, or when enough is uncommitted.

        Raises Ended when there is nothing and has not been for too long. Not asked for a while, we may find
        much to read: only looking proves silence.
        """
        reading = self._reads
        found = self._link.wait(timeout_s, reading=reading)
        if not reading:
            self._heartbeat.heard(self._monotonic())
        elif not found and self._heartbeat.dead(self._monotonic()):
            raise Ended("the broker is silent")
        return found

    @property
    def pending(self) -> bool:
        """Whether there is something to read that the socket does not know of."""
        return self._reads and self._link.pending

    @property
    def interest(self) -> tuple[int, int]:
        """The socket to wait for, and for what: a mask of `select.poll`."""
        return self._link.fileno(), self._link.interest(reading=self._reads)

    @property
    def _reads(self) -> bool:
        settings = self._settings
        return self.uncommitted < settings.receive_maximum and self._link.unsent <= settings.unsent_max

    def read(self) -> Reading:
        """Reads what is there, READ_BYTES or the room for uncommitted messages at most (plus one chunk).

        What came before a failure is still given: a QoS 0 message comes only once.
        """
        room = self._settings.receive_maximum - self.uncommitted
        queued = self._backlog.queued(self._monotonic())
        got, total = Received(), 0
        failure: LinkLost | WireError | None = None
        try:
            while total < READ_BYTES and len(got) < room:
                chunk = self._link.receive(CHUNK_BYTES)
                if not chunk:
                    break
                total += len(chunk)
                part = self._wire.feed(chunk)
                got.extend(part)
                self._backlog.arrived(len(part))
                for control in part.controls:
                    self._take(control)
                queued = queued or self._backlog.queued(self._monotonic())
                if not self._link.more:
                    break
            failure = self._wire.broken
        except (LinkLost, WireError) as error:
            failure = error
        if total:
            self._heartbeat.heard(self._monotonic())
        self.uncommitted += len(got) - got.packet_ids.count(0)
        return Reading(got, total, queued, failure)

    def acknowledge(self, packet_ids: Sequence[int]) -> int:
        """Sends the PUBACKs in one write, or keeps what the socket does not take; says how many."""
        acknowledgements = wire.pubacks(packet_ids)
        sent = len(acknowledgements) // 4
        self.uncommitted -= sent
        self._link.send(acknowledgements)
        return sent

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends a message at QoS 0 behind what is unsent. Nobody says whether it arrived."""
        self._link.send(wire.publish(topic, payload))

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return self._link.unsent

    def close(self) -> None:
        """Says goodbye after a short try to send what is unsent. The broker keeps the session."""
        try:
            self._link.send(wire.DISCONNECT)
            until = self._monotonic() + CLOSE_TIMEOUT_S
            while self._link.unsent and self._monotonic() < until:
                self._link.wait(CLOSE_TIMEOUT_S, reading=False)
        except LinkLost as lost:
            self._log.warning("broker_left_first", reason=str(lost))
        self.drop()

    def drop(self) -> None:
        """Lets go of the connection as it is."""
        self._link.close()

    def _take(self, control: Control) -> None:
        if isinstance(control, Connack):
            self._greet(control)
        elif isinstance(control, Suback):
            self.subscriptions.answered(control)
        elif isinstance(control, Unsuback):
            self.subscriptions.freed(control)
        elif isinstance(control, Pong):
            mark = self._heartbeat.answered()
            if mark is not None:
                self.proven = mark
                self._backlog.round_ended()
        elif control.taken_over:
            raise TakenOver(control.reason)
        else:
            raise Ended(f"the broker says: {control.reason}")

    def _greet(self, connack: Connack) -> None:
        if not connack.accepted:
            raise Ended(f"the broker refuses us: {connack.reason}")
        now, wanted_s = self._monotonic(), self._settings.session_expiry_s
        kept_s = wanted_s if connack.session_expiry_s is None else connack.session_expiry_s
        if kept_s < wanted_s:
            self._log.warning("broker_keeps_session_shorter", seconds=kept_s, wanted=wanted_s)
        self.greeting = connack
        self._heartbeat = Heartbeat(connack.keep_alive_s or self._settings.keep_alive_s, now)
        self._backlog = Backlog(
            self._settings.receive_maximum, session_present=connack.session_present, now=now
        )
        self.subscriptions.begin()


def _connect(settings: SourceSettings) -> bytes:
    return wire.connect(
        settings.client_id,
        username=settings.username,
        password=settings.password,
        clean_start=False,
        keep_alive_s=settings.keep_alive_s,
        session_expiry_s=settings.session_expiry_s,
        receive_maximum=settings.receive_maximum,
        max_packet_bytes=settings.max_packet_bytes,
    )
