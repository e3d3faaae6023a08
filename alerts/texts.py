"""What messages say, in zh-CN and English: what, where, since when, on what evidence, what to do. Pure.

The link travels beside the text. Texts are kept short for SMS. Neighbours learn the flat and what to do, and
nothing of the people in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from alerts.case import Hazard
from alerts.evidence import CHINESE, Both, evidence_words
from alerts.hazards import ISOLATING
from alerts.sayings import word
from devices.model import Role, Severity
from rules.transition import Mark, Why


@dataclass(frozen=True, slots=True)
class Telling:
    """What a message is about. `since` is local wall-clock text, `place` words, `answered` role words.

    `saying` is why it is sent now: alarm, call, next, escalated, unanswered, repeat, help, isolate, more,
    all_clear.
    `asker` is the role that asked for help. `rules`, `detectors` and `title` are the grounds
    (`alerts.evidence`). `devices` are the names of those in alarm where the place alone does not say which,
    worst first; `others` the alarms that `more` speaks of, newest first.
    """

    saying: str
    severity: Severity
    hazard: Hazard
    role: Role
    place: str
    since: str
    rules: frozenset[str]
    detectors: int
    tags: frozenset[str]
    answered: tuple[str, ...] = ()
    asker: str = ""
    title: Why | None = None
    devices: tuple[str, ...] = ()
    others: tuple[Both, ...] = ()


_HEAD: Final[Mapping[Severity, Both]] = {
    Severity.P0_PLUS: ("【真火】", "FIRE CONFIRMED"),
    Severity.P0: ("【火警】", "FIRE ALARM"),
    Severity.P1: ("【严重】", "SERIOUS"),
    Severity.P2: ("【请上门】", "PLEASE VISIT"),
    Severity.P3: ("【维护】", "UPKEEP"),
}
_DO: Final[Mapping[tuple[str, str], Both]] = {
    ("P0+", "family"): ("请立即让家人撤离并拨119。", "Get your people out and call 119."),
    ("P0+", "neighbour"): ("请立即走楼梯撤离。", "Leave now by the stairs."),
    ("P0+", "worker"): ("请组织撤离，勿冒险。", "Get people out; take no risks."),
    ("P0+", "station"): ("请立即出动。", "Turn out now."),
    ("P0+", "desk"): ("请立即跟进。", "Follow up now."),
    ("P0", "family"): ("请立即核实并回复。", "Check at once and answer."),
    ("P0", "neighbour"): ("请查看并准备撤离，勿乘电梯。", "Look, be ready to leave, use no lift."),
    ("P0", "worker"): ("请立即到场查看并回复。", "Go and look at once, then answer."),
    ("P0", "station"): ("请立即前往核实。", "Go and verify at once."),
    ("P0", "desk"): ("请立即跟进。", "Follow up now."),
    ("P1", "family"): ("请关闭大功率电器并回复。", "Switch off heavy loads and answer."),
    ("P1", "worker"): ("请尽快到场断开该回路。", "Go soon and switch the circuit off."),
    ("P1", "desk"): ("请跟进。", "Please follow up."),
    ("P2", "worker"): ("请上门查看并回复。", "Please visit and answer."),
    ("P2", "desk"): ("请跟进。", "Please follow up."),
}
_DO_OF_HAZARD: Final[Mapping[tuple[str, Hazard, str], Both]] = {
    ("P1", Hazard.FIRE, "family"): (
        "请立即查看有无烟火并回复。",
        "Look at once for smoke or fire and answer.",
    ),
    ("P1", Hazard.FIRE, "neighbour"): ("请查看有无烟火。", "Look for smoke or fire."),
    ("P1", Hazard.FIRE, "worker"): (
        "请立即到场查看有无烟火并回复。",
        "Go and look at once: is there smoke or a fire? Answer.",
    ),
    ("P1", Hazard.FIRE, "station"): ("请前往查看有无烟火。", "Go and look for smoke or fire."),
    ("P1", Hazard.FAULT, "family"): (
        "请留意家人，该处暂无监护。",
        "Look after your people: they are unwatched.",
    ),
    ("P1", Hazard.FAULT, "worker"): (
        "请检查该处供电、网络和设备，其间居民无监护。",
        "Check power, network and devices there: people are unwatched.",
    ),
    ("P1", Hazard.FAULT, "desk"): (
        "请跟进供电和网络，其间居民无监护。",
        "Follow up power and network: people are unwatched.",
    ),
}
"""What to do where the hazard decides it; everything else as `_DO` says."""
_NAMED_MAX: Final = 2
"""Devices and alarms that a message names; of the rest it says how many (chosen: SMS)."""
_ISOLATE: Final[Both] = ("先断电，勿用水。", "Isolate the electricity first, no water.")
_REACT: Final[Mapping[str, Both]] = {
    "call": ("尚未收到您的回应。", "No answer from you yet."),
    "next": ("前一位未应答。", "The one before you has not answered."),
    "repeat": ("救援尚未到场。", "Help has not arrived yet."),
    "isolate": ("新情况：涉及带电线路。", "New: live wiring is involved."),
}
_KIND: Final[Mapping[Role, str]] = {
    Role.FAMILY: "family",
    Role.NEIGHBOUR: "neighbour",
    Role.VOLUNTEER: "worker",
    Role.GRID_WORKER: "worker",
    Role.BUILDING_SECRETARY: "worker",
    Role.MAINTENANCE: "worker",
    Role.MICRO_STATION: "station",
    Role.FIRE_BRIGADE: "station",
    Role.DUTY_DESK: "desk",
    Role.SUPERVISOR: "desk",
}


def compose(telling: Telling, language: str) -> str:
    """The message for one contact."""
    if telling.saying == "all_clear":
        return _say(
            ("【解除】{place} 的火警已结束。", "ALL CLEAR. {place}: the fire alarm has ended."),
            telling,
            language,
        )
    parts = [_headline(telling, language), *_reaction(telling, language), _todo(telling, language)]
    return ("" if language == CHINESE else " ").join(part for part in parts if part)


def at_device(words: Both, device: str) -> Both:
    """`words` with the device they are about, where one must be named."""
    return (f"{words[0]}（{device}）", f"{words[1]} ({device})") if device else words


def plain_warning(severity: Severity, uid: str, language: str) -> str:
    """What the duty desk is told when nothing better could be worked out."""
    text = _pick(
        (
            "{head}设备 {uid} 报警，系统未能确定地点与联系人，请立即核查。",
            "{head}: device {uid} is in alarm; place and contacts could not be worked out. Check at once.",
        ),
        language,
    )
    return text.format(head=_pick(_HEAD[severity], language), uid=uid)


def unreadable_warning(place: str, language: str) -> str:
    """What the duty desk is told of an incident that this release cannot read."""
    text = _pick(
        (
            "【系统故障】{place} 的警情系统无法读取，后续通知已停，请立即核查。",
            "SYSTEM FAULT: {place}: this incident cannot be read, nobody else is told. Check at once.",
        ),
        language,
    )
    return text.format(place=place)


def unknown_place(uid: str, topic: str, language: str) -> str:
    """The place of a device that nobody registered."""
    text = _pick(("地点不明（设备 {uid}{topic}）", "place unknown (device {uid}{topic})"), language)
    comma = "，" if language == CHINESE else ", "
    return text.format(uid=uid, topic=f"{comma}{topic[:120]}" if topic else "")


def system_place(what: str, language: str) -> str:
    """Where a fault of the system is, with what it is, as far as that is known."""
    text = _pick(("本系统", "this system"), language)
    return f"{text}（{what}）" if what and language == CHINESE else f"{text} ({what})" if what else text


def since_text(at_us: int, now_us: int, zone: tzinfo) -> str:
    """`14:02` in the site's time, with the date in front when that is another day."""
    at = datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(zone)
    today = datetime.fromtimestamp(now_us / 1e6, UTC).astimezone(zone).date()
    return at.strftime("%H:%M" if at.date() == today else "%m-%d %H:%M")


def _headline(t: Telling, language: str) -> str:
    evidence = evidence_words(t.rules, t.detectors, t.hazard, t.severity, language, t.title)
    pattern = (
        "{head}{again}{place}，{since}起{evidence}{age}。",
        "{head}{again}: {place}, {evidence} since {since}{age}.",
    )
    return _pick(pattern, language).format(
        head=_pick(_HEAD[t.severity], language),
        again=_pick(("再次：", " again"), language) if Mark.SECOND_FIRE in t.tags else "",
        place=at_device((t.place, t.place), _listed(t.devices, language))[language != CHINESE],
        since=t.since,
        evidence=evidence,
        age=_age(t, language),
    )


def _age(t: Telling, language: str) -> str:
    """life_safety, smoke 3: late smoke is marked with its age; the time it is from stands before it."""
    if Mark.AGE_UNKNOWN in t.tags:
        return _pick(("（时间不明）", " (time unknown)"), language)
    return _pick(("（迟报）", " (reported late)"), language) if Mark.LATE in t.tags else ""


def _reaction(t: Telling, language: str) -> list[str]:
    """Why this is sent now."""
    if t.saying == "help":
        who = word(t.asker, language)
        return [_pick(("{who}请求支援。", "The {who} asks for help."), language).format(who=who)]
    if t.saying in {"unanswered", "escalated"}:
        return [_unanswered(t, language)]
    if t.saying == "more":
        also = _listed([_pick(other, language) for other in t.others], language)
        return [_pick(("此处又有报警：{also}。", "Another alarm here: {also}."), language).format(also=also)]
    return [_pick(_REACT[t.saying], language)] if t.saying in _REACT else []


def _listed(words: Sequence[str], language: str) -> str:
    """The first `_NAMED_MAX`, and how many more."""
    named = ("、" if language == CHINESE else ", ").join(words[:_NAMED_MAX])
    rest = len(words) - _NAMED_MAX
    return named + (_pick(("，另有{n}处", " and {n} more"), language).format(n=rest) if rest > 0 else "")


def _unanswered(t: Telling, language: str) -> str:
    if not t.answered:
        state = ("未确认，无人应答。", "Unconfirmed, no answer.")
        if t.severity is Severity.P0_PLUS or t.saying == "escalated":
            state = ("尚无人应答。", "No answer yet.")
        return _pick(state, language)
    who = ("、" if language == CHINESE else ", ").join(word(role, language) for role in t.answered)
    state = ("仅{who}收到，尚未到场。", "Only received by: {who}; nobody has arrived.")
    if t.saying == "unanswered" and t.severity is not Severity.P0_PLUS:
        state = ("未确认，仅{who}收到。", "Unconfirmed; only received by: {who}.")
    return _pick(state, language).format(who=who)


def _todo(t: Telling, language: str) -> str:
    kind = _KIND[t.role]
    by_hazard = _DO_OF_HAZARD.get((t.severity, t.hazard, kind))
    do = (
        by_hazard
        or _DO.get((t.severity, kind))
        or _DO.get((t.severity, "desk"))
        or ("请查看。", "Please look.")
    )
    isolate = bool(t.tags & ISOLATING) and kind in {"worker", "station", "desk"}
    gap = "" if language == CHINESE else " "
    return (_pick(_ISOLATE, language) + gap if isolate else "") + _pick(do, language)


def _say(both: Both, t: Telling, language: str) -> str:
    return _pick(both, language).format(place=t.place)


def _pick(both: Both, language: str) -> str:
    return both[0] if language == CHINESE else both[1]
