"""What lines of mosquitto's log mean (2.0 and newer). Everything a client may choose is hostile.

mosquitto 2.0.11 names neither user nor client id of somebody who fails to log in; with debug lines on it
names the address just before. A publish outside the own topics is logged on the debug level only.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal

SHOWN: Final = 200
"""Characters kept of what a client gave."""
CLIENTS_MAX: Final = 200_000
"""Connected clients remembered; above that the oldest are forgotten (chosen: twice the largest fleet)."""
CUT_AT: Final = 999
"""mosquitto 2.0.11 cuts lines there, stamp and all, in bytes (measured). What looks whole in such a line may
be a publisher's words up to a cut of its choice."""

_STAMP: Final = re.compile(r"[0-9][0-9T:.+-]*: ")
_CONNECTED: Final = re.compile(
    r"New client connected from (\S+):\d+ as (.*) \(p\d, c\d, k\d{1,5}(?:, u'([^']*)')?\)\.", re.DOTALL
)
_CONNECTED_CUT: Final = re.compile(r"New client connected from (\S+):\d+ as (.*)", re.DOTALL)
_DENIED: Final = "Denied PUBLISH from "
_DENIED_TOPIC: Final = re.compile(r" \(d\d, q\d, r\d, m\d{1,5}, '")
_DENIED_END: Final = re.compile(r"', \.\.\. \(\d+ (?:long )?bytes\)\)\Z")
_NOT_LET_IN: Final = re.compile(
    r"Client (.*?)(?: \[(\S+?)(?::\d+)?\])? disconnected[,:] not authori[sz]ed\.", re.DOTALL
)
_CUT_OFF: Final = re.compile(r"Client (.*) disconnected\.", re.DOTALL)
_ADDED_ADDRESS: Final = re.compile(r"(.*) \[(\S+):\d+\]", re.DOTALL)
_OF_A_RELOAD: Final = re.compile(r"Note: |Plugin \S+ has registered to receive ")
"""What the broker says between "Reloading config." and those it throws out: 2.0.11 notes, 2.1 plugins."""
_CONNACK: Final = re.compile(r"Sending CONNACK to (.*) \(\d+, (\d+)\)", re.DOTALL)
_CALL: Final = re.compile(r"New connection from (\S+):\d+ on port \d+\.")
_NOT_AUTHORISED: Final = frozenset({"4", "5", "134", "135"})
"""CONNACK's codes: MQTT 3.1.1 bad user name or password, not authorised; the same of MQTT 5."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal. `who` of a refused publish is the user name. `who` of a refused login is the address,
    since whoever gives no user name calls itself what it likes; but for a mosquitto that names client and
    address in one line, where a user name cannot be told from a client id: `who` is that name then, and the
    reader must take the address where the registry does not know it."""

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
        if len(line.encode("utf-8", "replace")) >= CUT_AT:
            return self._cut_line(text)
        if self._reloading and not _OF_A_RELOAD.match(text):
            cut = _CUT_OFF.fullmatch(text)
            if cut:
                return self._cut_off(cut[1])
            self._reloading = False
        return self._meaning(text)

    def _cut_off(self, said: str) -> CutOff:
        """mosquitto 2.1 adds the address to the client id, which may look like that itself."""
        place = _ADDED_ADDRESS.fullmatch(said)
        client = place[1] if place and said not in self._clients else said
        name, address = self._clients.pop(client, (client, place[2] if place else ""))
        return CutOff(_short(name), address[:64])

    def _meaning(self, text: str) -> Meaning:
        if found := _CALL.fullmatch(text):
            self._caller = found[1]
        elif found := _CONNECTED.fullmatch(text):
            self._connected(found[1], found[2], found[3] or found[2])
        elif found := _CONNACK.fullmatch(text):
            self._rejected = found[1] if found[2] in _NOT_AUTHORISED else ""
        elif found := _NOT_LET_IN.fullmatch(text):
            return self._not_let_in(found[1], found[2] or "")
        elif text.startswith(_DENIED):
            return self._denied(text)
        elif text == "Reloading config.":
            self._reloading = True
            return Reloaded()
        elif text.startswith("mosquitto version ") and text.endswith(" running"):
            self._clients.clear()
            return Reloaded()
        return None

    def _cut_line(self, text: str) -> Refused | None:
        """What is not said in full can only be guessed, and nobody may hide behind a long client id: one that
        leaves and was not seen to connect was not let in."""
        if text.startswith(_DENIED):
            return self._denied(text)
        if found := _CONNECTED_CUT.match(text):
            self._connected(found[1], found[2][:SHOWN], found[2])
        elif text.startswith("Client ") and text[7 : 7 + SHOWN] not in self._clients:
            return Refused("login", _short(self._caller or text[7:]), "", self._caller[:64])
        return None

    def _denied(self, text: str) -> Refused | None:
        """Client ids and topics may both look like the words between them: the longest id that is connected
        counts, else the shortest."""
        said = text[len(_DENIED) :]
        ways = [(said[: one.start()], said[one.end() :]) for one in _DENIED_TOPIC.finditer(said)]
        if not ways:
            return Refused("topic", _short(said), "", "") if len(text) > SHOWN else None
        client, topic = next((way for way in reversed(ways) if way[0] in self._clients), ways[0])
        name, address = self._clients.get(client, (client, ""))
        return Refused("topic", _short(name), _short(_DENIED_END.sub("", topic)), address)

    def _connected(self, address: str, client: str, name: str) -> None:
        self._clients[client] = (name, address[:64])
        self._clients.move_to_end(client)
        if len(self._clients) > CLIENTS_MAX:
            self._clients.popitem(last=False)

    def _not_let_in(self, client: str, address: str) -> Refused:
        """Newer mosquitto names the address in the line; with debug lines the CONNACK just before it does,
        for who gave a user name; else it is that of the last who called, which under a rush may be
        another's. 2.0.11 names the client id of those without a user name only."""
        said = self._rejected if client == "<unknown>" and _is_address(self._rejected) else ""
        place = (address or said or self._caller)[:64]
        self._rejected = ""
        name = client if address and client != "<unknown>" else place
        return Refused("login", _short(name or client), "", place)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _short(text: str) -> str:
    """Printable and not too long."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:SHOWN])
