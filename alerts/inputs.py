"""The way back: what people decided that the engine must know, read by ingest at each tick."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from alerts.case import Input
from alerts.schema import engine_input
from devices.model import EngineInput, InputKind


def inputs_after(connection: Connection, after_id: int) -> list[EngineInput]:
    """Every engine input with an id above `after_id`, in id order."""
    rows = connection.execute(
        select(engine_input).where(engine_input.c.id > after_id).order_by(engine_input.c.id)
    )
    return [
        EngineInput(row.id, row.at_us, InputKind(row.kind), row.rule, row.slot, row.place) for row in rows
    ]


def store_inputs(connection: Connection, inputs: Sequence[tuple[int, Input]]) -> None:
    """Writes inputs, each with its incident's id; ids grow in the order given."""
    if inputs:
        connection.execute(
            insert(engine_input),
            [
                {
                    "at_us": one.at_us,
                    "kind": str(one.kind),
                    "rule": one.rule,
                    "slot": one.slot,
                    "place": one.place,
                    "incident_id": incident_id,
                }
                for incident_id, one in inputs
            ],
        )
