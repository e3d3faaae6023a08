"""The pages of one building and of one dwelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from alerts.dwelling_states import DwellingState, Standing
from alerts.dwelling_states_homes import Home, House
from alerts.dwelling_states_picture import Picture
from console import facade_words as words
from console.facade_card import card_of
from console.facade_drawing import Texts, large
from console.facade_living import Asked, Living, PlaceId, Seen, User
from console.facade_sighted import sighted
from console.settings import ConsoleSettings
from console.values_gate import Gate
from devices.database import reading

LISTED: Final = 60
"""Rows of what is not quiet (chosen: more than a screen; all dwellings are in the list below it)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A dwelling, or the common parts of a stair or a building, as a list tells it."""

    stair: str
    place: str
    flat: str
    found: Standing
    href: str

    @property
    def since_us(self) -> int:
        """Since when the worst of it; 0 where nobody knows."""
        return self.found.facts[0].since_us if self.found.facts else 0


def facade_routes(living: Living, engine: Engine, settings: ConsoleSettings) -> APIRouter:
    """`/building/{id}` and `/dwelling/{id}`, each with its fragment, and what the devices of a dwelling said
    last."""
    routes, gate = APIRouter(), Gate()

    @routes.get("/building/{building_id}")
    def building(request: Request, user: User, building_id: PlaceId) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            house = _house(asked, building_id)
            fragment = living.fragment(
                asked, "_facade_building.html", house.id, partial(_building, asked, house)
            )
            values = {"house": house, "way": asked.way(house.area_id)}
            return living.page(connection, asked, "building.html", fragment, values)

    @routes.get("/building/{building_id}/fragment")
    def building_fragment(request: Request, user: User, building_id: PlaceId, seen: Seen = "") -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            house = _house(asked, building_id)
        fragment = living.fragment(asked, "_facade_building.html", house.id, partial(_building, asked, house))
        return fragment.answer(seen, asked.now_us)

    @routes.get("/dwelling/{dwelling_id}")
    def dwelling(request: Request, user: User, dwelling_id: PlaceId) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            house, home = _home(asked, dwelling_id)
            card = card_of(connection, asked, home)
            fragment = living.fresh(
                asked, "_facade_dwelling.html", {"card": card, **_dwelling(asked, house, home)}
            )
            way, place = asked.way(house.area_id), _place(house, home, asked.language)
            values = {"house": house, "home": home, "way": way, "place": place}
            return living.page(connection, asked, "dwelling.html", fragment, values)

    @routes.get("/dwelling/{dwelling_id}/fragment")
    def dwelling_fragment(request: Request, user: User, dwelling_id: PlaceId, seen: Seen = "") -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            house, home = _home(asked, dwelling_id)
            card = card_of(connection, asked, home)
        values = {"card": card, **_dwelling(asked, house, home)}
        return living.fresh(asked, "_facade_dwelling.html", values).answer(seen, asked.now_us)

    @routes.get("/dwelling/{dwelling_id}/devices")
    def devices(request: Request, user: User, dwelling_id: PlaceId) -> Response:
        with reading(engine) as connection:
            asked = living.asked(connection, request, user)
            _, home = _home(asked, dwelling_id)
            card = card_of(connection, asked, home)
        newest = sighted(engine, settings.histories, gate, [one.uid for one in card.devices])
        return living.pages.render(request, "_facade_devices.html", user, card=card, newest=newest)

    return routes


def _house(asked: Asked, house_id: int) -> House:
    house = asked.house(house_id)
    if house is None:
        raise HTTPException(404)
    return house


def _home(asked: Asked, dwelling_id: int) -> tuple[House, Home]:
    estate = asked.picture.estate
    house, home = asked.house(estate.house_of.get(dwelling_id, 0)), estate.home(dwelling_id)
    if house is None or home is None:
        raise HTTPException(404)
    return house, home


def _place(house: House, home: Home, language: str) -> str:
    stair = next(one.name for one in house.steps if one.id == home.stair_id)
    parts = house.name, stair, words.home_words(home, language)
    return (" " if language == words.CHINESE else ", ").join(filter(None, parts))


def _dwelling(asked: Asked, house: House, home: Home) -> Mapping[str, Any]:
    return {"home": home, "house": house, "found": asked.picture.of(home)}


def _building(asked: Asked, house: House) -> Mapping[str, Any]:
    picture, language = asked.picture, asked.language
    summary = picture.summary(house.id)
    texts = Texts(
        label=f"{house.name}: {words.summary_words(summary, language)}",
        title=lambda home, found: (
            f"{words.home_words(home, language)} · {words.standing_words(found, language)}"
        ),
        floor=words.floor_mark,
        common=lambda name, found: (
            f"{name} {words.said(language, 'facade.common')} · {words.standing_words(found, language)}"
        ),
    )
    rows = sorted(_rows(picture, house, language), key=_urgency)
    unquiet = [row for row in rows if row.found.state not in (DwellingState.QUIET, DwellingState.NO_DEVICE)]
    return {
        "house": house,
        "drawn": large(house, picture, texts),
        "summary": summary,
        "unquiet": unquiet[:LISTED],
        "more": max(len(unquiet) - LISTED, 0),
        "rows": [row for row in _rows(picture, house, language) if row.flat],
        "states": list(DwellingState),
    }


def _urgency(row: Row) -> tuple[int, int, int]:
    return row.found.facts[0].order if row.found.facts else (len(DwellingState), 0, 0)


def _rows(picture: Picture, house: House, language: str) -> Iterator[Row]:
    """Common parts where they are not quiet, then every dwelling: stairs in order, floors from the top."""
    common = words.said(language, "facade.common")
    if (found := picture.of_common(house.id)).facts:
        yield Row("", common, "", found, _href(found, ""))
    for steps in house.steps:
        if (found := picture.of_stair(steps.id)).facts:
            yield Row(steps.name, common, "", found, _href(found, ""))
        for home in sorted(steps.homes, key=lambda one: -one.floor):
            found = picture.of(home)
            floor = words.floor_words(home.floor, language)
            yield Row(steps.name, floor, home.flat, found, _href(found, f"/dwelling/{home.id}"))


def _href(found: Standing, otherwise: str) -> str:
    return f"/incident/{found.incident_id}" if found.incident_id else otherwise
