"""The pages that lead from the district to a building: areas, and their buildings as small façades."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from markupsafe import Markup
from sqlalchemy import Engine
from starlette.responses import Response

from alerts.dwelling_states import DwellingState, Summary, together
from alerts.dwelling_states_homes import House, Node
from console.facade_drawing import small
from console.facade_living import Asked, Living, PlaceId, Seen, User
from console.facade_words import summary_words
from devices.database import reading

DRAWN: Final = 600
"""Buildings drawn on one page, the most urgent (chosen: a district of them; each is about a kilobyte)."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A building as one of many. `area` is where it is, in words; empty where the page says so elsewhere."""

    house: House
    summary: Summary
    drawn: Markup
    area: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The buildings of one area; `way` are the areas from the page's own down to it, itself last."""

    way: tuple[Node, ...]
    summary: Summary
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """An area directly below the page's, and how many buildings lie in it."""

    node: Node
    summary: Summary
    houses: int


def places_routes(living: Living, engine: Engine) -> APIRouter:
    """`/places` from the user's top, `/places/{id}` of one area, and their fragments."""
    routes = APIRouter()

    def page(request: Request, user: User, area_id: int) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            way = _way(asked, area_id)
            fragment = living.fragment(
                asked, "_facade_places.html", area_id, partial(_places, asked, area_id)
            )
            return living.page(connection, asked, "places.html", fragment, {"way": way, "area_id": area_id})

    def part(request: Request, user: User, area_id: int, seen: str) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
        _way(asked, area_id)
        fragment = living.fragment(asked, "_facade_places.html", area_id, partial(_places, asked, area_id))
        return fragment.answer(seen, asked.now_us)

    @routes.get("/places")
    def top(request: Request, user: User) -> Response:
        return page(request, user, 0)

    @routes.get("/places/fragment")
    def top_fragment(request: Request, user: User, seen: Seen = "") -> Response:
        return part(request, user, 0, seen)

    @routes.get("/places/{area_id}")
    def one(request: Request, user: User, area_id: PlaceId) -> Response:
        return page(request, user, area_id)

    @routes.get("/places/{area_id}/fragment")
    def one_fragment(request: Request, user: User, area_id: PlaceId, seen: Seen = "") -> Response:
        return part(request, user, area_id, seen)

    return routes


def _way(asked: Asked, area_id: int) -> tuple[Node, ...]:
    """From the user's top to the area; 404 for one that this user does not see. 0 is above all."""
    way = asked.way(area_id) if area_id else ()
    if area_id and not way:
        raise HTTPException(404)
    return way


def _places(asked: Asked, area_id: int) -> Mapping[str, Any]:
    """What lies in an area, or for 0 in all that the user sees."""
    lies = {house.id: _within(asked, house, area_id) for house in asked.houses()}
    houses = [house for house in asked.houses() if lies[house.id] is not None]
    houses.sort(key=lambda house: (_urgency(asked.picture.summary(house.id)), natural(house.code)))
    grouped: dict[tuple[Node, ...], list[House]] = defaultdict(list)
    for house in houses[:DRAWN]:
        grouped[lies[house.id] or ()].append(house)
    groups = [_group(asked, way, here) for way, here in grouped.items()]
    groups.sort(key=lambda one: (_urgency(one.summary), [natural(node.code) for node in one.way]))
    return {
        "groups": groups,
        "below": list(_below(asked, area_id, houses)),
        "summary": asked.summed(iter(houses)),
        "houses": len(houses),
        "more": max(len(houses) - DRAWN, 0),
        "states": list(DwellingState),
    }


def _within(asked: Asked, house: House, area_id: int) -> tuple[Node, ...] | None:
    """The areas between the page's and the building; None where it does not lie there."""
    way = asked.way(house.area_id)
    if not area_id:
        return way
    for n, node in enumerate(way):
        if node.id == area_id:
            return way[n + 1 :]
    return None


def _urgency(one: Summary) -> int:
    """What is loud comes first; everything else stays where people know it."""
    return one.state.urgency if one.is_loud else len(DwellingState)


def _group(asked: Asked, way: tuple[Node, ...], houses: Sequence[House]) -> Group:
    tiles = tuple(tile_of(asked, house) for house in houses)
    return Group(way, together(tile.summary for tile in tiles), tiles)


def tile_of(asked: Asked, house: House, area: str = "") -> Tile:
    """A building as one of many."""
    summary = asked.picture.summary(house.id)
    label = f"{house.name}: {summary_words(summary, asked.language)}"
    return Tile(house, summary, small(house, asked.picture, label), area)


def _below(asked: Asked, area_id: int, houses: Sequence[House]) -> Iterator[Below]:
    """The areas directly below; those without a building are left out."""
    inside: dict[int, list[House]] = defaultdict(list)
    nodes: dict[int, Node] = {}
    for house in houses:
        if way := _within(asked, house, area_id):
            nodes[way[0].id] = way[0]
            inside[way[0].id].append(house)
    for node in sorted(nodes.values(), key=lambda one: natural(one.code)):
        here = inside[node.id]
        yield Below(node, asked.summed(iter(here)), len(here))


def natural(code: str) -> list[tuple[int, str]]:
    """In the order in which people count: `b2` before `b11`."""
    parts = re.findall(r"\d+|\D+", code)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]
