"""When the console sounds, and the sound itself, made by arithmetic: no file to license, ship or lose."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from alerts.gate import EXERCISE_TAGS
from alerts.schema import incident
from alerts.views import OpenIncident, seen_at_the_desk
from alerts.whole_view import seen_wholes
from devices.model import Severity

RATE_HZ: Final = 16_000
TONES_HZ: Final = (960.0, 770.0)
TONE_S: Final = 0.25
PAUSE_S: Final = 0.5
"""Two tones, twice, then a pause: told apart from a telephone, not tiring over minutes (chosen)."""


_LESSER: Final = frozenset({Severity.P1, Severity.P2, Severity.P3})
"""All others sound, a severity that this release does not know among them."""


def siren_wav() -> bytes:
    """One and a half seconds of 16-bit mono WAV, made to be looped. The same bytes on every call."""
    t = np.arange(int(RATE_HZ * TONE_S)) / RATE_HZ
    edge = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.01)  # 10 ms ramps: no clicks
    tones = [0.6 * edge * np.sin(2 * np.pi * hz * t) for hz in TONES_HZ]
    silence = np.zeros(int(RATE_HZ * PAUSE_S))
    samples = np.concatenate([*tones, *tones, silence])
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Siren:
    """The real fire alarms that no operator has taken yet, in the board's order; an exercise never sounds.

    The console sounds while there are any. An answer of a resident or a grid worker does not silence it: the
    screen is the operators', and somebody at it must have seen the alarm (life_safety, acknowledge: the own
    role only).
    """

    untaken: tuple[int, ...]


def read_siren(connection: Connection, incidents: Sequence[OpenIncident]) -> Siren:
    """For open incidents given in the board's order; a whole sounds until every fire in it is taken."""
    urgent = [
        one.id
        for one in incidents
        if one.severity not in _LESSER and not EXERCISE_TAGS.intersection(one.tags)
    ]
    merged = {one.id for one in incidents if one.parts}
    seen = set(connection.scalars(select(incident.c.id).where(incident.c.id.in_(urgent), seen_at_the_desk())))
    seen = (seen - merged) | seen_wholes(connection, merged.intersection(urgent))
    return Siren(tuple(one for one in urgent if one not in seen))
