"""What one connection is subscribed to: asked for, granted, refused and asked for again, let go of.

Errors: what sending raises (LinkLost).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from ingest import wire
from ingest.packets import Suback, Unsuback
from ingest.source_settings import SourceSettings, log_of

RESUBSCRIBE_S: Final = 10.0
"""How long after a refused filter it is asked for again (chosen)."""
_NEVER: Final = float("inf")


class Subscriptions:
    """Of one connection, from its CONNACK (`begin`) on.

    `granted`: every filter is subscribed at QoS 1. `clean`: that, and the session holds no other. `send`
    sends bytes on the connection. Instants are `monotonic`'s, in seconds.
    """

    def __init__(
        self, settings: SourceSettings, send: Callable[[bytes], None], monotonic: Callable[[], float]
    ) -> None:
        self.granted = self.clean = False
        self._filters, self._gone = settings.filters, settings.gone
        self._send, self._monotonic = send, monotonic
        self._begun = False
        self._asked: dict[int, tuple[str, ...]] = {}
        """Filters that were asked for and not answered, by packet id."""
        self._refused: tuple[str, ...] = ()
        self._freeing: tuple[int, tuple[str, ...]] = (0, ())
        self._again_at = _NEVER
        self._log = log_of(settings)

    def begin(self) -> None:
        """The broker has accepted us: asks for all filters."""
        self._begun = True
        self._subscribe(self._filters)

    def beat(self, now: float) -> None:
        """Asks again for what was refused, when it is time to."""
        if now >= self._again_at:
            self._subscribe(self._refused)

    def want(self, filters: tuple[str, ...], gone: tuple[str, ...]) -> None:
        """Other filters from now on: new ones are subscribed to first, and `gone` ones let go of when all
        that are wanted are granted, so that at no time less is heard than what both sets have in common. A
        message that a new and an old filter match may come twice in between."""
        before = self._filters
        self._filters, self._gone = filters, gone
        self.clean, self._freeing = False, (0, ())
        if not self._begun:
            return
        self._refused = tuple(name for name in self._refused if name in filters)
        fresh = tuple(name for name in filters if name not in before)
        if fresh:
            self._subscribe(fresh)
        else:
            self._let_go()

    def answered(self, answer: Suback) -> None:
        """Filters that were refused are asked for again, the others stay subscribed."""
        refused = answer.refused(self._asked.pop(answer.packet_id, ()))
        for name, reason in refused:
            self._log.error(
                "subscription_refused",
                filter=name,
                reason=reason,
                do="allow this user to subscribe to it at QoS 1; its messages do not arrive",
                again_in_s=RESUBSCRIBE_S,
            )
        if again := [name for name, _ in refused if name in self._filters]:
            self._refused = tuple(dict.fromkeys([*self._refused, *again]))
            self._again_at = self._monotonic() + RESUBSCRIBE_S
        self._let_go()

    def freed(self, answer: Unsuback) -> None:
        """The session is free of what was let go of, unless something else is to go by now."""
        asked, freed = self._freeing
        if answer.packet_id == asked and freed == self._gone:
            self._freeing = 0, freed
            self.clean = self.granted
            self._log.info("broker_unsubscribed", filters=list(freed))

    def _subscribe(self, filters: tuple[str, ...]) -> None:
        self._again_at = _NEVER
        self._refused = tuple(name for name in self._refused if name not in filters)
        if not filters:
            self._let_go()
            return
        self.granted = False
        packet_id = self._next_id()
        self._asked[packet_id] = filters
        self._send(wire.subscribe(packet_id, filters))

    def _next_id(self) -> int:
        """The first that no open question bears; we send nothing else with a packet id."""
        return next(n for n in count(1) if n not in self._asked and n != self._freeing[0])

    def _let_go(self) -> None:
        """Frees the session of what is not wanted, once all that is wanted is granted."""
        self.granted = self._begun and not self._asked and not self._refused
        if not self.granted:
            return
        gone = self._gone
        self.clean = not gone
        if gone and self._freeing[1] != gone:
            self._freeing = self._next_id(), gone
            self._send(wire.unsubscribe(*self._freeing))
