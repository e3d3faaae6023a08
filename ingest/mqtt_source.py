"""From the broker to raw messages: one MQTT 5 session, read and acknowledged a tick at a time.

Synchronous, one non-blocking socket, no thread but for name look-ups. The tick loop calls `poll`, journals
what came, and calls `commit`. Nothing is acknowledged before `commit`; what is not committed when a
connection ends comes again on the next one, with DUP set (ingest/redelivery.py tells it apart).
"""

from __future__ import annotations

import random
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from devices.profiles.profile import Reply
from ingest.dial import Dialer
from ingest.link import LinkLost
from ingest.look_up import LookUp, Resolve, system_addresses
from ingest.pace import PAUSE_S
from ingest.packets import WireError
from ingest.retrying import Retrying
from ingest.session import Session
from ingest.source import Progress, RawBatch
from ingest.source_settings import SourceSettings, log_of

REPLY_ROOM: Final = 1 << 20
"""Answers are sent while less than this waits for the socket: acknowledgements must not queue behind them
(chosen)."""
_uniform = random.SystemRandom().random


@dataclass(frozen=True, slots=True)
class SourceCounters:
    """Totals since start.

    `connected`: subscribed to every filter. `bytes` is all that was read from the socket. `malformed` counts
    connections ended by a WireError and messages salvaged. `sessions_lost`: the broker had forgotten us, and
    with that what it held.
    """

    connected: bool
    connects: int
    received: int
    bytes: int
    acked: int
    malformed: int
    sessions_lost: int


class MqttSource:
    """A `Source` on one MQTT 5 broker that reconnects by itself.

    `now_us` is wall-clock time in µs, `monotonic` seconds that never jump, `jitter` uniform in [0, 1).
    `resumes`: a former process had a session, so a broker that does not know it at the first connect has lost
    it. `resolve` is how a name is looked up. Raises nothing: every failure of the connection is logged and
    tried again with backoff.
    """

    def __init__(
        self,
        settings: SourceSettings,
        *,
        now_us: Callable[[], int],
        resumes: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = _uniform,
        resolve: Resolve = system_addresses,
    ) -> None:
        self._settings = settings
        self._look_up = LookUp(settings.host, settings.port, settings.transport, resolve)
        self._log = log_of(settings)
        self._now_us, self._monotonic = now_us, monotonic
        self._resumes = resumes
        self._looked_at = monotonic()
        self._retrying = Retrying(settings, jitter, monotonic())
        self._dialer: Dialer | None = None
        self._session: Session | None = None
        self._epoch = self._session_number = self._sessions_lost = 0
        self._commits = self._confirmed = 0
        self._received = self._bytes = self._acked = self._malformed = 0

    @property
    def progress(self) -> Progress:
        """As of the last poll or commit."""
        return Progress(self._session_number, self._commits, self._confirmed)

    @property
    def connected(self) -> bool:
        """Whether it hears what it should: connected, and subscribed to every filter."""
        return self._session is not None and self._session.subscriptions.granted

    @property
    def counters(self) -> SourceCounters:
        """Totals since start."""
        return SourceCounters(
            connected=self.connected,
            connects=self._epoch,
            received=self._received,
            bytes=self._bytes,
            acked=self._acked,
            malformed=self._malformed + (self._session.salvaged if self._session else 0),
            sessions_lost=self._sessions_lost,
        )

    def poll(self, timeout_s: float) -> RawBatch | None:
        """Waits at most `timeout_s` for something; gives what is there, None when nothing.

        While `receive_maximum` messages are uncommitted the socket is not read. A batch holds messages of
        one connection only. When more than PAUSE_S went by without looking at the socket, also because the
        process was stopped in here, what is read is queued.
        """
        try:
            if self._session is None:
                self._dial(timeout_s)
                return None
            self._note_pause(self._session, PAUSE_S)
            self._session.beat(self._commits)
            found = self._session.wait(timeout_s)
            self._note_pause(self._session, PAUSE_S + timeout_s)
            return self._read(self._session) if found else None
        except LinkLost as lost:
            self._lose(lost)
            return None
        finally:
            self._looked_at = self._monotonic()

    @property
    def held(self) -> tuple[str, ...]:
        """What the broker may hold subscriptions of ours to: all filters, and those it has not let go of
        yet."""
        settings, session = self._settings, self._session
        if session and session.subscriptions.clean:
            return settings.filters
        return tuple(dict.fromkeys((*settings.filters, *settings.gone)))

    def want(self, filters: tuple[str, ...]) -> None:
        """Other filters from now on, on this connection (as `Subscriptions.want` says) and on later ones."""
        gone = tuple(name for name in self.held if name not in filters)
        self._settings = replace(self._settings, filters=filters, gone=gone)
        if self._session:
            try:
                self._session.subscriptions.want(filters, gone)
            except LinkLost as lost:
                self._lose(lost)

    def reply(self, raw: RawBatch, replies: Sequence[Reply]) -> int:
        """Sends answers to the broker of the batch at QoS 0; how many it took. Waits for nothing.

        0 where the connection that the batch came on is over: they are not sent on another. What finds no
        room before the socket (REPLY_ROOM) is not sent.
        """
        session, sent = self._session, 0
        if session is None or raw.epoch != self._epoch:
            return 0
        try:
            for one in replies:
                if session.unsent > REPLY_ROOM:
                    break
                session.publish(one.topic, one.payload)
                sent += 1
        except LinkLost as lost:
            self._lose(lost)
        return sent

    @property
    def name(self) -> str:
        """The broker's name, empty for that of `[broker]`."""
        return self._settings.name

    def expect_session(self) -> None:
        """A former process had a session with this broker: see `resumes`."""
        self._resumes = True

    def join(self, poll: select.poll, longest_s: float) -> float:
        """Adds the socket that `poll` should wait for, if there is one; how long to wait at most.

        For waiting on several sources at once; after it, `poll(0)` does what is due.
        """
        if self._session:
            if self._session.pending:
                return 0.0
            poll.register(*self._session.interest)
            return longest_s
        if self._dialer and (link := self._dialer.link):
            if link.pending:
                return 0.0
            poll.register(link, link.interest(reading=False))
            return longest_s
        if self._dialer is None:
            return min(longest_s, max(0.0, self._retrying.at - self._monotonic()))
        return longest_s

    def tend(self) -> None:
        """Keeps the connection alive between polls: a PINGREQ when due. Reads nothing, does not wait."""
        if self._session is None:
            return
        try:
            self._session.tend(self._commits)
        except LinkLost as lost:
            self._lose(lost)

    def commit(self, raw: RawBatch) -> None:
        """Acknowledges the batch in one write; what the socket does not take now is sent by later polls.

        Ignored when the batch's connection is over: the broker sends its messages again.
        """
        if self._session is None or raw.epoch != self._epoch:
            return
        self._commits += 1
        try:
            self._acked += self._session.acknowledge(raw.packet_ids)
        except LinkLost as lost:
            self._lose(lost)

    def close(self) -> None:
        """Ends the connection, within half a second; the broker keeps the session."""
        if self._dialer:
            self._dialer.close()
        if self._session:
            self._session.close()
        self._dialer = self._session = None

    def _note_pause(self, session: Session, allowed_s: float) -> bool:
        """Whether more than `allowed_s` went by since the last look; this is a look."""
        now = self._monotonic()
        paused = now - self._looked_at > allowed_s
        self._looked_at = now
        if paused:
            session.away()
        return paused

    def _dial(self, timeout_s: float) -> None:
        """One step towards a connection: waiting for the next try, looking up, connecting."""
        if self._dialer is None:
            rest_s = self._retrying.at - self._monotonic()
            if rest_s > 0:
                time.sleep(min(rest_s, timeout_s))
                return
            self._dialer = Dialer(self._look_up, self._monotonic)
        link = self._dialer.step(timeout_s)
        if link:
            self._dialer = None
            self._session = Session(link, self._settings, self._monotonic)

    def _read(self, session: Session) -> RawBatch | None:
        greeted = session.greeting is not None
        reading = session.read()
        paused = self._note_pause(session, PAUSE_S)
        if session.greeting and not greeted:
            self._begin_epoch(session_present=session.greeting.session_present)
        self._confirmed = max(self._confirmed, session.proven)
        self._bytes += reading.size
        messages, raw = reading.messages, None
        if messages:
            self._received += len(messages)
            raw = RawBatch(
                received_us=self._now_us(),
                epoch=self._epoch,
                topics=messages.topics,
                payloads=messages.payloads,
                packet_ids=messages.packet_ids,
                retain=messages.retain,
                dup=messages.dup,
                queued=reading.queued or paused,
                source=self._settings.name,
            )
        if reading.failure:
            self._lose(reading.failure)
        return raw

    def _begin_epoch(self, *, session_present: bool) -> None:
        self._epoch += 1
        self._log.info("broker_connected", epoch=self._epoch, session_present=session_present)
        if session_present:
            return
        self._session_number += 1
        if self._epoch > 1 or self._resumes:
            self._sessions_lost += 1
            self._log.error(
                "broker_forgot_session",
                do="see persistence and session expiry of the broker; what it held for us is lost",
            )

    def _lose(self, why: LinkLost | WireError) -> None:
        """The connection is over: let go and set the time of the next try."""
        now = self._monotonic()
        self._malformed += isinstance(why, WireError)
        if self._session:
            self._malformed += self._session.salvaged
            if self._session.greeting:
                self._retrying.lived(now - self._session.opened_at)
            self._session.drop()
        self._dialer = self._session = None
        self._retrying.lost(why, now)
