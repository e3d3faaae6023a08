"""Common Alerting Protocol 1.2 (OASIS Standard, 2010) over HTTP POST, for fire stations and city platforms.

What our severities mean (ours, after reference tables of the standard's values):

| ours | urgency | severity | certainty | responseType |
|---|---|---|---|---|
| P0+ | Immediate | Extreme | Observed | Evacuate |
| P0 | Immediate | Extreme | Likely | |
| P1 | Immediate | Severe | Likely | |
| P2 | Expected | Moderate | Possible | |
| P3 | Future | Minor | Possible | |

The category is Fire; below P0, where the hazard may be electrical, Safety as well. A message that says again
what this address took before is an Update and names what it replaces; after a restart, when that is no
longer known, it is an Alert, because an Update without references is none. Two parts beyond `PARTS` are
read: `drill` (not empty: status Exercise) and `ended` (not empty: msgType Cancel, responseType AllClear).

A platform may refuse in a 200: a CAP message of msgType Error, or JSON with an error code, is a failure.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.plain_answers import judge
from alerts.channels.templates import cut

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_HEADLINE_MOST: Final = 160
"""Characters; the standard's advice for what small displays show."""
_SCALE: Final[Mapping[str, tuple[str, str, str]]] = {
    "P0+": ("Immediate", "Extreme", "Observed"),
    "P0": ("Immediate", "Extreme", "Likely"),
    "P1": ("Immediate", "Severe", "Likely"),
    "P2": ("Expected", "Moderate", "Possible"),
    "P3": ("Future", "Minor", "Possible"),
}
_UNKNOWN: Final = ("Unknown", "Unknown", "Unknown")
_NO_PLACE: Final = {"zh-CN": "地点不明", "en": "place unknown"}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not."""
_NOT_ID: Final = re.compile(r"[\s,<&]+")
"""What identifier and sender must not hold."""
_ERROR: Final = re.compile(rb"<(?:\w+:)?msgType>\s*Error\s*<")
_TOLD_MOST: Final = 10_000
"""Incidents and addresses of which the last message is known (chosen: a month of a large site, 2 MB)."""


@dataclass(frozen=True, slots=True)
class CapSettings:
    """`sender` is our unique name at the receivers (a domain or an e-mail address), `sender_name` what people
    read. `area` is said where an alarm has no place. `exercise`: all messages have status Exercise, for a
    site in trial. `authorization` is the whole value of the HTTP header, empty for none."""

    sender: str
    sender_name: str
    area: str = ""
    timezone: str = "Asia/Shanghai"
    exercise: bool = False
    authorization: str = field(default="", repr=False)


class CapChannel:
    """POSTs one CAP message for one message to the platform in the address."""

    def __init__(
        self,
        settings: CapSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._http = Http(timeout_s)
        self._clock = clock
        self._zone = ZoneInfo(settings.timezone)
        self._told: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Reasons never hold the address."""
        sent = datetime.fromtimestamp(int(self._clock()), self._zone).isoformat()
        topic = (message.address, _incident(message.key))
        body = cap_alert(self._settings, message, sent, self._told.get(topic, ""))
        headers = {"Content-Type": "application/cap+xml; charset=utf-8", "Idempotency-Key": message.key}
        if self._settings.authorization:
            headers["Authorization"] = self._settings.authorization
        reply = await self._http.post(message.address, body, headers, urgent=message.urgent)
        outcome = _judge(reply) if isinstance(reply, Reply) else reply
        if isinstance(outcome, Accepted):
            self._remember(topic, f"{_id(self._settings.sender)},{_id(message.key)},{sent}")
        return outcome

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()

    def _remember(self, topic: tuple[str, str], reference: str) -> None:
        self._told[topic] = reference
        self._told.move_to_end(topic)
        while len(self._told) > _TOLD_MOST:
            self._told.popitem(last=False)


def cap_alert(settings: CapSettings, message: Message, sent: str, replaces: str = "") -> bytes:
    """The XML, elements in the order of the standard. `sent` is ISO 8601 with its zone, no Z; `replaces` is
    `sender,identifier,sent` of the message before, empty for none. Pure; takes any text."""
    parts = message.parts
    ended = bool(parts.get("ended")) and bool(replaces)
    again = bool(replaces) and bool(parts.get("why_now"))
    alert = ElementTree.Element("alert", xmlns=NAMESPACE)
    exercise = settings.exercise or bool(parts.get("drill"))
    _add(alert, "identifier", _id(message.key))
    _add(alert, "sender", _id(settings.sender))
    _add(alert, "sent", sent)
    _add(alert, "status", "Exercise" if exercise else "Actual")
    _add(alert, "msgType", "Cancel" if ended else "Update" if again else "Alert")
    _add(alert, "scope", "Private")
    _add(alert, "addresses", _host(message.address))
    if exercise:
        _add(alert, "note", "演练 Exercise")
    if ended or again:
        _add(alert, "references", replaces)
    _add(alert, "incidents", _incident(message.key))
    _add_info(alert, settings, message, bool(parts.get("ended")))
    written: bytes = ElementTree.tostring(alert, encoding="utf-8", xml_declaration=True)
    return written


def _add_info(alert: ElementTree.Element, settings: CapSettings, message: Message, ended: bool) -> None:
    parts = message.parts
    severity = parts.get("severity", "")
    urgency, weight, certainty = _SCALE.get(severity, _SCALE["P0"] if message.urgent else _UNKNOWN)
    what = _line(parts.get("what", "")) or cut(_line(message.text), _HEADLINE_MOST)
    where = _line(parts.get("where", ""))
    info = ElementTree.SubElement(alert, "info")
    _add(info, "language", message.language)
    _add(info, "category", "Fire")
    if severity in {"P1", "P2", "P3"}:
        _add(info, "category", "Safety")
    _add(info, "event", what)
    if ended or severity == "P0+":
        _add(info, "responseType", "AllClear" if ended else "Evacuate")
    _add(info, "urgency", "Past" if ended else urgency)
    _add(info, "severity", weight)
    _add(info, "certainty", certainty)
    _add(info, "senderName", settings.sender_name)
    _add(info, "headline", cut(" ".join(one for one in (what, where) if one), _HEADLINE_MOST))
    _add(info, "description", message.text)
    if parts.get("do"):
        _add(info, "instruction", parts["do"])
    if message.link:
        _add(info, "web", message.link)
    area = ElementTree.SubElement(info, "area")
    unknown = _NO_PLACE.get(message.language, _NO_PLACE["zh-CN"])
    _add(area, "areaDesc", where or settings.area or unknown)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = _NOT_XML.sub("", text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _id(text: str) -> str:
    return _NOT_ID.sub("_", text)


def _incident(key: str) -> str:
    """The number before the first slash of a message's key."""
    return _id(key.partition("/")[0])


def _host(address: str) -> str:
    """The receiver in `addresses`, which scope Private requires: the host alone, for a path may be secret."""
    try:
        return urlsplit(address).hostname or "receiver"
    except ValueError:
        return "receiver"


def _judge(reply: Reply) -> Outcome:
    if _ERROR.search(reply.body):
        return Failed("the platform answers with a CAP Error")
    return judge(reply)
