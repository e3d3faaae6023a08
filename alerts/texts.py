"""What messages say, in zh-CN and English: what, where, since when, on what evidence, what to do. Pure.

The link travels beside the text. Texts are kept short for SMS. Neighbours learn the flat and what to do, and
nothing of the people in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from alerts.case import Hazard
from alerts.evidence import CHINESE, Both, evidence_words
from alerts.hazards import ISOLATING
from alerts.phrases import (
    BOTH_TIMES,
    CLEAR,
    DO,
    DO_OF_HAZARD,
    DO_ON_STAIR,
    ELSEWHERE,
    HEAD,
    ISOLATE,
    KIND,
    LATE,
    MOVED,
    MOVED_TO,
    NAMED_MAX,
    NEWS,
    ONE_TIME,
    REACT,
)
from alerts.sayings import word
from devices.model import Role, Severity
from rules.transition import Mark, Why


@dataclass(frozen=True, slots=True)
class Telling:
    """What a message is about. `since` and `newest` are local wall-clock texts (`alerts.times`; no newest: an
    empty one), `place` words, `answered` role words.

    `saying` is why it is sent now: alarm, call, next, escalated, unanswered, repeat, help, isolate, more,
    more_unanswered (news that nobody has answered), moved (its detector is elsewhere), deadline, overdue,
    all_clear.
    `asker` is the role that asked for help, or what a deadline waits for. `rules`, `detectors` and `title`
    are the grounds (`alerts.evidence`). `devices` are the names of those in alarm where the place alone does
    not say which, worst first; `others` the alarms that `more` and `more_unanswered` speak of, newest first.
    `on_stair`: it happens in the common parts of a stair. `moved_to`: the words for where the only detector
    is registered now, None where it is here, empty where that is no place we know.
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
    newest: str = ""
    on_stair: bool = False
    moved_to: str | None = None


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


def parts_of(telling: Telling, language: str) -> dict[str, str]:
    """The message's pieces, by the names of `alerts.channels.channel.PARTS`, for templates of providers."""
    over = telling.saying == "all_clear"
    return {
        "severity": str(telling.severity),
        "what": _pick(CLEAR, language) if over else _evidence(telling, language),
        "where": _place(telling, language),
        "since": telling.newest or telling.since,
        "do": "" if over else _todo(telling, language),
        "why_now": "" if over else " ".join(_reaction(telling, language)),
    }


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
    return text.format(head=_pick(HEAD[severity], language), uid=uid)


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
    is_brief = t.role is Role.NEIGHBOUR  # they need to know of now
    return _pick(BOTH_TIMES if t.newest and not is_brief else ONE_TIME, language).format(
        head=_pick(HEAD[t.severity], language),
        again=_pick(("再次：", " again"), language) if Mark.SECOND_FIRE in t.tags else "",
        place=_place(t, language),
        since=t.newest or t.since if is_brief else t.since,
        newest=t.newest,
        evidence=_evidence(t, language),
        age=_age(t, language),
    )


def _evidence(t: Telling, language: str) -> str:
    return evidence_words(t.rules, t.detectors, t.hazard, t.severity, language, t.title)


def _place(t: Telling, language: str) -> str:
    here = at_device((t.place, t.place), _listed(t.devices, language))[language != CHINESE]
    if t.moved_to is None:
        return here
    goes_there = t.moved_to and KIND[t.role] in {"worker", "station", "desk"}
    there = t.moved_to or _pick(ELSEWHERE, language)
    return _pick(MOVED_TO if goes_there else MOVED, language).format(place=here, there=there)


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
    if t.saying in LATE:
        return [_pick(LATE[t.saying], language).format(awaited=word(t.asker, language))]
    if t.saying in NEWS:
        also = _listed([_pick(other, language) for other in t.others], language)
        return [_pick(NEWS[t.saying], language).format(also=also)]
    return [_pick(REACT[t.saying], language)] if t.saying in REACT else []


def _listed(words: Sequence[str], language: str) -> str:
    """The first `NAMED_MAX`, and how many more."""
    named = ("、" if language == CHINESE else ", ").join(words[:NAMED_MAX])
    rest = len(words) - NAMED_MAX
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
    kind = KIND[t.role]
    by_hazard = DO_OF_HAZARD.get((t.severity, t.hazard, kind))
    do = (
        (DO_ON_STAIR.get((t.severity, kind)) if t.on_stair else None)
        or by_hazard
        or DO.get((t.severity, kind))
        or DO.get((t.severity, "desk"))
        or ("请查看。", "Please look.")
    )
    isolate = bool(t.tags & ISOLATING) and kind in {"worker", "station", "desk"}
    gap = "" if language == CHINESE else " "
    return (_pick(ISOLATE, language) + gap if isolate else "") + _pick(do, language)


def _say(both: Both, t: Telling, language: str) -> str:
    return _pick(both, language).format(place=t.place)


def _pick(both: Both, language: str) -> str:
    return both[0] if language == CHINESE else both[1]
