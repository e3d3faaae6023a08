"""Faults of our own processes that somebody must be woken for: they become incidents of the duty desk.

A process says in its pulse what troubles it. What lasts longer than it may begins a standing fault and, in
the same transaction, raises an alarm that is decided like any other: an incident of hazard `system`, told to
every duty desk and then the supervisors. Residents, grid workers and stations are not told of our faults.

Ingest and the store must run: without a pulse they are as silent as with an old one, from our own start or
the pulse's end on. How long they may be covers the start of the whole service and its end in order. One that
beats and dies time and again says so in its pulse (`alerts.pulse.ends_before`).

What the process that writes this cannot do, no process can report of itself: see `gengfu.heartbeat`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection, Engine, select

from alerts.inbox import TransitionRow, store_transitions
from alerts.pulse import RESTARTS, is_silent, told_in
from alerts.schema import pulse, system_fault
from alerts.standing import settle_faults
from alerts.system import SYSTEM_RULE, SYSTEM_UID
from devices.database import reading
from devices.model import Severity
from rules.transition import To, Transition, Why

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
STEADY_US: Final = 60_000_000
"""Silence ends when the pulse was there at every look for so long (chosen: one beat is not life)."""


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
FOR_LONG_US: Final = 24 * 3600 * 1_000_000
"""Longer than anything may last: what stands already has lasted long enough."""
_BY_CODE: Final = {one.code: one for one in AILMENTS}
_AWAY: Final = _BY_CODE[f"ingest.{NO_BROKER}"]
_REFUSED: Final = _BY_CODE[f"ingest.{PROFILE}"]


@dataclass(frozen=True, slots=True)
class Felt:
    """What one process's last pulse says, at `at_us`: its troubles in words, empty when it is well."""

    process: str
    at_us: int
    words: frozenset[str]
    details: Mapping[str, str] = field(default_factory=dict)
    """By word, what a text for people adds to the ailment's own."""


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
        return _BY_CODE.get(code)
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


def find_ailments(felt: Iterable[Felt], since: Mapping[str, int], now_us: int) -> dict[str, int]:
    """What there is now, as code and since when; `since` is what this gave the last time.

    A silent process keeps the trouble it spoke of last. Without a pulse a process is silent, and whatever
    else was known of it stays. A clock that was set back begins the time anew: it never waits for the past.
    """
    pulses = {one.process: one for one in felt}
    said = {f"{one.process}.{word}" for one in pulses.values() for word in one.words}
    found = {}
    for code in _BY_CODE.keys() | said | since.keys():
        one = ailment_of(code)
        if one is None:
            continue
        beat = pulses.get(one.process)
        if one.word == SILENT:
            there = beat is None or is_silent(beat.at_us, now_us)
        else:
            there = code in since if beat is None else code in said
        if there:
            found[code] = min(since.get(code, now_us), now_us)
    return found


def find_steady(felt: Iterable[Felt], steady: Mapping[str, int], now_us: int) -> dict[str, int]:
    """The processes that beat and do not end again and again, and since when; `steady` as in
    `find_ailments`."""
    return {
        one.process: min(steady.get(one.process, now_us), now_us)
        for one in felt
        if not is_silent(one.at_us, now_us) and RESTARTS not in one.words
    }


def lasting(
    found: Mapping[str, int], now_us: int, details: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Those that have lasted longer than they may, as code and text in zh-CN and English; `details` are added
    to the text, by code."""
    added = {code: f"; {text}" for code, text in (details or {}).items()}
    return {
        code: f"{one.zh_cn} · {one.en}{added.get(code, '')}"
        for code, since_us in found.items()
        if (one := ailment_of(code)) and now_us - since_us >= one.after_s * 1e6
    }


class Ailments:
    """Remembers between looks how long each has lasted.

    After a restart of ours what stood goes on standing, and what did not yet waits anew.
    """

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._steady: dict[str, int] = {}

    def check(self, engine: Engine, now_us: int) -> None:
        """Begins and ends standing faults, and raises and clears their alarms in the same transaction."""
        with reading(engine) as connection:
            felt = _felt(connection)
            standing = _standing(connection)
        self._since = find_ailments(felt, self._since, now_us)
        self._steady = find_steady(felt, self._steady, now_us)
        still = dict.fromkeys(self._since.keys() & standing.keys(), now_us - FOR_LONG_US)
        known = {one.process for one in felt}
        details = {f"{one.process}.{word}": text for one in felt for word, text in one.details.items()}
        there = lasting(self._since | still, now_us, details) | self._not_over(standing, now_us)
        codes = {code for code in _BY_CODE.keys() | standing.keys() | there.keys() if _is_known(code, known)}
        found = {code: text for code, text in there.items() if code in codes}

        def tell(connection: Connection, begun: Collection[str], ended: Collection[str]) -> None:
            rows = [_row(code, To.RAISED, now_us) for code in sorted(begun)]
            rows += [_row(code, To.CLEARED, now_us) for code in sorted(ended)]
            store_transitions(connection, rows)

        settle_faults(engine, codes, found, now_us, Severity.P1, tell)

    def _not_over(self, standing: Mapping[str, str], now_us: int) -> dict[str, str]:
        """The silences that stand and whose process is not steady yet."""
        over = {name for name, since_us in self._steady.items() if now_us - since_us >= STEADY_US}
        return {
            code: text
            for code, text in standing.items()
            if (one := _BY_CODE.get(code)) and one.word == SILENT and one.process not in over
        }


def _is_known(code: str, known: Collection[str]) -> bool:
    """Whether it can be said of the ailment that it is there or not: without a pulse only of silence."""
    one = ailment_of(code)
    return one is not None and (one.word == SILENT or one.process in known)


def _standing(connection: Connection) -> dict[str, str]:
    """The ailments that stand, with their texts."""
    rows = connection.execute(
        select(system_fault.c.code, system_fault.c.text).where(system_fault.c.ended_us.is_(None))
    )
    return {row.code: row.text for row in rows if ailment_of(row.code)}


def _felt(connection: Connection) -> list[Felt]:
    rows = connection.execute(select(pulse.c.name, pulse.c.at_us, pulse.c.trouble))
    return [Felt(row.name, row.at_us, troubles_in(row.trouble), details_in(row.trouble)) for row in rows]


def _row(code: str, to: To, now_us: int) -> TransitionRow:
    one = ailment_of(code)
    assert one is not None, code  # only what `ailment_of` knows is ever found
    why = Why(one.en, one.zh_cn) if to is To.RAISED else Why(f"over: {one.en}", f"已恢复：{one.zh_cn}")
    transition = Transition(
        rule=SYSTEM_RULE,
        to=to,
        severity=Severity.P1,
        slot=0,
        device=0,
        dwelling=0,
        place=0,
        at_us=now_us,
        nudge_ns=0,
        received_us=now_us,
        why=why,
        age_s=0.0,
    )
    return TransitionRow(transition, SYSTEM_UID + code, "")
