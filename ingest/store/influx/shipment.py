"""A load of the journal on its way to a server, as bodies of lines, several requests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ingest.store.influx.putting import Outcasts, Putting, RefusedLine
from ingest.store.influx.server import Later, Post
from ingest.store.road import Load


@dataclass(slots=True)
class Shipment:
    """`live`: of the live road. `points` are written, `unnamed` of series that nobody knows. `since_s`: when
    it was begun."""

    load: Load
    live: bool
    points: int
    unnamed: int
    since_s: float
    _making: Iterable[Putting]
    _made: list[Putting] = field(default_factory=list)
    advanced: bool = False
    """Whether the last `send` got anything of it into the server."""

    def send(
        self, threads: Executor, post: Post, outcasts: Outcasts, meanwhile: Callable[[], None]
    ) -> Later | None:
        """Posts what is left, bodies as they are made. After the first that is not answered the others are
        not sent: the server has trouble enough. Later: the next call goes on.

        `meanwhile`, which raises nothing, is called when the last body is on its way: the server would have
        nothing to do while the next load is read.
        """
        stopped: list[Later] = []

        def go_on(body: Putting) -> None:
            trouble = stopped[0] if stopped else body.go_on(post, outcasts)
            if trouble:
                stopped.append(trouble)

        left = sum(1 for body in self._made if not body.done)
        sent = [threads.submit(go_on, body) for body in self._made if not body.done]
        for body in self._making:
            self._made.append(body)
            left += 1
            sent.append(threads.submit(go_on, body))
        self._making = ()
        meanwhile()
        for one in sent:
            one.result()
        self.advanced = sum(1 for body in self._made if not body.done) < left
        return stopped[0] if stopped else None

    @property
    def refused(self) -> list[RefusedLine]:
        """What the server did not take."""
        return [line for body in self._made for line in body.refused]

    @property
    def was_long(self) -> bool:
        """Whether bodies of it got no answer and were cut."""
        return any(body.was_long for body in self._made)

    @property
    def taken(self) -> bool:
        """Whether the server took anything of it."""
        return any(body.taken for body in self._made)
