"""What may trouble a process so that somebody must be woken for it, and how a pulse says so.

A pulse holds words parted by `; `. A word may be followed by `: ` and by which it is: a broker or a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from alerts.pulse import RESTARTS, told_in

SILENT: Final = "silent"
NO_BROKER: Final = "no_broker"
FIRST_BROKER: Final = "broker"
"""What a pulse calls the broker of `[broker]` where there are others."""
FURTHER: Final = f"{NO_BROKER}."
"""Before the name of one of `[[brokers]]`, in the word for its absence."""
PROFILE: Final = "profile"
"""The word of a profile file that cannot be used; which, says `FILE:LINE: KEY: PROBLEM`."""
OF_PROFILE: Final = f"{PROFILE}."
"""Before the name of the file, in the word for it: each file is a trouble of its own."""
RULES: Final = "rules"
"""The word of a rule file that cannot be used; why, says `FILE, line N: KEY: PROBLEM`."""


@dataclass(frozen=True, slots=True)
class Ailment:
    """What may trouble a process, and for how long before somebody is woken."""

    process: str
    word: str
    after_s: float
    zh_cn: str
    en: str

    @property
    def code(self) -> str:
        """Of the standing fault. Its dot says that the board shows it with the process."""
        return f"{self.process}.{self.word}"


AILMENTS: Final = (
    Ailment(
        "ingest", "shedding", 0,
        "没有空间保存历史数据：正在丢弃，报警照常处理",
        "no room for history: points are not stored, alarms go on",
    ),
    Ailment(
        "ingest", "unsearched", 0,
        "过长的消息太多：无法全部查找其中的火警，报警照常处理",
        "too many long messages: not all of them are searched for fires, alarms go on",
    ),
    Ailment(
        "ingest", "stalled", 30,
        "接收进程无法写入磁盘或数据库：新报警在等待",
        "ingest cannot write to disk or database: new alarms wait",
    ),
    Ailment(
        "ingest", NO_BROKER, 60,
        "接收进程与主 MQTT 服务器断开：收不到经它的设备消息",
        "ingest has lost the main broker: nothing is heard from the devices on it",
    ),
    Ailment(
        "ingest", "unknown", 60,
        "接收进程无法报告自身状态：报警可能无法处理",
        "ingest cannot say how it is: alarms may not be dealt with",
    ),
    Ailment(
        "ingest", SILENT, 60,
        "接收进程没有响应：报警无法处理",
        "ingest is silent: alarms are not dealt with",
    ),
    Ailment(
        "ingest", RESTARTS, 90,
        "接收进程反复异常退出：报警可能无法处理",
        "ingest ends again and again: alarms may not be dealt with",
    ),
    Ailment(
        "ingest", PROFILE, 300,
        "设备规约文件无法使用：旧版本（如有）继续有效",
        "a profile file cannot be used: the version before, if there is one, goes on",
    ),
    Ailment(
        "ingest", RULES, 300,
        "规则文件无法使用：之前的规则继续有效",
        "the rule file cannot be used: the rules before it go on",
    ),
    Ailment(
        "store", "store_waits", 300,
        "历史数据无法写入，报警不受影响",
        "points cannot be written, alarms go on",
    ),
    Ailment(
        "store", SILENT, 300,
        "存储进程没有响应，报警不受影响",
        "the store process is silent, alarms go on",
    ),
    Ailment(
        "store", RESTARTS, 300,
        "存储进程反复异常退出，报警不受影响",
        "the store process ends again and again, alarms go on",
    ),
)  # fmt: skip
"""All times chosen: shedding begins only after hours of want; the others may be a restart or a short lock.
Who edits a profile file saves it more than once before it is right. A process tells for a minute after its
last start that it ended before: 90 s of that are more than one fit."""
BY_CODE: Final = {one.code: one for one in AILMENTS}
"""All but those of single files and further brokers, which `ailment_of` makes."""
_AWAY: Final = BY_CODE[f"ingest.{NO_BROKER}"]
_REFUSED: Final = BY_CODE[f"ingest.{PROFILE}"]


def ailment_of(code: str) -> Ailment | None:
    """The ailment of a standing fault's code; None for a fault of another kind."""
    file = code.removeprefix(f"{_REFUSED.process}.{OF_PROFILE}")
    if file != code:
        return replace(
            _REFUSED,
            word=OF_PROFILE + file,
            zh_cn=f"设备规约文件 {file} 无法使用：旧版本（如有）继续有效",
            en=f"profile file {file} cannot be used: the version before, if there is one, goes on",
        )
    name = code.removeprefix(f"{_AWAY.process}.{FURTHER}")
    if name == code:
        return BY_CODE.get(code)
    return replace(
        _AWAY,
        word=FURTHER + name,
        zh_cn=f"接收进程与 MQTT 服务器 {name} 断开：收不到经它的设备消息",
        en=f"ingest has lost broker {name}: nothing is heard from the devices on it",
    )


def troubles_in(trouble: str) -> frozenset[str]:
    """The words in a pulse: they are parted by `; `. What comes after `: ` only says which, but each broker
    is a trouble of its own."""
    words: set[str] = set()
    for part in told_in(trouble).split("; "):
        word, _, which = part.partition(": ")
        if word == NO_BROKER:
            names = which.split(", ")
            words.update(word if name in ("", FIRST_BROKER) else FURTHER + name for name in names)
        elif word == PROFILE and ":" in which:
            words.add(OF_PROFILE + which.partition(":")[0])
        elif word:
            words.add(word)
    return frozenset(words)


def details_in(trouble: str) -> dict[str, str]:
    """What a pulse says of each file that cannot be used, of profiles or rules, by the word of
    `troubles_in`."""
    parts = [part.partition(": ") for part in told_in(trouble).split("; ")]
    rules = {word: which for word, _, which in parts if word == RULES and which}
    return rules | {
        OF_PROFILE + which.partition(":")[0]: which
        for word, _, which in parts
        if word == PROFILE and ":" in which
    }
