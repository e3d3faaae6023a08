"""Where on the picture of a building each dwelling's window is. Pure; lengths are units of the drawing.

Stairs stand side by side in their order, floors from the top down, the flats of a floor from the left in the
order in which people count them. A stair is as wide as its fullest floor; one without dwellings has the width
of one window and none in it. Between the lowest floor above ground and the first below it lies the ground,
with a door for each stair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from alerts.dwelling_states_homes import Home, House, Steps

TALL: Final = 14
"""Floors from which on windows are flat, so that a tower stays on a screen (chosen)."""
FLOORS_DRAWN: Final = 220
"""More floors than this are not all drawn: those without a dwelling are left out (above what the registry
takes for a building)."""


class Measures(NamedTuple):
    """Units of one way to draw: a window's width and height, what is between windows and between stairs, the
    margins left and right, above the top floor, and the height of the ground."""

    wide: int
    high: int
    gap: int
    between: int
    left: int
    right: int
    roof: int
    ground: int


LARGE: Final = Measures(74, 40, 7, 26, 62, 16, 34, 58)
FLAT: Final = Measures(74, 23, 4, 26, 62, 16, 34, 58)
SMALL: Final = Measures(8, 8, 3, 6, 4, 4, 5, 7)


class Window(NamedTuple):
    """One dwelling's window."""

    home: Home
    x: int
    y: int


class Column(NamedTuple):
    """One stair, from `x` on `wide`."""

    steps: Steps
    x: int
    wide: int


class Line(NamedTuple):
    """One floor, whose windows begin at `y`."""

    floor: int
    y: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole building. `ground_y` is where the ground begins, `deep` whether floors lie below it."""

    measures: Measures
    wide: int
    high: int
    ground_y: int
    deep: bool
    windows: tuple[Window, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def shape_of(house: House, measures: Measures | None = None) -> Shape:
    """The building in these measures; None for the large ones that suit its height."""
    floors = _floors(house)
    m = measures or (FLAT if len(floors) >= TALL else LARGE)
    lines, ground_y, bottom = _lines(floors, m)
    columns = _columns(house.steps, m)
    heights = {line.floor: line.y for line in lines}
    windows = tuple(
        Window(home, column.x + n * (m.wide + m.gap), heights[floor])
        for column in columns
        for floor, homes in _by_floor(column.steps).items()
        for n, home in enumerate(homes)
    )
    end = columns[-1].x + columns[-1].wide if columns else m.left + m.wide
    return Shape(m, end + m.right, bottom, ground_y, floors[-1] < 0, windows, columns, lines)


def _floors(house: House) -> list[int]:
    """From the top down. There is a floor 0 only where somebody lives on it."""
    lived_on = {home.floor for home in house.homes}
    top, low = max([house.floors, 1, *lived_on]), min([1, *lived_on])
    if top - low > FLOORS_DRAWN:
        return sorted(lived_on, reverse=True)
    return [floor for floor in range(top, low - 1, -1) if floor or 0 in lived_on]


def _lines(floors: Sequence[int], m: Measures) -> tuple[tuple[Line, ...], int, int]:
    """The floors, where the ground begins, and where the picture ends."""
    y, ground_y = m.roof, -1
    lines = []
    for floor in floors:
        if floor < 0 and ground_y < 0:
            ground_y, y = y, y + m.ground
        lines.append(Line(floor, y))
        y += m.high + m.gap
    if ground_y < 0:
        ground_y, y = y, y + m.ground
    return tuple(lines), ground_y, y


def _columns(steps: Sequence[Steps], m: Measures) -> tuple[Column, ...]:
    columns, x = [], m.left
    for one in steps:
        most = max((len(homes) for homes in _by_floor(one).values()), default=1)
        wide = most * (m.wide + m.gap) - m.gap
        columns.append(Column(one, x, wide))
        x += wide + m.between
    return tuple(columns)


def _by_floor(steps: Steps) -> dict[int, list[Home]]:
    found: dict[int, list[Home]] = defaultdict(list)
    for home in steps.homes:
        found[home.floor].append(home)
    return found
