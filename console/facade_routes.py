"""All pages with pictures of buildings, put together."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import Engine

from console.facade import facade_routes
from console.facade_living import Living
from console.pages import Pages
from console.places import places_routes
from console.positions import Positions
from console.settings import ConsoleSettings
from console.wall import wall_routes


def picture_routes(
    pages: Pages, engine: Engine, positions: Positions, settings: ConsoleSettings
) -> APIRouter:
    """`/places`, `/building`, `/dwelling` and `/wall`; they share one picture of the site."""
    routes, living = APIRouter(), Living(pages, engine, positions)
    for one in (
        places_routes(living, engine), facade_routes(living, engine, settings), wall_routes(living, engine)
    ):  # fmt: skip
        routes.include_router(one)
    return routes
