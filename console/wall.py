"""The screen on the wall of the command room: what is open first and large, all other buildings calmly below.

Nobody touches it: it keeps itself true, and where not all fits it turns its own pages (`static/wall.js`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Engine
from starlette.responses import Response

from alerts.dwelling_states import DwellingState, Fact
from alerts.dwelling_states_homes import House
from alerts.dwelling_states_picture import Picture
from alerts.plain_words import unknown_place
from console import facade_words as words
from console.facade_living import Asked, Living, Seen, User
from console.places import Tile, natural, tile_of
from devices.database import reading
from devices.model import AreaLevel

LINES: Final = 3
"""Of one building's facts, the worst (chosen: what can be read from five metres on a card)."""
CARDS: Final = 60
"""Large cards, the most urgent (chosen: two minutes of pages); the others stand first among the small."""
TILES: Final = 600
"""Buildings below, the most urgent (as `console.places.DRAWN`)."""


@dataclass(frozen=True, slots=True)
class Said:
    """One loud fact and where it is, in words."""

    place: str
    fact: Fact

    @property
    def order(self) -> tuple[int, int, int]:
        """The worst first."""
        return self.fact.order


@dataclass(frozen=True, slots=True)
class Card:
    """A building with something open, or a place that nobody registered (`tile` is None). `more`: facts that
    are left out."""

    place: str
    href: str
    tile: Tile | None
    facts: tuple[Said, ...]
    more: int = 0


def wall_routes(living: Living, engine: Engine) -> APIRouter:
    """`/wall` and its fragment."""
    routes = APIRouter()

    @routes.get("/wall")
    def wall(request: Request, user: User) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            fragment = living.fragment(asked, "_facade_wall.html", 0, partial(_wall, asked))
            return living.page(connection, asked, "wall.html", fragment, {})

    @routes.get("/wall/fragment")
    def wall_fragment(request: Request, user: User, seen: Seen = "") -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
        fragment = living.fragment(asked, "_facade_wall.html", 0, partial(_wall, asked))
        return fragment.answer(seen, asked.now_us)

    return routes


def _wall(asked: Asked) -> Mapping[str, Any]:
    houses = sorted(asked.houses(), key=lambda house: _standing_in(asked, house))
    loud = [house for house in houses if asked.picture.summary(house.id).is_loud]
    cards = [*_strays(asked), *(_card(asked, house) for house in loud)]
    cards.sort(key=lambda one: one.facts[0].order)
    on_cards = {card.tile.house.id for card in cards[:CARDS] if card.tile}
    rest = [house for house in houses if house.id not in on_cards]
    if len(cards) > CARDS or len(rest) > TILES:
        rest.sort(key=lambda house: asked.picture.summary(house.id).state.urgency)
    return {
        "cards": cards[:CARDS],
        "more_cards": max(len(cards) - CARDS, 0),
        "tiles": [tile_of(asked, house, _area(asked, house)) for house in rest[:TILES]],
        "more": max(len(rest) - TILES, 0),
        "summary": asked.summed(iter(houses)),
        "houses": len(houses),
        "states": list(DwellingState),
    }


def _standing_in(asked: Asked, house: House) -> tuple[list[list[tuple[int, str]]], list[tuple[int, str]]]:
    """In the order of areas, then of their buildings: each stays where people know it."""
    return [natural(node.code) for node in asked.way(house.area_id)], natural(house.code)


def _area(asked: Asked, house: House) -> str:
    """The community a building lies in, else the lowest area that has a name for this user."""
    way = asked.way(house.area_id)
    names = [node.name for node in way if node.level == AreaLevel.COMMUNITY] or [n.name for n in way]
    return names[-1] if names else ""


def _strays(asked: Asked) -> Iterator[Card]:
    """What is at no known place is seen by whoever sees everywhere (`alerts.in_scope`)."""
    if not asked.user.scope.everywhere:
        return
    for one in asked.picture.strays:
        if one.fact.is_loud:
            place = unknown_place(one.place.partition(":")[2], "", asked.language)
            yield Card(place, f"/incident/{one.fact.incident_id}", None, (Said("", one.fact),))


def _card(asked: Asked, house: House) -> Card:
    said = sorted(_said(asked.picture, house, asked.language), key=lambda one: one.order)
    between = " " if asked.language == words.CHINESE else ", "
    place = between.join(filter(None, (_area(asked, house), house.name)))
    return Card(
        place, f"/building/{house.id}", tile_of(asked, house), tuple(said[:LINES]), max(len(said) - LINES, 0)
    )


def _said(picture: Picture, house: House, language: str) -> Iterator[Said]:
    common = words.said(language, "facade.common")
    between = " " if language == words.CHINESE else ", "
    for fact in picture.of_common(house.id).facts:
        if fact.is_loud:
            yield Said(common, fact)
    for steps in house.steps:
        for fact in picture.of_stair(steps.id).facts:
            if fact.is_loud:
                yield Said(between.join((steps.name, common)), fact)
    stairs = {steps.id: steps.name for steps in house.steps}
    for home, found in picture.unquiet(house):
        for fact in found.facts:
            if fact.is_loud:
                yield Said(between.join((stairs[home.stair_id], words.home_words(home, language))), fact)
