"""Options that narrow a list to a place, and what several commands of places share."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.model import PlaceKind
from devices.registry.within import Place

Code = Annotated[str, typer.Argument(help="its code")]
Name = Annotated[str, typer.Option("--name", help="as people call it")]
InArea = Annotated[str | None, typer.Option("--area", help="only within the area of this code")]
InBuilding = Annotated[str | None, typer.Option("--building", help="only within the building of this code")]
InStair = Annotated[str | None, typer.Option("--stair", help="only on the stair of this code")]
InDwelling = Annotated[str | None, typer.Option("--dwelling", help="only in the dwelling of this code")]


def narrowed(
    area: str | None, building: str | None = None, stair: str | None = None, dwelling: str | None = None
) -> Place | None:
    """The place that was named, if any; wrong usage (exit code 2) when there are several."""
    codes = (area, building, stair, dwelling)
    named = [Place(kind, code) for kind, code in zip(PlaceKind, codes, strict=True) if code is not None]
    if len(named) > 1:
        raise typer.BadParameter("name one place at most: the narrowest")
    return named[0] if named else None


def something(*given: object) -> None:
    """Wrong usage (exit code 2) when nothing was said that is to change."""
    if all(one is None for one in given):
        raise typer.BadParameter("say what is to change")


def outcome(changed: bool, line: str) -> str:
    """The sentence for a change, or that there was none."""
    return line if changed else f"{line}: nothing differed"


def hangs(dwelling: str, stair: str, building: str) -> str:
    """Where a device hangs, by its one code: `stair b3-s2`."""
    codes = {"dwelling": dwelling, "stair": stair, "building": building}
    return next((f"{kind} {code}" for kind, code in codes.items() if code), "nowhere")
