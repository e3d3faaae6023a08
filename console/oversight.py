"""What is on nobody's screen, said on the board; worked out again when the registry changed."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from devices.overseen import Unseen, unseen
from devices.schema import registry_change


class Oversight:
    """`devices.overseen.unseen`, kept until the next change of the registry: boards ask ten times a second,
    and a hundred thousand buildings take a while. Threads may share one: at worst it is worked out twice."""

    def __init__(self) -> None:
        self._kept: tuple[int, Unseen] | None = None

    def __call__(self, connection: Connection) -> Unseen:
        """As the registry has it in this read."""
        version = connection.scalar(select(func.max(registry_change.c.id))) or 0
        kept = self._kept
        if kept is None or kept[0] != version:
            kept = self._kept = (version, unseen(connection))
        return kept[1]
