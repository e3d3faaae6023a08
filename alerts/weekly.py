"""The weekly report: what alarms there were, how soon somebody had them in hand, what is not well. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, NamedTuple

from alerts.digest import local_day
from alerts.evidence import CHINESE, Both, evidence_words
from alerts.hazards import hazard_of
from devices.model import Severity
from devices.shortlist import shortlist

SHOWN: Final = 5
"""Rules and causes named in a message at most (chosen: a line each; the rest is counted)."""
CAUSE_MAX: Final = 20
"""As much of a cause as a message has room for (chosen)."""
SYSTEM: Final = "system"
"""What faults of the system are counted under, whatever their severity."""
_SEVERITIES: Final = (*map(str, Severity), SYSTEM)
_HEAD: Final[Both] = ("【每周报告】{since} 至 {until}：", "WEEKLY REPORT {since} to {until}: ")
_TOTAL: Final[Both] = ("警情 {n} 起", "incidents {n}")
_RULES: Final[Both] = ("按规则：{said}", "By rule: {said}")
_TAKEN: Final[Both] = ("有人接手：{said}", "In hand: {said}")
_HELD: Final[Both] = (
    "{severity} {taken}/{count} 起，半数不超过{half}，最长{longest}",
    "{severity} {taken} of {count}, half within {half}, the last after {longest}",
)
_UNHELD: Final[Both] = ("{severity} 0/{count} 起", "{severity} none of {count}")
_FALSE: Final[Both] = ("误报 {n} 起：{said}", "False alarms {n}: {said}")
_NO_CAUSE: Final[Both] = ("未写原因", "cause not said")
_SILENT: Final[Both] = ("现失联设备 {n} 台", "Devices silent now: {n}")
_DARK: Final[Both] = ("整片失联 {n} 处", "Places silent as a whole: {n}")
_HOMES: Final[Both] = ("{n} 户无人可联系：{codes}", "Dwellings with nobody reachable: {n} ({codes})")
_PLACES: Final[Both] = ("其他 {n} 处无人可联系：{codes}", "Other places with nobody reachable: {n} ({codes})")
_RECOVERED: Final[Both] = ("维护类已恢复待结案 {n} 条", "P3 recovered and to be closed: {n}")
_ALL: Final[Both] = ("详情：gengfu report weekly", "More: gengfu report weekly")
_UNITS: Final = ((1, 100, ("秒", "s")), (60, 6_000, ("分钟", "min")), (3_600, 172_800, ("小时", "h")))
_MORE: Final[Both] = ("另 {n} 种", "other kinds {n}")


class Held(NamedTuple):
    """Of the incidents of one severity: how many, how many somebody took in hand, and how long that took."""

    number: int
    taken: int
    half_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class Weekly:
    """What there was between two instants, and what stands at the second.

    `counts` are incidents opened by severity, faults of the system under `SYSTEM`; `held` how soon they were
    in hand. `rules` are alarms by rule and `causes` false alarms by cause, the most first; an empty cause was
    not said. `silent` devices, places `dark` as a whole, `homes` and other `places` with nobody reachable, by
    code, and P3 that `recovered` and are open: at the end.
    """

    since_us: int
    until_us: int
    counts: Mapping[str, int]
    held: Mapping[str, Held]
    rules: Sequence[tuple[str, int]]
    causes: Sequence[tuple[str, int]]
    silent: int
    dark: int
    homes: Sequence[str]
    places: Sequence[str]
    recovered: int

    @property
    def false_alarms(self) -> int:
        """All of them."""
        return sum(number for _, number in self.causes)


def weekly_text(week: Weekly, language: str, zone: tzinfo) -> str:
    """The one message of the week; of bounded length, whatever happened."""
    pick = language != CHINESE
    since, until = local_day(week.since_us, zone), local_day(week.until_us, zone)
    said = [counts_said(week, language), *weekly_lines(week, language, SHOWN), _ALL[pick]]
    text = (". " if pick else "。").join(said)
    return _HEAD[pick].format(since=since, until=until) + text


def weekly_lines(week: Weekly, language: str, shown: int) -> list[str]:
    """What follows the counts, a sentence each; rules and causes beyond `shown` are counted."""
    pick = language != CHINESE
    lines = []
    if week.rules:
        kinds = [(f"{rule} {rule_words(rule, language)}", n) for rule, n in week.rules]
        lines.append(_RULES[pick].format(said=_listed(kinds, pick, shown)))
    if held := [_held_said(one, week.held[one], pick) for one in _SEVERITIES if one in week.held]:
        lines.append(_TAKEN[pick].format(said=(", " if pick else "，").join(held)))
    if week.causes:
        causes = [(cause[:CAUSE_MAX] or _NO_CAUSE[pick], n) for cause, n in week.causes]
        lines.append(_FALSE[pick].format(n=week.false_alarms, said=_listed(causes, pick, shown)))
    lines += [
        form[pick].format(n=n)
        for form, n in ((_SILENT, week.silent), (_DARK, week.dark), (_RECOVERED, week.recovered))
        if n
    ]
    for form, codes in ((_HOMES, week.homes), (_PLACES, week.places)):
        if codes:
            lines.append(form[pick].format(n=len(codes), codes=shortlist(codes, chinese=not pick)))
    return lines


def counts_said(week: Weekly, language: str) -> str:
    """How many incidents, and how many of each severity."""
    pick = language != CHINESE
    total = _TOTAL[pick].format(n=sum(week.counts.values()))
    parts = [f"{_severity(one, pick)} {week.counts[one]}" for one in _SEVERITIES if week.counts.get(one)]
    if not parts:
        return total
    return f"{total} ({', '.join(parts)})" if pick else f"{total}（{'，'.join(parts)}）"


def weekly_parts(week: Weekly, site: str, language: str) -> dict[str, str]:
    """Its pieces, by the names of `alerts.channels.channel.PARTS`."""
    what = counts_said(week, language)
    return {"severity": "P3", "what": what, "where": site, "do": _ALL[language != CHINESE], "answer": ""}


def rule_words(rule: str, language: str) -> str:
    """What alarms of a rule are called, as shipped."""
    return evidence_words((rule,), 0, hazard_of(rule), Severity.P1, language)


def span_said(seconds: float, *, english: bool) -> str:
    """`80 s`, `12 min`, `5 h`, `3 d`: two digits are enough to compare by."""
    for unit_s, most, both in _UNITS:
        if seconds < most:
            return f"{seconds / unit_s:.0f} {both[1]}" if english else f"{seconds / unit_s:.0f} {both[0]}"
    return f"{seconds / 86_400:.0f} {'d' if english else '天'}"


def _severity(one: str, pick: bool) -> str:
    return (("系统故障", "faults of the system")[pick]) if one == SYSTEM else one


def _held_said(severity: str, held: Held, pick: bool) -> str:
    name = _severity(severity, pick)
    if not held.taken:
        return _UNHELD[pick].format(severity=name, count=held.number)
    half, longest = (span_said(one, english=pick) for one in (held.half_s, held.longest_s))
    return _HELD[pick].format(severity=name, taken=held.taken, count=held.number, half=half, longest=longest)


def _listed(kinds: Sequence[tuple[str, int]], pick: bool, shown: int) -> str:
    said = [f"{name} {number}" for name, number in kinds[:shown]]
    if more := len(kinds) - shown:
        said += [_MORE[pick].format(n=more)] if more > 0 else []
    return (", " if pick else "，").join(said)
