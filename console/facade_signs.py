"""The sign of each state, as paths: who sees no colours tells them apart by their shapes. Pure."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from alerts.dwelling_states import DwellingState

STAR: Final = "confirmed"
"""What a confirmed fire is drawn as, in place of an alarm."""
_STAR: Final = (
    (0, -1), (0.27, -0.34), (0.95, -0.31), (0.4, 0.12), (0.59, 0.81), (0, 0.42),
    (-0.59, 0.81), (-0.4, 0.12), (-0.95, -0.31), (-0.27, -0.34),
)  # fmt: skip
_SHAPES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    STAR: _STAR,
    DwellingState.ALARM: ((0, -0.95), (1, 0.85), (-1, 0.85)),
    DwellingState.PRE_ALARM: ((0, -1), (1, 0), (0, 1), (-1, 0)),
    DwellingState.SILENT: (
        (-0.9, -0.6), (-0.6, -0.9), (0, -0.3), (0.6, -0.9), (0.9, -0.6), (0.3, 0),
        (0.9, 0.6), (0.6, 0.9), (0, 0.3), (-0.6, 0.9), (-0.9, 0.6), (-0.3, 0),
    ),
    DwellingState.NO_DEVICE: ((-0.8, -0.2), (0.8, -0.2), (0.8, 0.2), (-0.8, 0.2)),
}  # fmt: skip
"""Triangle, diamond, cross and bar, as corners within one unit of the middle."""


def sign_path(state: str, x: float, y: float, r: float) -> str:
    """The sign of a state around a point, `r` units large; none for quiet. Filled by the even-odd rule."""
    if state in _SHAPES:
        corners = (f"{x + r * dx:.4g} {y + r * dy:.4g}" for dx, dy in _SHAPES[state])
        return f"M{'L'.join(corners)}Z"
    if state == DwellingState.COMMISSIONING:
        return _ring(x, y, r) + _ring(x, y, r * 0.5)
    if state == DwellingState.NOBODY_REACHABLE:
        return _square(x, y, r * 0.9) + _square(x, y, r * 0.45)
    return ""


def _ring(x: float, y: float, r: float) -> str:
    return f"M{x - r:.4g} {y:.4g}a{r:.4g} {r:.4g} 0 1 0 {2 * r:.4g} 0a{r:.4g} {r:.4g} 0 1 0 {-2 * r:.4g} 0Z"


def _square(x: float, y: float, r: float) -> str:
    return f"M{x - r:.4g} {y - r:.4g}h{2 * r:.4g}v{2 * r:.4g}h{-2 * r:.4g}Z"


def sign_svg(state: DwellingState, strong: bool = False) -> Markup:
    """A sign of its own, in the size of the text beside it; a quiet one is an empty window."""
    if state is DwellingState.QUIET:
        inside = '<rect x="3" y="3" width="14" height="14"/>'
    else:
        inside = f'<path fill-rule="evenodd" d="{sign_path(STAR if strong else state, 10, 10, 9)}"/>'
    return Markup(f'<svg class="sign is-{state}" viewBox="0 0 20 20" aria-hidden="true">{inside}</svg>')  # noqa: S704
