"""What the one-tap page says, in zh-CN and English: short, for people who are running or frightened."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = {"zh-CN": "中文", "en": "English"}

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "since": ("开始于", "Since"),
    "newest": ("最新报警", "newest alarm"),
    "minutes": ("分钟前", "min ago"),
    "you.are": ("您的身份", "You are"),
    "you.said": ("您已回应：", "Your answer:"),
    "others": ("还通知了谁", "Who else was told"),
    "others.none": ("目前只通知了您。", "Only you so far."),
    "answered.not": ("未回应", "no answer yet"),
    "answered": ("已回应", "answered"),
    "note": ("补充说明（可不填）", "Anything to add (optional)"),
    "over": ("这件事已经结束。", "This is over."),
    "nothing": ("现在不需要您操作，请保持电话畅通。", "Nothing for you to do now. Keep your phone at hand."),
    "summary": ("汇总", "Summary"),
    "summary.many": ("{n} 处报警", "{n} alarms"),
    "summary.all": ("全部收到，我去看", "I have all of them"),
    "summary.apart": (
        "以下警情是火警，或在汇总发出后有新情况，不含在“全部收到”内，请逐处打开：",
        "A fire alarm, or news since this summary. “I have all of them” is not about these. Open each:",
    ),
    "summary.more": ("另有 {n} 处未列出。", "{n} more are not listed."),
    "missing": ("此链接无效或已过期。", "This link is not valid, or no longer."),
    "missing.more": (
        "如发现火情，请立即拨打 119。",
        "If there is a fire, call 119 at once.",
    ),
    "emergency": (
        "看到明火或浓烟：先撤离，拨打 119。",
        "Flames or thick smoke: get out first, then call 119.",
    ),
    "exercise": (
        "这是演练或调试，不是真实警情。如真有火情，请拨119。",
        "This is an exercise or a test. In a real fire call 119.",
    ),
    "electrical": ("有电气报警：先断电。", "Electrical alarm here: switch the power off first."),
    "failed": ("页面出错，请再试一次。", "The page failed. Please try again."),
    "severity.P0+": ("真火 · 已确认", "FIRE · confirmed"),
    "severity.P0": ("火警 · 请立即查看", "Fire alarm · look at once"),
    "severity.P1": ("严重隐患 · 请尽快处理", "Serious hazard · act soon"),
    "severity.P2": ("隐患 · 请上门查看", "Hazard · visit please"),
    "severity.P3": ("设备维护", "Upkeep"),
    "hazard.fire": ("火灾报警", "Fire alarm"),
    "hazard.electrical": ("电气报警", "Electrical alarm"),
    "hazard.fault": ("设备故障", "Device fault"),
    "hazard.system": ("系统故障", "Fault of the system"),
    "act.acknowledge": ("收到，我去看", "I have it"),
    "act.confirm": ("确认是真火", "It is a real fire"),
    "act.false_alarm": ("误报，没有火", "False alarm, no fire"),
    "act.arrived": ("我已到场", "I have arrived"),
    "act.need_help": ("需要支援", "I need help"),
    "act.handled": ("已处理完", "It is dealt with"),
    "act.feedback": ("反馈原因", "Report the cause"),
    "act.verify": ("核实无误", "I have checked it"),
    "act.note": ("只留言", "Leave a note only"),
    "state.new": ("新警情", "new"),
    "state.reported": ("已上报", "reported"),
    "state.dispatched": ("已通知", "people told"),
    "state.reopened": ("已重新打开", "reopened"),
    "state.acknowledged": ("有人接手", "somebody has it"),
    "state.arrived": ("已有人到场", "somebody is there"),
    "state.handled": ("已处置", "dealt with"),
    "state.feedback": ("已反馈", "fed back"),
    "state.verified": ("已核实", "checked"),
    "state.closed": ("已结束", "closed"),
    "state.cancelled": ("已撤销", "cancelled"),
    "state.rejected": ("已退回", "rejected"),
    "said.done": ("已收到您的回应", "Your answer is in"),
    "said.noted": ("已记录", "Noted"),
    "said.refused": ("没有生效", "Not accepted"),
    "said.waiting": (
        "已提交，稍后生效；不必重复点。",
        "Handed in, it takes effect shortly; no need to tap again.",
    ),
    "said.unknown": ("没有这个选项。", "There is no such choice."),
    "said.needs_note": ("没有提交：请先写说明。", "Not handed in: write a few words first."),
}


def say(language: str, key: str) -> str:
    """The words for `key`; a key nobody wrote is shown by its last part."""
    both = _WORDS.get(key)
    if both is None:
        return key.rsplit(".", 1)[-1]
    return both[0] if language == "zh-CN" else both[1]


def keys() -> list[str]:
    """Every key, for the tests."""
    return list(_WORDS)
