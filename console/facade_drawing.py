"""A building as an SVG picture: large, with a link for each window, or small, as one of many. Pure.

A state is told by colour and by a sign (`console.facade_signs`); colours are the style sheet's. Sizes are in
`rem` and `em`, so a picture grows with the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from alerts.dwelling_states import DwellingState, Standing
from alerts.dwelling_states_homes import Home, House
from alerts.dwelling_states_picture import Picture
from console.facade_shape import SMALL, Column, Shape, Window, shape_of
from console.facade_signs import STAR, sign_path

REM: Final = 17.0
"""Units of the large picture to one `rem`: that of the style sheet in pixels."""
EM: Final = 20.0
"""Units of a small picture to one `em`."""
FLAT_CHARS: Final = 5
"""As much of a flat's number as a window has room for; the whole is in its title and in the list."""
MARKS: Final = 2
"""Small signs in a window beside the large one (chosen: as many as there is room for)."""
_SMALL_R: Final = {DwellingState.ALARM: 8.0, DwellingState.PRE_ALARM: 6.5}
"""Signs on small pictures, larger than a window where it matters; the others just cover it."""
TOWER: Final = 16
"""Floors from which on these signs grow with the building, which is shown smaller (chosen)."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the large picture says: `label` for those who do not see it, `title` of a window, `floor` names,
    the name of what is in the common parts of a stair."""

    label: str
    title: Callable[[Home, Standing], str]
    floor: Callable[[int], str]
    common: Callable[[str, Standing], str]


def large(house: House, picture: Picture, texts: Texts) -> Markup:
    """The whole façade. Windows are links that a pointer opens; the list beside it has the same for the
    keyboard, so they are no stops of it."""
    shape = shape_of(house)
    parts = [*_walls(shape), *_floor_names(shape, texts)]
    for column in shape.columns:
        parts += _door(shape, column, picture.of_stair(column.steps.id), texts)
    for window in shape.windows:
        parts += _window(shape, window, picture.of(window.home), texts)
    return Markup(  # noqa: S704  # every text in it is escaped
        f'<svg class="facade" role="img" aria-label="{escape(texts.label)}" '
        f'width="{shape.wide / REM:.2f}rem" '
        f'viewBox="0 0 {shape.wide} {shape.high}">{"".join(parts)}</svg>'
    )


def _walls(shape: Shape) -> Iterator[str]:
    m = shape.measures
    edge = m.between // 2
    if shape.deep:
        yield _rect("cellar", 0, shape.ground_y, shape.wide, shape.high - shape.ground_y)
    for column in shape.columns:
        x, wide = column.x - edge + 3, column.wide + 2 * edge - 6
        yield _rect("wall", x, m.roof - 12, wide, shape.ground_y + 46 - m.roof + 12)
        yield f'<path class="roof" d="M{x - 4} {m.roof - 12}h{wide + 8}l-10 -14h{12 - wide}z"/>'
        if shape.deep:
            yield _rect(
                "wall", x, shape.ground_y + m.ground - 6, wide, shape.high - shape.ground_y - m.ground + 4
            )
    yield _rect("earth", 0, shape.ground_y + 46, shape.wide, 4)


def _floor_names(shape: Shape, texts: Texts) -> Iterator[str]:
    m = shape.measures
    for line in shape.lines:
        y = line.y + m.high / 2
        yield f'<text class="floor" x="{m.left - 22}" y="{y:g}">{escape(texts.floor(line.floor))}</text>'


def _door(shape: Shape, column: Column, found: Standing, texts: Texts) -> Iterator[str]:
    """The stair's door and name; its common parts have their state on it."""
    y, x = shape.ground_y, column.x
    said = escape(texts.common(column.steps.name, found))
    called = escape(_short(column.steps.name, column.wide))
    name = f'<text class="stair" x="{x + 30}" y="{y + 25}">{called}</text>'
    door = _rect(f"door is-{found.state}", x, y + 4, 22, 42)
    sign = _sign(found, x + 11, y + 24, 8)
    inside = f"<title>{said}</title>{door}{sign}{name}"
    if found.incident_id:
        yield f'<a class="w" href="/incident/{found.incident_id}" tabindex="-1">{inside}</a>'
    else:
        yield f"<g>{inside}</g>"


def _short(name: str, wide: int) -> str:
    """As much of a name as its stair is wide; a Chinese character takes 17 units, others ten."""
    room, shown = wide - 26, ""
    for char in name:
        room -= 17 if ord(char) > 0x2E7F else 10
        if room < 0:
            return f"{shown[:-1]}…"
        shown += char
    return shown


def _window(shape: Shape, window: Window, found: Standing, texts: Texts) -> Iterator[str]:
    m, home = shape.measures, window.home
    x, y, middle = window.x, window.y, window.y + m.high / 2
    href = f"/incident/{found.incident_id}" if found.incident_id else f"/dwelling/{home.id}"
    strong = " strong" if found.is_strong else ""
    flat = home.flat if len(home.flat) <= FLAT_CHARS else f"{home.flat[: FLAT_CHARS - 1]}…"
    quiet = found.state is DwellingState.QUIET
    yield (
        f'<a class="w is-{found.state}{strong}" id="window-{home.id}" href="{href}" tabindex="-1">'
        f"<title>{escape(texts.title(home, found))}</title>"
        f'<rect class="pane" x="{x}" y="{y}" width="{m.wide}" height="{m.high}" rx="2"/>'
    )
    if pattern := _PATTERNS.get(found.state):
        yield f'<rect fill="url(#{pattern})" x="{x}" y="{y}" width="{m.wide}" height="{m.high}"/>'
    yield _sign(found, x + 11, middle, 8)
    for n, mark in enumerate(found.marks[:MARKS]):
        path = sign_path(mark, x + m.wide - 7, y + (7 if n == 0 else m.high - 7), 4)
        yield f'<path class="mark" fill-rule="evenodd" d="{path}"/>'
    at = x + m.wide / 2 if quiet else x + 20 + (m.wide - 32) / 2
    yield f'<text class="flat" x="{at:g}" y="{middle:g}">{escape(flat)}</text></a>'


_PATTERNS: Final = {DwellingState.SILENT: "p-silent", DwellingState.COMMISSIONING: "p-commissioning"}
"""Ids of the patterns in `_facade_defs.html`."""


def _sign(found: Standing, x: float, y: float, r: float) -> str:
    path = sign_path(STAR if found.is_strong else found.state, x, y, r)
    return f'<path class="sign" fill-rule="evenodd" d="{path}"/>' if path else ""


def _rect(css: str, x: float, y: float, wide: float, high: float) -> str:
    return f'<rect class="{css}" x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"/>'


def small(house: House, picture: Picture, label: str) -> Markup:
    """The façade as one of many: one path for all windows, one more for each state that is not quiet."""
    shape, panes = _small_shape(house)
    signs: dict[str, list[str]] = defaultdict(list)
    half, tall = SMALL.wide / 2, max(1.0, len(shape.lines) / TOWER)
    for window in shape.windows:
        found = picture.of(window.home)
        if found.state is not DwellingState.QUIET:
            state = STAR if found.is_strong else str(found.state)
            r = _SMALL_R[found.state] * tall if found.state in _SMALL_R else half
            signs[state].append(sign_path(state, window.x + half, window.y + half, r))
    for column in shape.columns:
        found = picture.of_stair(column.steps.id)
        if found.facts:
            state = STAR if found.is_strong else str(found.state)
            signs[state].append(sign_path(state, column.x + half, shape.ground_y + 3, 4))
    drawn = "".join(
        f'<path class="is-{state}" fill-rule="evenodd" d="{"".join(signs[state])}"/>'
        for state in reversed((STAR, *map(str, DwellingState)))
        if state in signs
    )
    return Markup(  # noqa: S704  # numbers, and the label escaped
        f'<svg class="mini" role="img" aria-label="{escape(label)}" width="{shape.wide / EM:.2f}em" '
        f'height="{shape.high / EM:.2f}em" viewBox="0 0 {shape.wide} {shape.high}">{panes}{drawn}</svg>'
    )


@lru_cache(maxsize=4096)
def _small_shape(house: House) -> tuple[Shape, str]:
    """What of a small picture stays until the registry changes."""
    shape = shape_of(house, SMALL)
    panes = "".join(f"M{w.x} {w.y}h{SMALL.wide}v{SMALL.high}h-{SMALL.wide}z" for w in shape.windows)
    walls = "".join(
        f"M{c.x - 3} {SMALL.roof - 4}h{c.wide + 6}V{shape.ground_y + 6}h-{c.wide + 6}z" for c in shape.columns
    )
    earth = f'<path class="earth" d="M0 {shape.ground_y + 5}h{shape.wide}v2h-{shape.wide}z"/>'
    return shape, f'<path class="wall" d="{walls}"/>{earth}<path class="pane" d="{panes}"/>'
