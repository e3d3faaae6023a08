"""Faults of our own processes that somebody must be woken for: they become incidents of the duty desk.

A process says in its pulse what troubles it. What lasts longer than it may begins a standing fault and, in
the same transaction, raises an alarm that is decided like any other: an incident of hazard `system`, told to
every duty desk and then the supervisors. Residents, grid workers and stations are not told of our faults.

What the process that writes this cannot do, no process can report of itself: see `gengfu.heartbeat`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, select

from alerts.inbox import TransitionRow, store_transitions
from alerts.pulse import SILENT_US
from alerts.schema import pulse
from alerts.standing import settle_faults, standing_among
from alerts.system import SYSTEM_RULE, SYSTEM_UID
from devices.database import reading
from devices.model import Severity
from rules.transition import To, Transition, Why

SILENT: Final = "silent"


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
        "ingest", "stalled", 30,
        "接收进程无法写入磁盘或数据库：新报警在等待",
        "ingest cannot write to disk or database: new alarms wait",
    ),
    Ailment(
        "ingest", "no_broker", 60,
        "接收进程与 MQTT 服务器断开：收不到设备消息",
        "ingest has lost the broker: nothing is heard from devices",
    ),
    Ailment(
        "ingest", SILENT, 60,
        "接收进程没有响应：报警无法处理",
        "ingest is silent: alarms are not dealt with",
    ),
    Ailment(
        "store", "store_waits", 600,
        "历史数据无法写入，报警不受影响",
        "points cannot be written, alarms go on",
    ),
    Ailment(
        "store", SILENT, 600,
        "存储进程没有响应，报警不受影响",
        "the store process is silent, alarms go on",
    ),
)  # fmt: skip
"""All times chosen: shedding begins only after hours of want; the others may be a restart or a short lock."""
FOR_LONG_US: Final = 24 * 3600 * 1_000_000
"""Longer than anything may last: what stands already has lasted long enough."""
CODES: Final = frozenset(one.code for one in AILMENTS)
_BY_CODE: Final = {one.code: one for one in AILMENTS}


@dataclass(frozen=True, slots=True)
class Felt:
    """What one process's last pulse says, at `at_us`: its troubles in words, empty when it is well."""

    process: str
    at_us: int
    words: frozenset[str]


def troubles_in(trouble: str) -> frozenset[str]:
    """The words in a pulse: they are parted by `; `, and what comes after `: ` only says which."""
    return frozenset(part.partition(": ")[0] for part in trouble.split("; ") if part)


def find_ailments(felt: Iterable[Felt], since: Mapping[str, int], now_us: int) -> dict[str, int]:
    """What there is now, as code and since when; `since` is what this gave the last time.

    A silent process keeps the trouble it spoke of last. Of a process without a pulse, which ended in order
    or never ran, nothing is known, so what was known stays.
    """
    pulses = {one.process: one for one in felt}
    found = {}
    for one in AILMENTS:
        said = pulses.get(one.process)
        if said is None:
            there = one.code in since
        elif one.word == SILENT:
            there = now_us - said.at_us > SILENT_US
        else:
            there = one.word in said.words
        if there:
            found[one.code] = since.get(one.code, now_us)
    return found


def lasting(found: Mapping[str, int], now_us: int) -> dict[str, str]:
    """Those that have lasted longer than they may, as code and text in zh-CN and English."""
    return {
        code: f"{_BY_CODE[code].zh_cn} · {_BY_CODE[code].en}"
        for code, since_us in found.items()
        if now_us - since_us >= _BY_CODE[code].after_s * 1e6
    }


class Ailments:
    """Remembers between looks how long each has lasted.

    After a restart of ours what stood goes on standing, and what did not yet waits anew.
    """

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def check(self, engine: Engine, now_us: int) -> None:
        """Begins and ends standing faults, and raises and clears their alarms in the same transaction."""
        with reading(engine) as connection:
            felt = _felt(connection)
            standing = standing_among(connection, CODES)
        self._since = find_ailments(felt, self._since, now_us)
        known = {one.process for one in felt}
        codes = frozenset(one.code for one in AILMENTS if one.process in known)
        still = dict.fromkeys(self._since.keys() & standing.keys(), now_us - FOR_LONG_US)
        found = {c: text for c, text in lasting(self._since | still, now_us).items() if c in codes}

        def tell(connection: Connection, begun: Collection[str], ended: Collection[str]) -> None:
            rows = [_row(code, To.RAISED, now_us) for code in sorted(begun)]
            rows += [_row(code, To.CLEARED, now_us) for code in sorted(ended)]
            store_transitions(connection, rows)

        settle_faults(engine, codes, found, now_us, Severity.P1, tell)


def _felt(connection: Connection) -> list[Felt]:
    rows = connection.execute(select(pulse.c.name, pulse.c.at_us, pulse.c.trouble))
    return [Felt(row.name, row.at_us, troubles_in(row.trouble)) for row in rows]


def _row(code: str, to: To, now_us: int) -> TransitionRow:
    one = _BY_CODE[code]
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
