"""The alerts process as it is shipped, killed again and again, and the book that the phones keep.

Homes with their people in a real database; a process forked from a server that has imported everything;
phones that write down every message they got, answered or not.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, insert, select

from alerts.acts import record_act
from alerts.case import Act
from alerts.channels.receipts import Posted, Receipt, ReceiptState
from alerts.inbox import TransitionRow, store_transitions
from alerts.receipts_kept import keep_posted, nobody
from alerts.schema import attempt, incident, notification, pulse
from devices import schema as registry
from devices.database import open_database, reading, writing
from devices.model import Carrier, Medium, Role, Severity
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, Vault, create_key
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from gengfu.run_alerts import run_alerts_process
from rules.transition import To, Transition, Why

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.crash.telling"])

RATIO = 30
"""Escalation clocks run so much faster: 60 s are 2 s."""
SLOWEST_S = 0.03
"""A phone's provider takes up to so long for an answer, so that many are under way at a kill."""
WAYS: dict[str, tuple[Role, int, tuple[Medium, ...]]] = {
    "family-1": (Role.FAMILY, 1, (Medium.PUSH, Medium.SMS, Medium.VOICE)),
    "family-2": (Role.FAMILY, 2, (Medium.PUSH, Medium.VOICE)),
    "grid-1": (Role.GRID_WORKER, 1, (Medium.PUSH, Medium.SMS)),
    "grid-2": (Role.GRID_WORKER, 2, (Medium.SMS,)),
    "secretary": (Role.BUILDING_SECRETARY, 1, (Medium.VOICE,)),
    "station": (Role.MICRO_STATION, 1, (Medium.PUSH, Medium.VOICE)),
    "desk": (Role.DUTY_DESK, 1, (Medium.PUSH,)),
    "chief": (Role.SUPERVISOR, 1, (Medium.SMS,)),
}
"""Who is bound to each home, in which rank, and how they are reached."""
WANTED: dict[tuple[str, int], dict[str, str]] = {
    ("at_once", 0): {
        "family-1": "push", "grid-1": "push", "secretary": "voice", "station": "push", "desk": "push"
    },
    ("chase", 0): {
        "family-1": "voice", "grid-1": "sms", "secretary": "voice", "station": "voice", "desk": "push",
        "family-2": "push", "grid-2": "sms",
    },
    ("chase", 1): {"family-1": "voice", "family-2": "voice", "grid-1": "sms", "grid-2": "sms"},
    ("unanswered", 0): {"station": "push", "desk": "push", "chief": "sms"},
}  # fmt: skip
"""By hand from the table of life_safety: who hears of a fire that nobody answers, by step and way."""


class Phones:
    """Takes every message; `told` counts by (key, medium) what arrived whole, answered or not."""

    def __init__(self, seed: int) -> None:
        self.told: Counter[str] = Counter()
        self.lines: set[asyncio.WriteTransport] = set()
        self._dice = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="phones")
        self._thread.start()
        opening = self._loop.create_server(lambda: _Line(self), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(30)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def take(self, body: bytes) -> float:
        """Writes a message down; how long until it is answered."""
        self.told[msgspec.json.decode(body)["key"]] += 1
        return self._dice.uniform(0.0, SLOWEST_S)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for line in list(self.lines):
            line.abort()
        await asyncio.sleep(0)


class _Line(asyncio.Protocol):
    """One connection; its client waits for each answer before it asks again."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._held = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._phones.lines.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport
        self._phones.lines.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if not end or len(body) < int(lengths[0].split(b":")[1]):
            return
        self._held = b""
        asyncio.get_running_loop().call_later(self._phones.take(body), self._answer)

    def _answer(self) -> None:
        assert self._transport
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@dataclass
class Telling:
    """What outlives the alerts process: folder, database, phones; and what was under way at each kill."""

    folder: Path
    engine: Engine
    phones: Phones
    homes: int
    process: ForkServerProcess | None = None
    kills: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    answered: set[int] = field(default_factory=set)
    raised: int = 0
    _once: int = 0
    _started_us: int = 0

    # what happens

    def start(self) -> None:
        self._started_us = now_us()
        self.process = _context.Process(target=_alerts, args=(self.folder / "gengfu.toml",), daemon=True)
        self.process.start()

    def works(self) -> bool:
        """Whether the process has begun: it says so by its first pulse."""
        query = select(pulse.c.at_us).where(pulse.c.name == "alerts", pulse.c.at_us > self._started_us)
        return bool(self.rows(query))

    def kill(self) -> None:
        """kill -9, wherever it is; then notes the hand-overs of which no outcome was written."""
        assert self.process
        assert self.process.is_alive(), f"it ended by itself; see {self.folder}/alerts.log"
        self.process.kill()
        self.process.join()
        self.kills += 1
        self.cut.update(self.under_way())

    def under_way(self) -> list[str]:
        query = select(notification.c.key).where(notification.c.state == "sending")
        with reading(self.engine) as connection:
            return list(connection.scalars(query))

    def fire(self) -> None:
        """The next home burns."""
        self.raised += 1
        row = _smoke(self.raised, now_us())
        with writing(self.engine) as connection:
            store_transitions(connection, [row])

    def answer(self, dice: random.Random) -> None:
        """Somebody of a home that has been told acknowledges, as the page writes it down."""
        with reading(self.engine) as connection:
            known = connection.execute(FIRES).all()
        open_ones = [row for row in known if row.dwelling_id % 3 == 0]  # two of three are never answered
        if not open_ones:
            return
        row = dice.choice(open_ones)
        who = dice.choice(["family-1", "grid-1"])
        self._once += 1
        with writing(self.engine) as connection:
            record_act(
                connection, f"once-{self._once}", row.id, f"contact:{contact_id(row.dwelling_id, who)}",
                str(WAYS[who][0]), Act.ACKNOWLEDGE, "", "test", now_us(),
            )  # fmt: skip
        self.answered.add(row.dwelling_id)

    def post_receipts(self, dice: random.Random) -> None:
        """What providers say of some messages: most were delivered, some not."""
        with reading(self.engine) as connection:
            taken = select(notification.c.key).where(
                notification.c.state == "accepted", notification.c.delivered_us.is_(None)
            )
            keys = list(connection.scalars(taken))
        some = dice.sample(keys, min(len(keys), 10))
        states = [dice.choice([ReceiptState.DELIVERED] * 3 + [ReceiptState.FAILED]) for _ in some]
        posted = Posted(
            tuple(
                Receipt(Carrier.ALIYUN_SMS, f"r-{key}", state, now_us(), own_id=key)
                for key, state in zip(some, states, strict=True)
            )
        )
        with writing(self.engine) as connection:
            keep_posted(connection, posted, nobody, now_us())

    # what must have come of it

    def rows(self, query: Any) -> Sequence[Row[Any]]:
        with reading(self.engine) as connection:
            return connection.execute(query).all()

    def told_of(self) -> dict[int, set[tuple[str, int, str, str]]]:
        """By home: step, repetition, who, and by which way, of every message that a phone has got."""
        homes = {row.id: row.dwelling_id for row in self.rows(FIRES)}
        found: dict[int, set[tuple[str, int, str, str]]] = defaultdict(set)
        for key in list(self.phones.told):
            number, _, step, n, contact, way = key.split("/")
            if home := homes.get(int(number)):
                found[home].add((step, int(n), who_is(home, int(contact)), way.partition("-")[0]))
        return found

    def doubled(self) -> Counter[str]:
        """By key, how often more than once a phone has got it."""
        return Counter({key: count - 1 for key, count in self.phones.told.items() if count > 1})

    def unknown(self) -> Counter[str]:
        """By key, the attempts that the process itself counts as cut off."""
        query = (
            select(notification.c.key)
            .join(attempt, attempt.c.notification_id == notification.c.id)
            .where(attempt.c.outcome == "unknown")
        )
        return Counter(row.key for row in self.rows(query))


FIRES = select(incident.c.id, incident.c.dwelling_id).where(incident.c.hazard != "system")
"""What our own process says of itself, such as that it misses the others, is not of homes."""


def wanted_of_one() -> set[tuple[str, int, str, str]]:
    """`WANTED` as `told_of` gives it."""
    return {(step, n, who, way) for (step, n), ways in WANTED.items() for who, way in ways.items()}


def contact_id(home: int, who: str) -> int:
    return (home - 1) * len(WAYS) + list(WAYS).index(who) + 1


def who_is(home: int, contact: int) -> str:
    return list(WAYS)[contact - 1 - (home - 1) * len(WAYS)]


@contextmanager
def telling(folder: Path, homes: int, seed: int) -> Iterator[Telling]:
    """Homes, phones and no process yet."""
    config_file = folder / "gengfu.toml"
    config_file.write_text(
        f'data = "data"\n[broker]\nanonymous = true\n[ingest]\nballast_mb = 0\n[metrics]\nalerts = 0\n'
        f"[alerts]\nclock_ratio = {RATIO}\n"
    )
    config = load_config(config_file)
    config.data_dir.mkdir()
    create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    phones = Phones(seed)
    _build(engine, Vault.open(config.key_path), homes, phones.port)
    one = Telling(folder, engine, phones, homes)
    try:
        yield one
    finally:
        if one.process and one.process.is_alive():
            one.process.kill()
            one.process.join()
        phones.close()
        engine.dispose()


def _build(engine: Engine, vault: Vault, homes: int, port: int) -> None:
    """Each home in a stair and building of its own: two fires of a stair would confirm each other."""
    name = vault.seal("test", CONTACT_NAME)
    rows: dict[Any, list[dict[str, Any]]] = {
        registry.area: [{"id": 1, "level": "grid", "code": "g", "name": "网格"}],
        registry.building: [], registry.stair: [], registry.dwelling: [], registry.device: [],
        registry.contact: [], registry.contact_channel: [], registry.binding: [],
    }  # fmt: skip
    for n in range(1, homes + 1):
        house = {"id": n, "area_id": 1, "code": f"b{n}", "name": f"{n}号楼", "floors": 6}
        rows[registry.building].append(house)
        rows[registry.stair].append({"id": n, "building_id": n, "code": f"b{n}-1", "name": "1单元"})
        home = {"id": n, "stair_id": n, "floor": 1, "flat": "101", "code": f"b{n}-1-101"}
        rows[registry.dwelling].append(home)
        device = {"id": n, "uid": f"own:d{n}", "kind": "smoke", "profile": "own", "dwelling_id": n}
        rows[registry.device].append({**device, "registered_us": 1, "registered_by": "test"})
        for who, (role, rank, media) in WAYS.items():
            number = contact_id(n, who)
            person = {"id": number, "code": f"c{number}", "name_sealed": name, "language": "en"}
            rows[registry.contact].append({**person, "created_us": 1})
            binding = {"contact_id": number, "role": str(role), "place_kind": "dwelling", "place_id": n}
            rows[registry.binding].append({**binding, "rank": rank, "bound_us": 1})
            for order, medium in enumerate(media, 1):
                address = f"http://127.0.0.1:{port}/{number}/{medium}"
                rows[registry.contact_channel].append(
                    {
                        "contact_id": number, "medium": str(medium), "carrier": str(Carrier.WEBHOOK),
                        "rank": order, "added_us": 1, "address_sealed": vault.seal(address, CHANNEL_ADDRESS),
                        "address_index": vault.blind_index(address),
                    }
                )  # fmt: skip
    with writing(engine) as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)


def _smoke(home: int, at_us: int) -> TransitionRow:
    transition = Transition(
        rule="S1", to=To.RAISED, severity=Severity.P0, slot=home, device=home, dwelling=home, place=0,
        at_us=at_us, nudge_ns=0, received_us=at_us, why=Why("smoke", "烟雾"), age_s=0.0,
    )  # fmt: skip
    return TransitionRow(transition, f"own:d{home}", "")


def _alerts(config: Path) -> None:
    log = os.open(config.parent / "alerts.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    run_alerts_process(load_config(config))
