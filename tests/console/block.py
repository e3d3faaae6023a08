"""A small real block for the pages' tests: a database, people, devices, and the alerts process's turns.

block = Block(database)
block.smoke("501")
block.decide()
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

from argon2 import PasswordHasher
from sqlalchemy import Connection, Table, insert, select, update
from starlette.testclient import TestClient

from alerts import schema
from alerts.acts import record_act
from alerts.case import Act
from alerts.inbox import TransitionRow, store_transitions
from alerts.links import link_token
from alerts.settings import Settings
from alerts.turn import run_turn
from console.app import create_console
from console.settings import ConsoleSettings, Off
from devices import schema as registry
from devices.database import open_database, reading, writing
from devices.model import Carrier, Medium, PlaceKind, Role, Severity
from rules.transition import Mark, To, Transition, Why

LINK_KEY = b"l" * 32
SESSION_KEY = b"s" * 32
PATIENCE_S = 30.0
"""Bounds only failures, and the tests without the alerts process, which ask for less."""
PASSWORD = "a-long-night-watch"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Cheap to check, so that tests are quick."""
USERS = {"night": "operator", "second": "operator", "chief": "supervisor", "root": "admin"}
AREAS = {
    "city": "临江市", "district": "河东区", "street": "槐树街道", "community": "槐树里社区", "grid": "三网格"
}  # fmt: skip
SMOKE = Why("smoke flag set", "烟雾报警信号触发")
OVERLOAD = Why("current 41.2 A ≥ 40.0 A for 60 s", "电流 41.2 A ≥ 40.0 A，持续 60 秒")
FLATS = {"501": 5, "502": 5, "401": 4}
CAST: dict[str, tuple[Role, PlaceKind, str]] = {
    "F501": (Role.FAMILY, PlaceKind.DWELLING, "501"),
    "N401": (Role.NEIGHBOUR, PlaceKind.DWELLING, "401"),
    "W1": (Role.GRID_WORKER, PlaceKind.BUILDING, ""),
    "B1": (Role.BUILDING_SECRETARY, PlaceKind.BUILDING, ""),
    "M1": (Role.MICRO_STATION, PlaceKind.AREA, ""),
    "FB1": (Role.FIRE_BRIGADE, PlaceKind.AREA, ""),
    "D1": (Role.DUTY_DESK, PlaceKind.AREA, ""),
}
"""Contacts by code; the family reads English, the others Chinese."""


def new(connection: Connection, table: Table, row: Mapping[str, object]) -> int:
    """Inserts a row and gives its id."""
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def _add_contact(connection: Connection, code: str, role: Role, kind: PlaceKind, place: int) -> int:
    language = "en" if code == "F501" else "zh-CN"
    row = {"code": code, "name_sealed": b"sealed", "language": language, "created_us": 0}
    number = new(connection, registry.contact, row)
    channel = {"contact_id": number, "medium": Medium.PUSH, "carrier": Carrier.WEBHOOK, "rank": 1}
    new(connection, registry.contact_channel, channel | {"address_sealed": b"", "address_index": b""})
    bound = {"contact_id": number, "role": role, "place_kind": kind, "place_id": place, "bound_us": 0}
    new(connection, registry.binding, bound)
    return number


class Block:
    """One database with its tables; `now_us` is a clock that tests move (real time when `live`); an act
    waits `wait_s` for its outcome; `off` is what the console is told of rules that are off."""

    def __init__(self, database: str, live: bool = False) -> None:
        self.engine = open_database(database)
        self.live = live
        self.now_us = time.time_ns() // 1000
        self.wait_s = PATIENCE_S
        self.off: Off | None = None
        self.contacts: dict[str, int] = {}
        self.dwellings: dict[str, int] = {}
        self._numbers = count(1)
        self._build()

    def clock(self) -> int:
        return time.time_ns() // 1000 if self.live else self.now_us

    def pass_s(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)

    # what exists

    def _build(self) -> None:
        with writing(self.engine) as connection:
            for login, role in USERS.items():
                row = {
                    "login": login,
                    "role": role,
                    "password_hash": HASH,
                    "created_us": 0,
                    "everywhere": True,
                }
                connection.execute(insert(registry.user), row)
            grid = None
            for level, name in AREAS.items():
                row = {"level": level, "code": level, "name": name, "parent_id": grid}
                grid = new(connection, registry.area, row)
            row = {"area_id": grid, "code": "b7", "name": "7号楼", "floors": 6}
            building = new(connection, registry.building, row)
            stair = new(
                connection, registry.stair, {"building_id": building, "code": "b7-2", "name": "2单元"}
            )
            for flat, floor in FLATS.items():
                row = {"stair_id": stair, "floor": floor, "flat": flat, "code": f"b7-2-{flat}"}
                self.dwellings[flat] = new(connection, registry.dwelling, row)
            places = {PlaceKind.AREA: grid or 0, PlaceKind.BUILDING: building}
            for code, (role_there, kind, flat) in CAST.items():
                place = self.dwellings[flat] if flat else places[kind]
                self.contacts[code] = _add_contact(connection, code, role_there, kind, place)

    # what happens

    def smoke(self, flat: str, device: str = "a", why: Why = SMOKE) -> None:
        """A detector of this flat raises S1."""
        self.transition("S1", flat, Severity.P0, f"smoke-{flat}-{device}", why)

    def clears(self, flat: str, device: str = "a") -> None:
        """The detector says that it smokes no more."""
        self.transition("S1", flat, Severity.P0, f"smoke-{flat}-{device}", SMOKE, to=To.CLEARED)

    def overload(self, flat: str, *marks: Mark, title: Why | None = None) -> None:
        """The monitor of this flat raises O3; `title` is what a rule of the site's own calls it."""
        self.transition("O3", flat, Severity.P1, f"meter-{flat}", OVERLOAD, marks, title)

    def transition(
        self,
        rule: str,
        flat: str,
        severity: Severity,
        uid: str,
        why: Why,
        marks: tuple[Mark, ...] = (),
        title: Why | None = None,
        to: To = To.RAISED,
    ) -> None:
        now_us = self.clock()
        raised = Transition(
            rule, to, severity, 7, 0, self.dwellings[flat], 0, now_us, next(self._numbers), now_us,
            why, 0.0, marks=marks,
        )  # fmt: skip
        with writing(self.engine) as connection:
            store_transitions(connection, [TransitionRow(raised, uid, "", title=title)])

    def answers(self, code: str, act: str, incident_id: int = 1) -> None:
        """A contact answers by some other way than these pages."""
        who, role = f"contact:{self.contacts[code]}", str(CAST[code][0])
        with writing(self.engine) as connection:
            record_act(
                connection, f"{code}-{next(self._numbers)}", incident_id, who, role, Act(act), "", "test",
                self.clock(),
            )  # fmt: skip

    def fault(self, code: str, text: str) -> None:
        row = {"code": code, "severity": "P1", "text": text, "since_us": self.clock()}
        with writing(self.engine) as connection:
            connection.execute(insert(schema.system_fault), row)

    def decide(self) -> None:
        """Plays the alerts process: turns until nothing waits; messages count as accepted."""
        settings = Settings(LINK_KEY, "https://answers.example")
        while run_turn(self.engine, settings, self.clock()).more:
            pass
        sent = update(schema.notification).where(schema.notification.c.state == "sending")
        with reading(self.engine) as connection:
            waiting = connection.scalar(
                select(schema.notification.c.id).where(schema.notification.c.state == "sending")
            )
        if waiting:
            with writing(self.engine) as connection:
                connection.execute(sent.values(state="accepted", accepted_us=self.clock()))

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """The alerts process in a thread, for as long as the block lasts."""
        ending = threading.Event()

        def turn() -> None:
            while not ending.wait(0.01):
                self.decide()

        thread = threading.Thread(target=turn, name="alerts")
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    # who looks

    def acts(self) -> list[tuple[str, str, str]]:
        """Acts as (actor, act, outcome)."""
        a = schema.act.c
        with reading(self.engine) as connection:
            rows = connection.execute(select(a.actor, a.act, a.outcome).order_by(a.id))
            return [(row.actor, row.act, row.outcome) for row in rows]

    def console_settings(self) -> ConsoleSettings:
        settings = ConsoleSettings(SESSION_KEY, self.clock, poll_s=0.02, wait_s=self.wait_s)
        return replace(settings, off=self.off) if self.off else settings

    @contextmanager
    def console(self, login: str = "night") -> Iterator[Reader]:
        """The console with `login` signed in ("" for nobody)."""
        app = create_console(self.console_settings(), self.engine)
        with TestClient(app, raise_server_exceptions=False) as client:
            reader = Reader(self, client)
            if login:
                answer = reader.login(login)
                assert answer == 200
            yield reader

    def token(self, code: str, incident_id: int = 1) -> str:
        return link_token(LINK_KEY, incident_id, self.contacts[code])


class Reader:
    """A browser without a screen: keeps cookies and knows the forms' tokens."""

    def __init__(self, block: Block, client: TestClient) -> None:
        self.block = block
        self.client = client

    def csrf(self, path: str = "/login") -> str:
        return field(self.client.get(path).text, "csrf")

    def login(self, login: str, password: str = PASSWORD) -> int:
        form = {"login": login, "password": password, "csrf": self.csrf()}
        return self.client.post("/login", data=form).status_code

    def act(self, incident_id: int, act: str, note: str = "", **more: str) -> str:
        """Presses a button of the incident page; the page that comes back."""
        self.block.pass_s(1)
        page = self.client.get(f"/incident/{incident_id}").text
        form = {"csrf": field(page, "csrf"), "once": field(page, "once"), "act": act, "note": note} | more
        return self.client.post(f"/incident/{incident_id}/act", data=form).text


def field(html: str, name: str) -> str:
    """The value of the first hidden field of this name."""
    mark = f'name="{name}" value="'
    assert mark in html, f"no field {name}"
    return html.split(mark, 1)[1].split('"', 1)[0]
