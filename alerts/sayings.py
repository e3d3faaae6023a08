"""Lines for the timeline and answers to acts, stored once and read in the reader's language.

A saying is a code and its arguments, packed as JSON into a text column. Whoever shows it renders it in
zh-CN or English. Text that is no packed saying is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from alerts.case import RELEASE, SILENCED
from alerts.merge_words import MERGING
from rules.transition import Why

LINES: Final[Mapping[str, tuple[str, str]]] = {
    **MERGING,
    # what became of a transition
    "opened": ("警情开始：{why}", "opened: {why}"),
    "joined": ("并入证据：{why}", "joined as evidence: {why}"),
    "second_fire": ("再次起火，全部重新通知：{why}", "second fire, everybody is told again: {why}"),
    "again": ("处置后再次报警，重新通知：{why}", "alarm after it was dealt with, told again: {why}"),
    "anew": ("恢复后再次报警，重新通知：{why}", "alarm after all had cleared, told again: {why}"),
    "raised": ("升级为 {severity}：{why}", "raised to {severity}: {why}"),
    "noted": ("仅记录：{why}", "noted only: {why}"),
    "cleared": ("{rule} 已恢复：{why}", "{rule} cleared: {why}"),
    "ended_here": (
        "{rule} 在此结束，在另一警情中继续",
        "{rule} is over here and goes on in another incident",
    ),
    "related": ("相关警情 #{other}", "related incident #{other}"),
    "unrouted": (
        "通知对象未能确定，已通知值班台：{fault}",
        "could not work out whom to tell, the duty desk was told: {fault}",
    ),
    "unreadable": (
        "系统无法读取这条警情，已通知值班台",
        "the system cannot read this incident, the duty desk was told",
    ),
    # what became of a step
    "told": ("{step}：已发出 {roles}", "{step}: sent to {roles}"),
    "told_unheard": (
        "新报警无人回应，{step}：已发出 {roles}",
        "news that nobody answered, {step}: sent to {roles}",
    ),
    "left_out": ("{step}：没有可联系的 {roles}", "{step}: nobody reachable as {roles}"),
    "left_out_drill": ("{step}：演练不通知 {roles}", "{step}: an exercise does not reach {roles}"),
    "left_out_away": ("{step}：{roles} 由代班人代替", "{step}: a substitute is told for {roles}"),
    "left_out_quiet": ("{step}：{roles} 在免打扰时段", "{step}: quiet hours of {roles}"),
    "step_said": (
        "{step}：警情本身的通知仍在进行，新报警不另行通知",
        "{step}: not for the news, the incident's own steps go on",
    ),
    "overdue": ("超过时限，尚未{awaited}", "overdue: not {awaited} in time"),
    "step_nobody": ("{step}：没有可联系的人", "{step}: nobody could be told"),
    "step_later": ("{step}：按登记稍后通知", "{step}: later, as their bindings say"),
    "step_stopped": ("{step}：不再需要", "{step}: no longer needed"),
    "rolled_up": ("{role}：{count} 条合并为一条汇总", "{role}: {count} messages told as one summary"),
    "looked": ("查看了 {contact} 的号码", "looked at the number of {contact}"),
    # windows
    "silenced": (
        "已静默至 {until}（{by}：{why}），到时仍未恢复再通知",
        "silenced until {until} by {by}: {why}; told then if it still stands",
    ),
    "silence_over": ("静默结束，警情仍在，现在通知", "the silence is over and it still stands: told now"),
    "silence_over_untold": (
        "静默结束，警情已处置或恢复，不再通知",
        "the silence is over: handled or cleared meanwhile, nobody is told",
    ),
    "exercise_over": ("演练或调试时段结束，没有仍在报警的设备", "the window is over, no alarm stands"),
    "exercise_released": (
        "演练或调试时段结束，仍在报警：转为真实警情",
        "the window is over and an alarm still stands: told for real",
    ),
    "set_aside": (
        "{rule} 因演练或调试中的报警而成，不作为真实警情：{why}",
        "{rule} rests on an alarm of this exercise and is not real: {why}",
    ),
    # what became of messages
    "handed_over": ("已送出 {count} 条（{media}）", "{count} handed over ({media})"),
    "handed_over_late": (
        "{roles}（{medium}）：第 {tries} 次才送出",
        "{roles} by {medium}: handed over at try {tries}",
    ),
    "given_up": (
        "{roles}（{medium}）：试 {tries} 次未送出，不再重试：{reason}",
        "{roles} by {medium}: given up at try {tries}: {reason}",
    ),
    "closed_first": (
        "{roles}（{medium}）：未送出时警情已结束，不再重试",
        "{roles} by {medium}: not told, the incident was closed before it worked",
    ),
    "delivered": ("已送达 {count} 条（{media}）", "{count} delivered ({media})"),
    "read": ("已读或已接听 {count} 条（{media}）", "{count} read or picked up ({media})"),
    "undelivered": (
        "{roles}（{medium}）：未送达，改用下一方式：{reason}",
        "{roles} by {medium}: not delivered, the next way is tried: {reason}",
    ),
    "undelivered_last": (
        "{roles}（{medium}）：未送达：{reason}",
        "{roles} by {medium}: not delivered: {reason}",
    ),
    # acts
    "act": ("{act}", "{act}"),
    "act_note": ("{act}：{note}", "{act}: {note}"),
    "act_noted": ("{act}（仅记录：{reason}）", "{act} (noted only: {reason})"),
    "act_refused": ("{act}（未生效：{reason}）", "{act} (refused: {reason})"),
    # why an act was refused or only noted
    "unknown_incident": ("没有这条警情", "there is no such incident"),
    "unknown_act": ("没有这种操作", "there is no such act"),
    "stranger": ("您不是此处的联系人", "you are not bound to this place"),
    "not_yours": ("您的身份不能做此操作：{allowed}", "this is for others to do: {allowed}"),
    "ended": ("警情已结束", "the incident has ended"),
    "not_ended": ("警情尚未结束", "the incident has not ended"),
    "not_arrived": ("还没有人到场", "nobody has arrived yet"),
    "not_handled": ("尚未处置", "it has not been handled yet"),
    "too_late": ("已经核实", "it is verified already"),
    "not_fed_back": ("还没有反馈", "nobody has fed back yet"),
    "not_verified": ("尚未由第二人核实", "a second person has not verified it yet"),
    "same_person": ("核实须由反馈人以外的人进行", "somebody else than who fed back must verify"),
    "needs_cause": ("请写明原因", "say what the cause was"),
    "needs_reason": ("请写明理由", "say why"),
    "needs_disposition": (
        "请写明结论：real、nuisance、test、fault 或 unfounded",
        "begin with a disposition: real, nuisance, test, fault or unfounded",
    ),
    "fire_goes_on": ("火警须走完反馈与核实", "a fire alarm must go through feedback and verification"),
    "other_open": ("同一地点另有未结束警情 #{other}", "incident #{other} is open at the same place"),
    "neighbour_note": ("邻居报告误报，不停止通知", "a neighbour's false alarm stops nothing"),
    "second_device": ("另有设备在报警，不停止通知", "a second device is in alarm, so nothing stops"),
    "raised_since": (
        "操作之后又有新的报警，请查看后再操作",
        "an alarm came in after this was pressed: look again",
    ),
    "overtaken": (
        "此后又有新的报警，不停止通知",
        "a newer alarm came in after this answer, so nothing stops",
    ),
    "person_confirmed": (
        "已有人确认真火，须由网格员或值班员判定",
        "a person confirmed the fire; a grid worker or operator must decide",
    ),
    "no_fire": ("这是系统故障，不是火情", "this is a fault of the system, not a fire"),
    "fault": ("系统内部错误，已通知值班台", "a fault of the system; the duty desk was told"),
}

_FAILURES: Final[Mapping[str, str]] = {
    "no answer in time": "没有及时回应",
    "no connection": "连接不上",
    "no connection in time": "没有及时连上",
    "the provider does not answer": "对方没有回应",
    "the connection broke off": "连接中断",
    "the secure connection failed": "安全连接失败",
    "the host name was not found": "找不到主机名",
    "the address is not a web address": "地址不是网址",
    "the address could not be looked up": "地址查不到",
    "the address cannot be read": "地址无法读取",
    "the contact has no such channel any more": "联系人已没有这个通知方式",
    "no channel carries this": "没有通道可发送",
    "the medium is not known": "不认识这种通知方式",
    "the apprise process ended": "apprise 进程已退出",
    "the apprise process cannot be started": "apprise 进程无法启动",
}
"""Why a try failed, in the words of the sender and its channels; what a provider answered stays as it is."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    **{english: (chinese, english) for english, chinese in _FAILURES.items()},
    # media
    "push": ("推送", "push"),
    "sms": ("短信", "SMS"),
    "voice": ("电话", "call"),
    "email": ("邮件", "e-mail"),
    # roles and desks
    "family": ("家属", "family"),
    "neighbour": ("邻居", "neighbours"),
    "grid_worker": ("网格员", "grid worker"),
    "building_secretary": ("楼栋书记", "building secretary"),
    "micro_station": ("微型消防站", "micro fire station"),
    "fire_brigade": ("消防救援站", "fire brigade"),
    "duty_desk": ("值班台", "duty desk"),
    "supervisor": ("主管", "supervisor"),
    "maintenance": ("维护", "maintenance"),
    "volunteer": ("志愿者", "volunteer"),
    "user:operator": ("值班员", "operator"),
    "user:supervisor": ("值班主管", "operators' supervisor"),
    "user:admin": ("管理员", "administrator"),
    # steps
    "at_once": ("立即通知", "at once"),
    "chase": ("催办呼叫", "calls to those who have not answered"),
    "unanswered": ("未确认无应答", "unconfirmed, no answer"),
    "repeat": ("住户重复呼叫", "calls to residents"),
    "secretary": ("升级至书记", "to the secretary"),
    "step.supervisor": ("升级至主管", "to the supervisor"),
    "help": ("求助", "help wanted"),
    "isolate": ("通知先断电", "isolate first"),
    "more": ("通知又有报警", "another alarm"),
    "moved": ("通知探测器现登记在别处", "its detector is elsewhere"),
    RELEASE: ("演练或调试结束", "end of the exercise"),
    SILENCED: ("静默结束", "end of the silence"),
    "all_clear": ("解除通知", "all clear"),
    "deadline": ("时限", "deadline"),
    "overdue": ("超时升级", "long overdue"),
    # what a deadline waits for
    "arrived": ("到场", "arrived"),
    "handled": ("处置", "handled"),
    "feedback": ("反馈", "fed back"),
    "verified": ("核实", "verified"),
    "closed": ("结案", "closed"),
    "of_news": ("新报警", "of the news"),
    # acts
    "act.acknowledge": ("收到", "acknowledged"),
    "act.confirm": ("确认真火", "confirmed the fire"),
    "act.false_alarm": ("误报", "false alarm"),
    "act.arrived": ("到场", "arrived"),
    "act.need_help": ("求助", "asked for help"),
    "act.handled": ("已处置", "handled"),
    "act.feedback": ("反馈", "fed back"),
    "act.verify": ("核实", "verified"),
    "act.close": ("结束", "closed"),
    "act.reopen": ("重新打开", "reopened"),
    "act.reset": ("复位报警", "reset the alarm"),
    "act.cancel": ("撤销", "cancelled"),
    "act.reject": ("退回", "rejected"),
    "act.note": ("备注", "note"),
    "act.merge": ("并入", "merged"),
    "act.split": ("分出", "split"),
}


class Words(tuple[str, ...]):
    """Words of the vocabulary as an argument of a saying; `family*2` is two of them."""


Argument = str | Words | Why
"""Plain text, shown as it is, words to translate, or evidence, which brings both languages along."""


def pack(code: str, because: str = "", **arguments: Argument) -> str:
    """A saying as text for a column. `because` is another packed saying, the line's `reason`."""
    packed: dict[str, object] = {"say": code}
    packed |= {name: asdict(one) if isinstance(one, Why) else one for name, one in arguments.items()}
    if because:
        packed["reason"] = json.loads(because)
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":"))


def render(text: str, language: str) -> str:
    """What a packed saying says; any other text unchanged. Never raises."""
    if not text.startswith('{"say":'):
        return text
    try:
        return _render(json.loads(text), language)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return text  # an old or foreign line: ugly is better than gone


def _render(packed: dict[str, object], language: str) -> str:
    line = _pick(LINES[str(packed["say"])], language)
    return line.format(**{name: _argument(value, language) for name, value in packed.items()})


def word(key: str, language: str) -> str:
    """One word of the vocabulary; the key itself where there is none."""
    both = WORDS.get(key)
    return _pick(both, language) if both else key


def step_word(name: str, language: str) -> str:
    """What a step is called; `help:ROLE` with the role that asked, and of one that follows news
    (`alerts.follow_up`) that it does."""
    name, late, seconds = name.partition("@")
    kind, _, of = name.partition(":")
    text = word("step.supervisor" if kind == "supervisor" else kind, language)
    if kind in {RELEASE, SILENCED}:
        return text
    about = word("of_news" if ":" in of else of, language)
    text = f"{text}（{about}）" if of else text
    return f"{text} +{seconds} s" if late else text


def _argument(value: object, language: str) -> str:
    if isinstance(value, dict):
        return _render(value, language) if "say" in value else Why(**value).said_in(language)
    if isinstance(value, list):
        return ("、" if language == "zh-CN" else ", ").join(_counted(str(item), language) for item in value)
    return str(value)


def _counted(item: str, language: str) -> str:
    """`family*2` as `家属 2`."""
    key, _, count = item.rpartition("*")
    return f"{word(key, language)} {count}" if count.isdecimal() and key else word(item, language)


def _pick(both: tuple[str, str], language: str) -> str:
    return both[0] if language == "zh-CN" else both[1]
