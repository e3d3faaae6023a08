"""The daily digest of what can wait (P3): what is open, new and ended, by building, the oldest first. Pure.

Nobody is paged of P3 (life_safety, "who is told"): once a day who keeps the devices is told of all of it
together. What has cleared by itself and was never closed is counted and not listed: nobody has to go there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from alerts.evidence import CHINESE, Both
from devices.spots import Spot

TEXT_MAX: Final = 480
"""Letters of a message at most (chosen: a telephone's screen, seven SMS in Chinese); the rest is counted."""
_NO_BUILDING: Final[Both] = ("地点不明", "place unknown")
_HEAD: Final[Both] = ("【每日维护】", "DAILY UPKEEP. ")
_STANDING: Final[Both] = ("未恢复 {n} 条", "{n} open")
_NEW: Final[Both] = ("新增 {n} 条", "{n} new")
_RECOVERED: Final[Both] = ("已恢复待结案 {n} 条", "{n} recovered and to be closed")
_ENDED: Final[Both] = ("{day} 以来已结案 {n} 条", "{n} ended since {day}")
_LINE: Final[Both] = ("{place} {what}，{day} 起{new}", "{place} {what} since {day}{new}")
_IS_NEW: Final[Both] = ("（新）", " (new)")
_MORE: Final[Both] = ("另有 {n} 条", "and {n} more")
_BETWEEN: Final[Both] = ("；", "; ")
_STOP: Final[Both] = ("。", ".")
_ALL: Final[Both] = ("清单：gengfu report daily", "List: gengfu report daily")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """An incident of P3 that is open, or ended since the digest before.

    `building` is its building's name, `place` the code of the dwelling, stair or building, or the device
    where nobody registered it; `what` its leading alarm, `devices` the uids in alarm. `stands`: an alarm of
    it has not cleared. `spot`: where in the registry; None for an unknown place.
    """

    incident_id: int
    building: str
    place: str
    what: Both
    devices: tuple[str, ...]
    opened_us: int
    closed_us: int | None
    stands: bool
    spot: Spot | None


@dataclass(frozen=True, slots=True)
class Digest:
    """What there is between two instants; `found` the oldest first."""

    since_us: int
    until_us: int
    found: tuple[Upkeep, ...]

    @property
    def standing(self) -> tuple[Upkeep, ...]:
        """Open, and an alarm stands."""
        return tuple(one for one in self.found if one.closed_us is None and one.stands)

    @property
    def recovered(self) -> tuple[Upkeep, ...]:
        """Open, though every alarm has cleared."""
        return tuple(one for one in self.found if one.closed_us is None and not one.stands)

    @property
    def ended(self) -> tuple[Upkeep, ...]:
        """Closed since the digest before."""
        return tuple(one for one in self.found if one.closed_us is not None)

    @property
    def new(self) -> tuple[Upkeep, ...]:
        """Opened since the digest before, and still open."""
        return tuple(one for one in self.found if self.is_new(one))

    @property
    def is_empty(self) -> bool:
        """Nothing stands, began or ended: nothing to tell anybody."""
        return not (self.standing or self.new or self.ended)

    def is_new(self, one: Upkeep) -> bool:
        """Whether it was opened since the digest before, and is still open."""
        return one.closed_us is None and self.since_us < one.opened_us <= self.until_us

    def of(self, ids: Collection[int]) -> Digest:
        """The part of it that these incidents are."""
        return replace(self, found=tuple(one for one in self.found if one.incident_id in ids))


def by_building(found: Iterable[Upkeep]) -> Mapping[str, list[Upkeep]]:
    """In the order given, and so are the buildings: by their first."""
    houses: dict[str, list[Upkeep]] = {}
    for one in found:
        houses.setdefault(one.building, []).append(one)
    return houses


def digest_text(digest: Digest, language: str, zone: tzinfo) -> str:
    """The one message of the day, of at most `TEXT_MAX` letters."""
    pick = language != CHINESE
    text, pieces = _HEAD[pick] + digest_counts(digest, language, zone), _pieces(digest, pick, zone)
    if not pieces:
        return text
    room = TEXT_MAX - len(text) - len(_ALL[pick]) - len(_MORE[pick].format(n=len(pieces))) - 4
    shown: list[str] = []
    for piece in pieces:
        room -= len(piece) + len(_BETWEEN[pick])
        if room < 0:
            break
        shown.append(piece)
    if more := len(pieces) - len(shown):
        shown.append(_MORE[pick].format(n=more))
    listed = _BETWEEN[pick].join(shown) + _STOP[pick]
    return (" " if pick else "").join((text, listed, _ALL[pick]))


def _pieces(digest: Digest, pick: bool, zone: tzinfo) -> list[str]:
    """What stands, each with its building in front where that is another than before."""
    pieces = []
    for building, lines in by_building(digest.standing).items():
        opening = f"{building or _NO_BUILDING[pick]}{': ' if pick else '：'}"
        for one in lines:
            new = _IS_NEW[pick] if digest.is_new(one) else ""
            day = local_day(one.opened_us, zone)
            said = _LINE[pick].format(place=one.place, what=one.what[pick], day=day, new=new)
            pieces.append(opening + said)
            opening = ""
    return pieces


def digest_counts(digest: Digest, language: str, zone: tzinfo) -> str:
    """How many of each, in a sentence."""
    pick = language != CHINESE
    said = [_STANDING[pick].format(n=len(digest.standing))]
    if new := len(digest.new):
        said.append(_NEW[pick].format(n=new))
    if recovered := len(digest.recovered):
        said.append(_RECOVERED[pick].format(n=recovered))
    if ended := len(digest.ended):
        said.append(_ENDED[pick].format(n=ended, day=local_day(digest.since_us, zone)))
    return (", " if pick else "，").join(said) + _STOP[pick]


def digest_parts(digest: Digest, site: str, language: str, zone: tzinfo) -> dict[str, str]:
    """Its pieces, by the names of `alerts.channels.channel.PARTS`."""
    what = digest_counts(digest, language, zone)
    return {"severity": "P3", "what": what, "where": site, "do": _ALL[language != CHINESE], "answer": ""}


def local_day(at_us: int, zone: tzinfo) -> str:
    """`11-20` in the site's time."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(zone).strftime("%m-%d")
