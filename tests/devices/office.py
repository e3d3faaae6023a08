"""An office that writes to the registry as the hours go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from devices import registry
from devices.bound import Bound, bound_to_dwelling
from devices.model import Role
from devices.vault import Vault
from tests.devices.conftest import NOW_US

HOUR_US = 3_600_000_000

Ids = dict[str, int]


@dataclass
class Office:
    """Writes to the registry at `hour`, counted from NOW_US."""

    connection: Connection
    vault: Vault
    block: Ids
    hour: float = 0

    @property
    def now_us(self) -> int:
        return NOW_US + round(self.hour * HOUR_US)

    @property
    def who(self) -> registry.Written:
        return registry.Written(by="office", now_us=self.now_us)

    def at(self, hour: float) -> Office:
        self.hour = hour
        return self

    def meets(self, *codes: str, phone: bool = True) -> None:
        for code in codes:
            registry.add_contact(self.connection, self.vault, code=code, name="示例", **self.who)
            if phone:
                self.phone(code)

    def phone(self, code: str) -> int:
        address = f"https://sms.example/{code}"
        words: dict[str, Any] = {"medium": "sms", "carrier": "webhook", "address": address, **self.who}
        return registry.add_channel(self.connection, self.vault, contact_code=code, **words)

    def binds(self, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        self._binding(registry.bind, code, role, kind, place, **terms)

    def rebinds(self, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        self._binding(registry.rebind, code, role, kind, place, **terms)

    def unbinds(self, code: str, role: Role, kind: str, place: str) -> None:
        self._binding(registry.unbind, code, role, kind, place)

    def _binding(self, write: Any, code: str, role: Role, kind: str, place: str, **terms: Any) -> None:
        named = {"contact_code": code, "role": role, "place_kind": kind, "place_code": place}
        write(self.connection, **named, **terms, **self.who)

    def substitutes(self, code: str, by: str, hours: tuple[float, float], role: str | None = None) -> int:
        begin, end = (NOW_US + round(hour * HOUR_US) for hour in hours)
        return registry.substitute(
            self.connection,
            contact_code=code,
            substitute_code=by,
            role=role,
            from_us=begin,
            until_us=end,
            **self.who,
        )

    def people(self, hour: float, flat: str = "201") -> tuple[Bound, ...]:
        at_us = NOW_US + round(hour * HOUR_US)
        return bound_to_dwelling(self.connection, self.block[flat], at_us)

    def codes(self, hour: float, flat: str = "201") -> list[str]:
        return [one.code for one in self.people(hour, flat)]

    def one(self, code: str, hour: float, flat: str = "201") -> Bound:
        [found] = [one for one in self.people(hour, flat) if one.code == code]
        return found
