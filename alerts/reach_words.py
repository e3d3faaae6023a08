"""What is said of reachability, in zh-CN and English: reasons, the daily message, the fault. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alerts.evidence import CHINESE, Both
from alerts.reach import ContactReach, PlaceReach, Report
from alerts.reachability import NEEDED
from alerts.sayings import word
from alerts.ways import Reach, Reason
from devices.model import PlaceKind
from devices.shortlist import shortlist

REACHES: Final[dict[Reach, Both]] = {
    Reach.NOBODY: ("无人登记", "nobody is bound"),
    Reach.NO_WAY: ("没有联系方式", "no way"),
    Reach.BOUNCED: ("联系方式失效", "bounced"),
    Reach.AWAKE_ONLY: ("夜间叫不醒", "only ways that need somebody awake"),
    Reach.UNPROVEN: ("未经证实", "unproven"),
    Reach.REACHABLE: ("可联系", "reachable"),
}
_REASONS: Final[dict[str, Both]] = {
    "no_way": ("没有登记任何联系方式", "no way is registered"),
    "uncarried": ("{way} 本站没有可用的账户", "nothing carries {way} here: the site has no account"),
    "bounced": (
        "{way} 自 {day} 起 {times} 次未送达{detail}",
        "{way} has not been delivered {times} times since {day}{detail}",
    ),
    "refused": ("{way} 于 {day} 被服务商拒绝{detail}", "{way} was refused on {day}{detail}"),
    "no_call": ("没有电话：{way} 叫不醒人", "no call: {way} wakes nobody"),
    "never": ("{way} 从未证实能收到", "nothing says yet that {way} gets through"),
    "long_ago": ("{way} 最近一次证实是 {day}", "{way} was proven last on {day}"),
    "proven": ("{way} 于 {day} 证实能收到", "{way} got through on {day}"),
}
_HEAD: Final[tuple[Both, Both]] = (
    ("【每日联络核查】", "DAILY CHECK. "),
    ("【每周联络核查】", "WEEKLY CHECK. "),
)
_DO: Final[Both] = (
    "请核对联系方式；清单：gengfu reachability",
    "Correct their entries; list: gengfu reachability",
)
_WELL: Final[Both] = (
    "凡装有设备之处都有人可联系；{proven} 人的联系方式已证实，{unproven} 人未证实。",
    "Wherever a device hangs somebody can be reached; {proven} contacts are proven, {unproven} are not.",
)
FAULT: Final = "bounced_dwellings"
"""The standing fault of dwellings with a smoke detector whose people are all behind ways that fail."""


def reason_text(why: Reason, language: str, day: str) -> str:
    """Why somebody is judged so; `day` is the local day of its time."""
    pick = language != CHINESE
    way = why.way
    said = f"{way.medium} · {way.carrier}（通道 {way.channel_id}）" if way and not pick else ""
    said = f"channel {way.channel_id} ({way.medium} by {way.carrier})" if way and pick else said
    detail = (f"：{why.detail}" if not pick else f": {why.detail}") if why.detail else ""
    return _REASONS[why.word][pick].format(way=said, day=day, times=why.times, detail=detail)


def is_wrong(report: Report) -> bool:
    """Whether the daily message has something to say: a place with nobody, or somebody bound without a way
    that works. What is only unproven, or asleep at night, is for the weekly one."""
    return bool(report.deserted) or any(not one.reach.is_somebody for one in report.contacts)


def report_text(report: Report, language: str, *, weekly: bool) -> str:
    """The one message of the day: what is wrong and what to do; on the weekly one also what is well."""
    pick = language != CHINESE
    lines = [_HEAD[weekly][pick] + line for line in _wrongs(report, language)[:1]]
    lines += _wrongs(report, language)[1:]
    if not lines:
        counts = report.contact_counts
        unproven = counts.get(Reach.UNPROVEN, 0) + counts.get(Reach.AWAKE_ONLY, 0)
        said = _WELL[pick].format(proven=counts.get(Reach.REACHABLE, 0), unproven=unproven)
        lines = [_HEAD[weekly][pick] + said]
    if weekly:
        lines += _gaps(report, language)
    end = [] if not is_wrong(report) and not (weekly and _gaps(report, language)) else [_DO[pick]]
    return (" " if pick else "").join([*lines, *end])


def report_parts(report: Report, site: str, language: str) -> dict[str, str]:
    """Its pieces, by the names of `alerts.channels.channel.PARTS`."""
    pick = language != CHINESE
    what = " ".join(_wrongs(report, language)) or _WELL[pick].format(proven="-", unproven="-")
    return {"severity": "P3", "what": what, "where": site, "do": _DO[pick], "answer": ""}


def _wrongs(report: Report, language: str) -> list[str]:
    pick = language != CHINESE
    said = []
    if bare := report.deserted:
        homes = [one for one in bare if one.kind is PlaceKind.DWELLING]
        said.append(_places(homes or bare, pick, homes=bool(homes)))
        if homes and len(bare) > len(homes):
            said.append(
                _places([one for one in bare if one.kind is not PlaceKind.DWELLING], pick, homes=False)
            )
    said += _people(report.of(Reach.BOUNCED), pick, _BOUNCED)
    said += _people(report.of(Reach.NO_WAY), pick, _NO_WAY)
    return said


def _places(bare: Sequence[PlaceReach], pick: bool, *, homes: bool) -> str:
    codes, number = [one.code for one in bare], len(bare)
    if not pick:
        return f"{number} {'户' if homes else '处'}无人可联系：{shortlist(codes, chinese=True)}。"
    one, many = ("dwelling has", "dwellings have") if homes else ("other place has", "other places have")
    return f"{number} {one if number == 1 else many} nobody reachable: {shortlist(codes)}."


_BOUNCED: Final[tuple[str, str, str]] = (
    "{number} 人的联系方式全部失效：{codes}。",
    "1 contact's ways all bounce: {codes}.",
    "{number} contacts' ways all bounce: {codes}.",
)
_NO_WAY: Final[tuple[str, str, str]] = (
    "{number} 人没有可用的联系方式：{codes}。",
    "1 contact has no way: {codes}.",
    "{number} contacts have no way: {codes}.",
)


def _people(found: Sequence[ContactReach], pick: bool, forms: tuple[str, str, str]) -> list[str]:
    if not found:
        return []
    form = forms[0] if not pick else forms[1] if len(found) == 1 else forms[2]
    codes = shortlist([one.code for one in found], chinese=not pick)
    return [form.format(number=len(found), codes=codes)]


def _gaps(report: Report, language: str) -> list[str]:
    """Roles that places need and nobody holds there."""
    pick = language != CHINESE
    found = []
    for role in NEEDED:
        number = sum(1 for one in report.places if role in one.missing)
        if number:
            name = word(role, language)
            places = "place has" if number == 1 else "places have"
            found.append(f"{number} {places} no {name}." if pick else f"{number} 处没有可联系的{name}。")
    return found


def fault_text(bare: Sequence[PlaceReach]) -> str:
    """The standing fault, in zh-CN and English."""
    codes = [one.code for one in bare]
    chinese = f"{len(codes)} 户装有烟感，但登记的联系方式全部失效：{shortlist(codes, chinese=True)}"
    one = "1 dwelling with a smoke detector has"
    homes = one if len(codes) == 1 else f"{len(codes)} dwellings with a smoke detector have"
    english = f"{homes} nobody reachable, every way to its people fails: {shortlist(codes)}"
    return f"{chinese} · {english}; gengfu reachability"
