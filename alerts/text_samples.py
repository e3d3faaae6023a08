"""Alarms made up for looking at texts: what messages usually say, and which of a site's own are too long.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Final

from alerts.case import Hazard
from alerts.evidence import Both
from alerts.sms_length import SmsLength, sms_length
from alerts.text_file import Key, Texts
from alerts.text_rules import LANGUAGES
from alerts.texts import Telling, say
from devices.model import Medium, Role, Severity

SAYINGS: Final = (
    "alarm", "call", "next", "escalated", "unanswered", "repeat", "help", "isolate", "more",
    "more_unanswered", "moved", "deadline", "overdue", "all_clear",
)  # fmt: skip
"""Why a message is sent, as `alerts.texts.Telling` names it."""
ROLES: Final = (Role.FAMILY, Role.NEIGHBOUR, Role.GRID_WORKER, Role.MICRO_STATION, Role.DUTY_DESK)
"""One for each kind of reader."""
PLACE: Final[Both] = (
    "示范社区 3号楼 2单元 5层 501",
    "Demo Estate, Block 3, Stair 2, floor 5, flat 501",
)
"""As long as places usually are."""
_RULES: Final[Mapping[Hazard, str]] = {
    Hazard.FIRE: "S1",
    Hazard.ELECTRICAL: "T2",
    Hazard.FAULT: "C1",
    Hazard.SYSTEM: "",
}
_NEWS: Final[Both] = ("故障电弧", "arc on the circuit")


def example(
    severity: Severity,
    role: Role,
    language: str,
    *,
    saying: str = "alarm",
    hazard: Hazard | None = None,
    medium: Medium = Medium.SMS,
    told: frozenset[str] = frozenset(),
    beside: int = 0,
    on_stair: bool = False,
) -> Telling:
    """An alarm as it is usually told. Without `hazard` what that severity mostly is."""
    danger = hazard or usual_hazard(severity)
    asker = {"help": "grid_worker", "deadline": "arrived", "overdue": "arrived"}.get(saying, "")
    return Telling(
        saying=saying,
        severity=severity,
        hazard=danger,
        role=role,
        place=PLACE[language != "zh-CN"],
        since="14:02",
        rules=frozenset({_RULES[danger]}),
        detectors=2 if severity is Severity.P0_PLUS and danger is Hazard.FIRE else 1,
        tags=frozenset(),
        asker=asker,
        others=(_NEWS,) if saying in {"more", "more_unanswered"} else (),
        on_stair=on_stair,
        moved_to=PLACE[language != "zh-CN"] if saying == "moved" else None,
        told=told,
        medium=medium,
        beside=beside,
    )


def usual_hazard(severity: Severity) -> Hazard:
    """What an alarm of this severity mostly is."""
    if severity.rank <= Severity.P0.rank:
        return Hazard.FIRE
    return Hazard.ELECTRICAL if severity is Severity.P1 else Hazard.FAULT


def usual() -> Iterator[tuple[Telling, str]]:
    """Every kind of message that is usual, in both languages."""
    for severity, role, saying, language in product(Severity, ROLES, SAYINGS, LANGUAGES):
        for hazard in _USUAL[severity]:
            for on_stair in (False, True) if hazard is Hazard.FIRE else (False,):
                telling = example(severity, role, language, saying=saying, hazard=hazard, on_stair=on_stair)
                yield telling, language


_LESSER: Final = (Hazard.ELECTRICAL, Hazard.FAULT)
_USUAL: Final[Mapping[Severity, tuple[Hazard, ...]]] = {
    Severity.P0_PLUS: (Hazard.FIRE,),
    Severity.P0: (Hazard.FIRE,),
    Severity.P1: (Hazard.FIRE, *_LESSER),
    Severity.P2: _LESSER,
    Severity.P3: _LESSER,
}


def _shipped_segments(telling: Telling, language: str) -> int:
    return max(1, sms_length(say(telling, language).text).segments)


def too_long(texts: Texts, at: Mapping[Key, Callable[[str], str]]) -> list[str]:
    """Warnings of the texts in `at` that make a usual message longer than one SMS, with its length.

    Why it is sent now is measured where it is said, every other text in first words; what would take as many
    with the shipped texts is not the site's.
    """
    longest: dict[Key, SmsLength] = {}
    for telling, language in usual():
        said = say(telling, language, texts)
        length = sms_length(said.text)
        for name in said.used:
            key = name, language
            counts = telling.saying in {"alarm", "all_clear"} or name.startswith("why_now.")
            if key in at and counts and length.segments > _shipped_segments(telling, language):
                longest[key] = max(longest.get(key, length), length, key=lambda one: one.units)
    return [
        at[key](
            f"is long: a usual message with it has {one.units} characters of {one.alphabet},"
            f" {one.segments} SMS; {one.fitting} fit into one"
        )
        for key, one in longest.items()
    ]
