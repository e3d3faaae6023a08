"""Changes after which somebody may have nobody left: said, and the worst of them refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import Connection

from devices.commands.desk import Desk, changing, looking, now_us
from devices.registry.losses import alone_now, codes_of, keeping_a_desk, some_of

ForceOption = Annotated[
    bool, typer.Option("--force", help="even if no duty desk that can be reached is left")
]


@dataclass(slots=True)
class Loss:
    """The transaction of a change, and after it the codes of places left with nobody to tell at once."""

    connection: Connection
    left_alone: tuple[str, ...] = ()


@contextmanager
def losing(desk: Desk, *, force: bool) -> Iterator[Loss]:
    """One write transaction for a change that takes somebody away; says on stderr who is left alone by it.

    Refuses, as `changing` does, where the last duty desk that can be reached would go, unless `force`. Who is
    left alone is asked before and after, outside the write transaction: what others change in between may be
    among it.
    """
    with looking(desk) as connection:
        before = alone_now(connection, now_us())
    with changing(desk) as connection, keeping_a_desk(connection, now_us(), force=force):
        loss = Loss(connection)
        yield loss
    with looking(desk) as connection:
        loss.left_alone = codes_of(alone_now(connection, now_us()) - before)
    if loss.left_alone:
        typer.echo(f"nobody can be told at once any more for {some_of(loss.left_alone)}", err=True)
