"""The sentences that messages are made of, in zh-CN and English.

Kept short for SMS. What to do is said by severity and by what somebody is to the place; residents are never
sent to a breaker, and nobody into a fire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alerts.case import Hazard
from alerts.evidence import Both
from devices.model import Role, Severity

HEAD: Final[Mapping[Severity, Both]] = {
    Severity.P0_PLUS: ("【真火】", "FIRE CONFIRMED"),
    Severity.P0: ("【火警】", "FIRE ALARM"),
    Severity.P1: ("【严重】", "SERIOUS"),
    Severity.P2: ("【请上门】", "PLEASE VISIT"),
    Severity.P3: ("【维护】", "UPKEEP"),
}
DO: Final[Mapping[tuple[str, str], Both]] = {
    ("P0+", "family"): ("请立即让家人撤离并拨119。", "Get your people out and call 119."),
    ("P0+", "neighbour"): (
        "请立即走楼梯撤离；楼梯有烟则勿进，关门堵缝，拨119。",
        "Leave now by the stairs; if they are full of smoke stay in, shut the door, call 119.",
    ),
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
DO_OF_HAZARD: Final[Mapping[tuple[str, Hazard, str], Both]] = {
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
"""What to do where the hazard decides it; everything else as `DO` says."""
DO_ON_STAIR: Final[Mapping[tuple[str, str], Both]] = {
    ("P0+", "neighbour"): (
        "火在楼梯：确认无烟再下楼，否则勿进，关门堵缝，拨119。",
        "The fire is on the stairs: go down only if they are clear, else stay in, shut the door, call 119.",
    ),
    ("P0", "neighbour"): (
        "请隔门查看楼梯；有烟勿进，关门堵缝，拨119。",
        "Look from your door; if the stairs are full of smoke stay in, shut it, call 119.",
    ),
}
"""What to do where the fire is on the stairs: nobody may be sent into it."""
ONE_TIME: Final[Both] = (
    "{head}{again}{place}，{since}起{evidence}{age}。",
    "{head}{again}: {place}, {evidence} since {since}{age}.",
)
BOTH_TIMES: Final[Both] = (
    "{head}{again}{place}，{evidence}（{since}起，最新{newest}）{age}。",
    "{head}{again}: {place}, {evidence} (began {since}, newest alarm {newest}){age}.",
)
NAMED_MAX: Final = 2
"""Devices and alarms that a message names; of the rest it says how many (chosen: SMS)."""
ISOLATE: Final[Both] = ("先断电，勿用水。", "Isolate the electricity first, no water.")
REACT: Final[Mapping[str, Both]] = {
    "call": ("尚未收到您的回应。", "No answer from you yet."),
    "next": ("前一位未应答。", "The one before you has not answered."),
    "repeat": ("救援尚未到场。", "Help has not arrived yet."),
    "isolate": ("新情况：涉及带电线路。", "New: live wiring is involved."),
    "moved": ("火警在现登记处。", "The alarm is where it is now."),
}
MOVED: Final[Both] = (
    "{place}（探测器现登记在{there}）",
    "{place} (its detector is registered at {there} now)",
)
"""The place of a fire whose only detector is registered elsewhere now (`alerts.moved`)."""
MOVED_TO: Final[Both] = (
    "{there}（探测器原登记在{place}）",
    "{there} (its detector was registered at {place})",
)
"""The same for those who go there: first the place that holds now, for templates of providers cut the end."""
ELSEWHERE: Final[Both] = ("别处", "another place")
NEWS: Final[Mapping[str, Both]] = {
    "more": ("此处又有报警：{also}。", "Another alarm here: {also}."),
    "more_unanswered": ("新报警无人回应：{also}。", "Nobody has answered: {also}."),
}
LATE: Final[Mapping[str, Both]] = {
    "deadline": ("超过时限，尚未{awaited}。", "Overdue: not {awaited} in time."),
    "overdue": ("超过时限一倍，仍未{awaited}。", "Twice the time is over: still not {awaited}."),
}
"""Of an incident in hand that stays where it is too long (`alerts.deadlines`)."""
KIND: Final[Mapping[Role, str]] = {
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
CLEAR: Final[Both] = ("火警解除", "all clear")
"""What an all-clear is about, where a template has a place for the alarm."""
