"""Several brokers as one source of ticks, none of which can hold up or starve another."""

from __future__ import annotations

import math
import select
from collections.abc import Sequence

from devices.profiles.profile import Reply
from ingest.mqtt_source import MqttSource, SourceCounters
from ingest.source import Progress, RawBatch


class Sources:
    """A `TickSource` of one or more brokers, each with a name, a session and a connection of its own.

    A batch is always of one broker, and commits go to the broker and the connection it came from. Each poll
    begins with the broker behind the one that gave last, so one that floods us gives every other batch at
    most while another has something. One that is away, slow or dialing is only looked at.

    Memory: one batch is in hand at a time, whatever the number of brokers: what one read brought, 1 MiB and
    one chunk of 64 KiB at most. For each broker, besides the socket's buffers: one packet that is not
    complete (`max_packet_bytes`), acknowledgements that the socket did not take (4 bytes a message; with more
    than UNSENT_MAX, 16 MiB, nothing is read until some are taken), with a WebSocket 64 KiB, with TLS twice
    64 KiB and OpenSSL's buffers, and 850 kB of redelivery tail.

    Cost of a poll that finds nothing: 7 µs with one broker, 19 with two, 137 with sixteen (measured).
    Names are unique.
    """

    def __init__(self, sources: Sequence[MqttSource]) -> None:
        self._by_name = {source.name: source for source in sources}
        self._turns = list(sources)
        self._only = self._turns[0] if len(self._turns) == 1 else None
        self._last = self._turns[0]

    @property
    def progress(self) -> Progress:
        """Of the broker whose batch was given or committed last."""
        return self._last.progress

    @property
    def counters(self) -> dict[str, SourceCounters]:
        """Totals since start by the broker's name."""
        return {name: source.counters for name, source in self._by_name.items()}

    @property
    def connected(self) -> dict[str, bool]:
        """Whether each broker is connected and subscribed, by its name."""
        return {name: source.connected for name, source in self._by_name.items()}

    def poll(self, timeout_s: float) -> RawBatch | None:
        """Waits at most `timeout_s` for any of them; one's batch, None when nothing is there.

        With one broker this is its own poll and costs nothing more.
        """
        if self._only:
            return self._only.poll(timeout_s)
        self._wait(timeout_s)
        for place, source in enumerate(self._turns):
            raw = source.poll(0.0)
            if raw is not None:
                self._last = source
                self._turns = self._turns[place + 1 :] + self._turns[: place + 1]
                return raw
        return None

    def commit(self, raw: RawBatch) -> None:
        """Acknowledges the batch to its own broker; ignored when its connection is over."""
        self._last = self._by_name[raw.source]
        self._last.commit(raw)

    def reply(self, raw: RawBatch, replies: Sequence[Reply]) -> int:
        """Sends answers to the broker of the batch, as `MqttSource.reply` does; how many it took."""
        return self._by_name[raw.source].reply(raw, replies)

    def want(self, filters: tuple[str, ...]) -> None:
        """Other filters from now on, on every broker."""
        for source in self._turns:
            source.want(filters)

    @property
    def held(self) -> dict[str, tuple[str, ...]]:
        """What each broker may hold subscriptions of ours to, by its name."""
        return {name: source.held for name, source in self._by_name.items()}

    def tend(self) -> None:
        """Keeps all connections alive while a batch waits."""
        for source in self._turns:
            source.tend()

    def close(self) -> None:
        """Ends all connections, within half a second each; the brokers keep the sessions."""
        for source in self._turns:
            source.close()

    def expect_sessions(self, names: frozenset[str]) -> None:
        """A former process had sessions with these brokers: one that does not know us has lost something."""
        for name in names & self._by_name.keys():
            self._by_name[name].expect_session()

    def _wait(self, timeout_s: float) -> None:
        """Until one of the sockets has something, or something is due: a try to connect, what is unread."""
        poll = select.poll()
        for source in self._turns:
            timeout_s = source.join(poll, timeout_s)
        poll.poll(math.ceil(timeout_s * 1000))
