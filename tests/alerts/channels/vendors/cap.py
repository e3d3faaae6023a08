"""What the CAP 1.2 schema asks of a message, written from the standard: order, counts, values."""

from __future__ import annotations

import re
from xml.etree import ElementTree

ALERT = {
    "identifier": (1, 1),
    "sender": (1, 1),
    "sent": (1, 1),
    "status": (1, 1),
    "msgType": (1, 1),
    "source": (0, 1),
    "scope": (1, 1),
    "restriction": (0, 1),
    "addresses": (0, 1),
    "code": (0, 99),
    "note": (0, 1),
    "references": (0, 1),
    "incidents": (0, 1),
    "info": (0, 99),
}
INFO = {
    "language": (0, 1),
    "category": (1, 99),
    "event": (1, 1),
    "responseType": (0, 99),
    "urgency": (1, 1),
    "severity": (1, 1),
    "certainty": (1, 1),
    "audience": (0, 1),
    "eventCode": (0, 99),
    "effective": (0, 1),
    "onset": (0, 1),
    "expires": (0, 1),
    "senderName": (0, 1),
    "headline": (0, 1),
    "description": (0, 1),
    "instruction": (0, 1),
    "web": (0, 1),
    "contact": (0, 1),
    "parameter": (0, 99),
    "resource": (0, 99),
    "area": (0, 99),
}
AREA = {
    "areaDesc": (1, 1),
    "polygon": (0, 99),
    "circle": (0, 99),
    "geocode": (0, 99),
    "altitude": (0, 1),
    "ceiling": (0, 1),
}
VALUES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {
        *("Geo", "Met", "Safety", "Security", "Rescue", "Fire"),
        *("Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
    },
    "responseType": {
        *("Shelter", "Evacuate", "Prepare", "Execute", "Avoid"),
        *("Monitor", "Assess", "AllClear", "None"),
    },
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
SENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"


def complaints(raw: bytes) -> list[str]:
    """What the schema and the notes of the standard have against it; empty when it is good."""
    alert = ElementTree.fromstring(raw)
    found = _element(alert, "alert", ALERT)
    for info in _all(alert, "info"):
        found += _element(info, "info", INFO)
        for area in _all(info, "area"):
            found += _element(area, "area", AREA)
    if not re.fullmatch(SENT, text_of(alert, "sent")):
        found.append("sent has no zone or another form")
    found += [
        f"{name} holds what it must not"
        for name in ("identifier", "sender")
        if not text_of(alert, name) or re.search(r"[\s,<&]", text_of(alert, name))
    ]
    if text_of(alert, "scope") == "Private" and not text_of(alert, "addresses"):
        found.append("Private without addresses")
    if text_of(alert, "msgType") in {"Update", "Cancel"}:
        references = text_of(alert, "references").split()
        if not references or any(not re.fullmatch(rf"[^,]+,[^,]+,{SENT}", one) for one in references):
            found.append("references missing or of another form")
    return found


def text_of(element: ElementTree.Element, *path: str) -> str:
    for name in path:
        element = _all(element, name)[0]
    return element.text or ""


def texts_of(element: ElementTree.Element, name: str) -> list[str]:
    return [one.text or "" for one in element.iter(f"{{urn:oasis:names:tc:emergency:cap:1.2}}{name}")]


def _all(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return element.findall(f"{{urn:oasis:names:tc:emergency:cap:1.2}}{name}")


def _element(element: ElementTree.Element, name: str, children: dict[str, tuple[int, int]]) -> list[str]:
    tags = [child.tag for child in element]
    names = [tag.removeprefix("{urn:oasis:names:tc:emergency:cap:1.2}") for tag in tags]
    found = [f"{name} has {one}, which is none of CAP 1.2" for one in names if one not in children]
    order = [list(children).index(one) for one in names if one in children]
    if order != sorted(order):
        found.append(f"{name}'s elements are not in the order of the standard: {names}")
    found += [
        f"{name} has {names.count(one)} {one}"
        for one, (least, most) in children.items()
        if not least <= names.count(one) <= most
    ]
    for child, one in zip(element, names, strict=True):
        if one in VALUES and child.text not in VALUES[one]:
            found.append(f"{one} is {child.text}")
    return found
