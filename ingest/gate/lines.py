"""What lines of mosquitto's log mean (2.0 and newer). Everything a client may choose is hostile.

mosquitto 2.0.11 names neither user nor client id of somebody who fails to log in; with debug lines on it
names the address just before. A publish outside the own topics is logged on the debug level only.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Literal

SHOWN: Final = 200
"""Characters kept of what a client gave."""
CLIENTS_MAX: Final = 200_000
"""Connected clients remembered; above that the oldest are forgotten (chosen: twice the largest fleet)."""
GREETING: Final = "gengfu-ready-"
"""Client ids of `ingest.broker.wait_ready`, which knocks without a name; a refusal is its answer."""

_STAMP: Final = re.compile(r"[0-9][0-9T:.+-]*: ")
_CONNECTED: Final = re.compile(
    r"New client connected from (\S+):\d+ as (.*) \(p\d+, c\d+, k\d+(?:, u'([^']*)')?\)\.", re.DOTALL
)
_DENIED: Final = re.compile(
    r"Denied PUBLISH from (.*?) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\. \(\d+ (?:long )?bytes\)\)", re.DOTALL
)
_NOT_LET_IN: Final = re.compile(
    r"Client (.*?)(?: \[(\S+?)(?::\d+)?\])? disconnected[,:] not authori[sz]ed\.", re.DOTALL
)
_CUT_OFF: Final = re.compile(r"Client (.*) disconnected\.", re.DOTALL)
_CONNACK: Final = re.compile(r"Sending CONNACK to (.*) \(\d+, (\d+)\)", re.DOTALL)
_CALL: Final = re.compile(r"New connection from (\S+):\d+ on port \d+\.")
_NOT_AUTHORISED: Final = frozenset({"4", "5", "134", "135"})
"""CONNACK's codes: MQTT 3.1.1 bad user name or password, not authorised; the same of MQTT 5."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal. `who` is the user name, else the client id, else the address."""

    kind: Literal["login", "topic"]
    who: str
    topic: str
    address: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """A client that a reload threw out: its name or password holds no longer."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The broker has read its files: at a reload, or because it started."""


Meaning = Refused | CutOff | Reloaded | None


class LogReader:
    """Understands lines one after another; remembers who is connected from where."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._caller = ""
        self._rejected = ""
        self._reloading = False

    def read(self, line: str) -> Meaning:
        """What one line without its end means; None for all that is no concern of ours."""
        stamp = _STAMP.match(line)
        text = line[stamp.end() :] if stamp else line
        if self._reloading:
            cut = _CUT_OFF.fullmatch(text)
            if cut:
                name, address = self._clients.pop(cut[1], (cut[1], ""))
                return CutOff(_short(name), address)
            self._reloading = False
        return self._meaning(text)

    def _meaning(self, text: str) -> Meaning:
        if found := _CALL.fullmatch(text):
            self._caller = found[1]
        elif found := _CONNECTED.fullmatch(text):
            self._connected(found[1], found[2], found[3] or found[2])
        elif found := _CONNACK.fullmatch(text):
            self._rejected = found[1] if found[2] in _NOT_AUTHORISED else ""
        elif found := _NOT_LET_IN.fullmatch(text):
            return self._not_let_in(found[1], found[2] or "")
        elif found := _DENIED.fullmatch(text):
            name, address = self._clients.get(found[1], (found[1], ""))
            return Refused("topic", _short(name), _short(found[2]), address)
        elif text == "Reloading config.":
            self._reloading = True
            return Reloaded()
        elif text.startswith("mosquitto version ") and text.endswith(" running"):
            self._clients.clear()
            return Reloaded()
        return None

    def _connected(self, address: str, client: str, name: str) -> None:
        self._clients[client] = (name, address[:64])
        self._clients.move_to_end(client)
        if len(self._clients) > CLIENTS_MAX:
            self._clients.popitem(last=False)

    def _not_let_in(self, client: str, address: str) -> Refused | None:
        """Newer mosquitto names the address in the line; with debug lines the CONNACK just before it does;
        else it is that of the last who called, which under a rush may be another's."""
        known = "" if client == "<unknown>" else client
        said = self._rejected if self._rejected != client else ""
        address = (address or said or self._caller)[:64]
        self._rejected = ""
        if known.startswith(GREETING):
            return None
        return Refused("login", _short(known or address), "", address)


def _short(text: str) -> str:
    """Printable and not too long."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:SHOWN])
