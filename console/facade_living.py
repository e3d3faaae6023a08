"""What the pages with pictures of buildings share: the picture as one user may see it, and the part of the
page that keeps itself true by the live stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from sqlalchemy import Connection, Engine, select
from starlette.responses import Response

from alerts.dwelling_states import Summary, together
from alerts.dwelling_states_homes import House, Node
from alerts.dwelling_states_picture import Picture
from alerts.views import newest_change_id, open_incidents
from console.access import Right, needs
from console.board import BOARD_LIMIT
from console.facade_fragments import SEEN_MAX, Fragment, Fragments
from console.facade_kept import Pictures
from console.facade_signs import sign_svg
from console.facade_words import facts_words, state_words, summary_words
from console.pages import Pages
from console.positions import Positions
from console.session import SignedIn, language_of
from console.siren import read_siren
from devices.schema import building
from devices.scope import Scope

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]
PlaceId = Annotated[int, Path(ge=0, lt=2**63)]
Seen = Annotated[str, Query(max_length=SEEN_MAX)]
"""The fragment that a page shows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asks, in which language, and the picture with the buildings (ids) they see; None for
    all."""

    request: Request
    user: SignedIn
    language: str
    picture: Picture
    visible: frozenset[int] | None
    now_us: int

    def house(self, house_id: int) -> House | None:
        """A building, where this user sees it."""
        if self.visible is not None and house_id not in self.visible:
            return None
        return self.picture.estate.houses.get(house_id)

    def houses(self) -> Iterator[House]:
        """All that this user sees."""
        for house in self.picture.estate.houses.values():
            if self.visible is None or house.id in self.visible:
                yield house

    def way(self, area_id: int) -> tuple[Node, ...]:
        """The area and those above it that this user sees, from the top down; nothing for any other area."""
        above, scope = self.picture.estate.above(area_id), self.user.scope
        if not scope.everywhere:
            mine = [n for n, node in enumerate(above) if node.id in scope.areas]
            above = above[: mine[-1] + 1] if mine else ()
        return tuple(reversed(above))

    def summed(self, houses: Iterator[House]) -> Summary:
        """These buildings together."""
        return together(self.picture.summary(house.id) for house in houses)


class Living:
    """Makes whole pages and their fragments. One for the process."""

    def __init__(self, pages: Pages, engine: Engine, positions: Positions) -> None:
        self.pages, self.engine = pages, engine
        self._positions = positions
        self._pictures, self._fragments = Pictures(), Fragments()

    def asked(self, connection: Connection, request: Request, user: SignedIn) -> Asked:
        """The picture as this user sees it now."""
        now_us = self.pages.now_us()
        picture = self._pictures.now(connection, now_us)
        return Asked(request, user, language_of(request), picture, _visible(connection, user.scope), now_us)

    def fragment(
        self, asked: Asked, template: str, number: int, values: Callable[[], Mapping[str, Any]]
    ) -> Fragment:
        """The part of a page that is made from the picture alone: the same for all who see the same
        buildings. `number` tells the pages of one template apart."""
        scope = asked.user.scope
        key = template, number, asked.language, asked.visible, scope.everywhere or scope.areas
        return self._fragments.of(key, asked.picture, lambda: self._made(asked, template, values()))

    def fresh(self, asked: Asked, template: str, values: Mapping[str, Any]) -> Fragment:
        """A fragment that says more than the picture, and is kept for nobody."""
        return Fragment.named(self._made(asked, template, values))

    def _made(self, asked: Asked, template: str, values: Mapping[str, Any]) -> str:
        page = self.pages.render(asked.request, template, None, **self._words(asked), **values)
        return bytes(page.body).decode()

    def page(
        self,
        connection: Connection,
        asked: Asked,
        template: str,
        fragment: Fragment,
        values: Mapping[str, Any],
    ) -> Response:
        """A whole page around its fragment."""
        worst = open_incidents(connection, asked.language, BOARD_LIMIT, asked.user.scope)
        newest = self._positions.told(newest_change_id(connection), asked.user.scope)
        return self.pages.render(
            asked.request, template, asked.user,
            fragment=fragment.at(asked.now_us), newest=newest, here=0, outcome=None,
            siren=read_siren(connection, worst), **self._words(asked), **values,
        )  # fmt: skip

    def _words(self, asked: Asked) -> dict[str, Any]:
        language = asked.language
        return {
            "sign": sign_svg,
            "state_words": lambda state, strong=False: state_words(state, language, strong),
            "facts_words": lambda found: facts_words(found, language),
            "summary_words": lambda one: summary_words(one, language),
        }


def _visible(connection: Connection, scope: Scope) -> frozenset[int] | None:
    """Asked anew each time: what was taken out of somebody's area is gone from their pages at once."""
    if scope.everywhere:
        return None
    return frozenset(connection.scalars(select(building.c.id).where(scope.holds(building.c.id))))
