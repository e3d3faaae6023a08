"""What is said of the people of a place, of their numbers, and of what happened there before."""

from __future__ import annotations

from typing import Final

PEOPLE_WORDS: Final[dict[str, tuple[str, str]]] = {
    "people": ("相关人员", "Who belongs to this place"),
    "people.reading": ("正在读取……", "Reading…"),
    "people.none": (
        "没有人绑定到这里，也没有值班台。",
        "Nobody is bound to this place, and there is no duty desk.",
    ),
    "people.unread": (
        "系统读不出这条警情涉及谁；报警不受影响。",
        "Whom this incident concerns cannot be read; alarms are not affected.",
    ),
    "people.sealed": (
        "密钥打不开：现在不能显示姓名和号码；通知和其他操作不受影响。",
        "The key does not open: names and numbers cannot be shown now. Everything else works.",
    ),
    "people.unnamed": ("姓名打不开", "name cannot be opened"),
    "people.away": ("不在，由他人代班", "away, somebody stands in"),
    "people.for": ("代替", "stands in for"),
    "people.unreachable": ("联系不上", "unreachable"),
    "people.no_way": ("没有登记联系方式", "no way to reach them is registered"),
    "people.agreed": ("同意接收未确认火警", "takes unconfirmed alarms"),
    "people.untold": ("未通知", "not told"),
    "people.next_door": ("邻居：其误报回答只作备注", "next door: their “false alarm” is only a note"),
    "held.unconfirmed": (
        "确认真火后才联系消防救援站",
        "the fire brigade is reached once a fire is confirmed",
    ),
    "held.exercise": ("演练或测试，不联系消防站", "an exercise: no station is reached"),
    "held.over": ("警情已结束超过一天，不再显示号码", "over for more than a day: no numbers"),
    "number": ("号码", "Number"),
    "number.of": ("号码：", "Number of"),
    "number.noted": ("本次查看已记录", "This look is on record"),
    "number.back": ("返回警情", "Back to the incident"),
    "number.too_many": (
        "查看号码过于频繁：十分钟内最多 30 次。已记录。",
        "Too many numbers asked for: at most 30 in ten minutes. This is on record.",
    ),
    "number.unopened": (
        "密钥打不开这个号码；请通知维护人员。其他操作不受影响。",
        "The key does not open this number; tell maintenance. Everything else works.",
    ),
    "number.unconfirmed": (
        "确认真火后才显示消防救援站的号码。",
        "The fire brigade's number is shown once a fire is confirmed.",
    ),
    "number.exercise": (
        "演练或测试，不显示消防站的号码。",
        "An exercise: no station's number is shown.",
    ),
    "number.over": (
        "警情已结束超过一天，不再显示号码。",
        "It ended more than a day ago: numbers are no longer shown.",
    ),
    "past": ("这里以前发生过什么", "What happened here before"),
    "past.reading": ("正在读取……", "Reading…"),
    "past.none": ("这里和这栋楼以前没有警情。", "Nothing happened here or in this building before."),
    "past.now": ("同一栋楼现在未结束的警情", "Open in this building now"),
    "past.before": ("以前的警情", "Before"),
    "past.more": ("另有", "and more:"),
    "past.near0": ("本处", "here"),
    "past.near1": ("同单元", "same stair"),
    "past.near2": ("同楼", "same building"),
    "past.false_alarm": ("误报", "false alarm"),
    "past.false": ("近 {days} 天本处误报 {count} 次", "{count} false alarms here in {days} days"),
    "past.false_one": ("近 {days} 天本处误报 {count} 次", "{count} false alarm here in {days} days"),
    "past.all": ("{said}，均为：{cause}", "{said}, all: {cause}"),
}
"""By key, as `console.words` has them: Chinese, English."""
