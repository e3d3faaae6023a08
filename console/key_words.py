"""The keys of the console and what they are called; the words of filter, presence, notices and comfort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alerts.case import Act

ACT_KEYS: Final[Mapping[Act, str]] = {
    Act.ACKNOWLEDGE: "t", Act.CONFIRM: "c", Act.ARRIVED: "a", Act.NEED_HELP: "h", Act.FALSE_ALARM: "f",
    Act.HANDLED: "d", Act.FEEDBACK: "b", Act.VERIFY: "v", Act.CLOSE: "e", Act.REOPEN: "o", Act.RESET: "r",
    Act.CANCEL: "x", Act.REJECT: "u", Act.NOTE: "n",
}  # fmt: skip
"""One key for each button of an incident. `g`, `j`, `k`, `m` and `s` are the page's own."""
ENDING: Final = frozenset({Act.FALSE_ALARM, Act.CLOSE, Act.CANCEL, Act.REJECT})
"""Acts that end something: they are asked about before they go in (`ask.ACT`)."""
KEYS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("keys.everywhere", ("keys.list", "keys.board", "keys.places", "keys.wall", "keys.siren", "keys.back")),
    ("keys.on.board", ("keys.down", "keys.up", "keys.open", "keys.take", "keys.filter")),
    ("keys.on.incident", ("keys.note", "keys.disposition", "keys.leave")),
)
"""What the list of keys says, part by part; the acts of an incident stand on their buttons too."""

KEY_WORDS: Final[dict[str, tuple[str, str]]] = {
    "keys": ("快捷键", "Keys"),
    "keys.close": ("关闭", "Close"),
    "keys.everywhere": ("各页", "Everywhere"),
    "keys.on.board": ("看板", "On the board"),
    "keys.on.incident": ("警情页", "On an incident"),
    "keys.list": ("? 　显示本列表", "? — this list"),
    "keys.board": ("g b 　看板", "g b — the board"),
    "keys.places": ("g p 　楼栋", "g p — places"),
    "keys.wall": ("g w 　大屏", "g w — the wall"),
    "keys.siren": ("g f 　打开无人接手的火警", "g f — the fire alarm that nobody has taken"),
    "keys.back": ("Esc 　返回，或离开输入框", "Esc — back, or out of a field"),
    "keys.down": ("j ↓ 　下一条", "j ↓ — next line"),
    "keys.up": ("k ↑ 　上一条", "k ↑ — line before"),
    "keys.open": ("Enter 　打开", "Enter — open it"),
    "keys.take": ("t 　接手所标记的一条", "t — take the marked one"),
    "keys.filter": ("/ 　筛选", "/ — the filter"),
    "keys.note": ("m 　写原因或备注", "m — write a cause or note"),
    "keys.disposition": ("s 　选结论", "s — choose what it was"),
    "keys.leave": ("Esc 　离开输入框，再按操作键", "Esc — out of the field, then the key of an act"),
    # what is asked before it goes in
    "ask.yes": ("确定", "Yes"),
    "ask.no": ("不", "No"),
    "ask.gone": (
        "这个操作现在已不可用，没有提交。",
        "This can no longer be done; nothing was handed in.",
    ),
    "ask.false_alarm": (
        "确定为误报？电话和升级将停止（有第二个设备报警时除外）。",
        "A false alarm? Calls and escalation stop, unless a second device is in alarm.",
    ),
    "ask.close": ("确定结束这条警情？", "Close this incident?"),
    "ask.cancel": ("确定撤销这条警情？", "Cancel this incident?"),
    "ask.reject": ("确定退回这条警情？", "Reject this incident?"),
    # filter
    "filter": ("筛选", "Filter"),
    "filter.area": ("区域", "Area"),
    "filter.hazard": ("险情", "Kind"),
    "filter.state": ("状态", "State"),
    "filter.least": ("至少", "At least"),
    "filter.mine": ("我接手的", "Mine"),
    "filter.any": ("全部", "all"),
    "filter.do": ("应用", "Apply"),
    "filter.clear": ("显示全部", "Show all"),
    "hidden.more": ("条被筛选隐藏，其中火警", "more, of them"),
    "hidden.fires": ("条", "fires, are hidden by the filter"),
    "hidden.rule": (
        "无人接手的火警和求助不会被隐藏。",
        "Fire alarms that nobody has taken and calls for help are never hidden.",
    ),
    # several at one desk
    "presence.also": ("也在查看：", "Also looking at this:"),
    "act.overtaken": ("没有提交", "Not handed in"),
    "overtaken.in": ("期间", "In between"),
    "overtaken.did": ("已操作：", "did:"),
    "overtaken.at": ("时间", "at"),
    "overtaken.still": (
        "仍要继续，请再按一次。",
        "Still do it? Press it again.",
    ),
    # notices of the browser
    "notify.ask": ("打开桌面通知", "Switch desktop notices on"),
    "notify.off": (
        "本浏览器不能发桌面通知：只有声音和标题会提醒",
        "This browser shows no desktop notices: only sound and title warn",
    ),
    "notify.title": ("火警，无人接手", "Fire alarm, not taken"),
    # comfort
    "comfort": ("显示与声音", "Display and sound"),
    "comfort.theme": ("主题", "Theme"),
    "comfort.theme.auto": ("跟随系统", "as the system"),
    "comfort.theme.light": ("浅色", "light"),
    "comfort.theme.dark": ("深色", "dark"),
    "comfort.size": ("字号", "Type"),
    "comfort.size.normal": ("标准", "normal"),
    "comfort.size.large": ("大", "large"),
    "comfort.size.largest": ("特大", "largest"),
    "comfort.volume": ("报警音量", "Alarm sound"),
    "comfort.volume.100": ("全部音量", "full"),
    "comfort.volume.60": ("中等", "middle"),
    "comfort.volume.30": ("较轻", "soft"),
    "comfort.keep": ("保存", "Keep"),
}
"""In zh-CN and English, as `console.words` has them."""
