"""Words that no file of a site changes: for places nobody knows, for the faults of the system itself, and
what is told when nothing better could be worked out. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final

from alerts.evidence import CHINESE, Both
from devices.model import Severity

_HEAD: Final[Mapping[Severity, Both]] = {
    Severity.P0_PLUS: ("【真火】", "FIRE CONFIRMED"),
    Severity.P0: ("【火警】", "FIRE ALARM"),
    Severity.P1: ("【严重】", "SERIOUS"),
    Severity.P2: ("【请上门】", "PLEASE VISIT"),
    Severity.P3: ("【维护】", "UPKEEP"),
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


def _pick(both: Both, language: str) -> str:
    return both[0] if language == CHINESE else both[1]
