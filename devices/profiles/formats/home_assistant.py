"""Home Assistant's MQTT discovery: retained configs under
`homeassistant/<component>/[<node>/]<object>/config` and `homeassistant/device/<id>/config`, read as proposals
of what could be bound.

Nothing is bound by them: an installer sees and decides. Templates are never run; those that only name a place
in a JSON payload are understood as that place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from devices.profiles.formats.discovery_words import LONG, metric_of
from devices.profiles.formats.format import FormatContext, Tree, Unreadable
from devices.profiles.formats.json_text import read_json
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

MOST: Final = 500
"""Proposals of one config (chosen)."""
LONGEST: Final = 256
"""Characters of a text; a longer one is cut (chosen). Topics and templates of more than `_LONGEST_TOPIC`
count as missing."""
_LONGEST_TOPIC: Final = 1024
_SAID: Final = frozenset({"sensor", "binary_sensor", "switch"})
"""Components that report something we can store."""
_PLACE: Final = re.compile(
    r"""\{\{ \s* value
        (?: _json (?P<steps> (?: \. [A-Za-z_]\w* | \[ \s* (?: '[^']*' | "[^"]*" | \d{1,6} ) \s* \] )* ) )?
        (?: \s* \| \s* (?: float | int | round | default | is_defined ) (?: \( [\w\s.,'"-]{0,32} \) )? ){0,4}
        \s* \}\}""",
    re.VERBOSE | re.ASCII,
)
"""A template that names a place, at most with filters that do not change what is measured."""
_STEP: Final = re.compile(r"""\.(?P<name>\w+)|\[\s*(?:'(?P<one>[^']*)'|"(?P<two>[^"]*)"|(?P<at>\d+))\s*\]""")
_ADDRESS: Final = re.compile(r"(?:^|_)0x([0-9a-fA-F]{16})$")
_MAC: Final = re.compile(r"(?:[0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}")


def read_home_assistant(payload: bytes, context: FormatContext) -> dict[str, Any]:
    """`{"proposals": [...], "withdrawn": bool}`, all of a proposal's values text.

    A proposal has `uid`, `topic`, `path` (in the profile language; empty: the whole payload), `metric` (empty
    where the class and unit do not say), `class`, `unit`, `component`, `vendor`, `model`, `label`,
    `unique_id`, `availability` (topics, separated by blanks), for flags `on` and `off`, and `template` and
    `note` where its template is not understood. An empty payload withdraws what the topic said before. The
    capture `component` names the component; without it, a config with `components` is read all the same.
    """
    if not unpadded(payload):
        return {"proposals": [], "withdrawn": True}
    tree = read_json(payload)
    if type(tree) is not dict:
        raise Unreadable(Reason.WRONG_TYPE, f"expected an object, got {type(tree).__name__}")
    said = _spelled_out(tree)
    proposals: list[dict[str, str]] = []
    for component, config in _configs(said, context.captures.get("component", "")):
        if len(proposals) == MOST:
            raise Unreadable(Reason.TOO_LARGE, f"more than {MOST} proposals")
        if component in _SAID and (proposal := _proposal(component, config)):
            proposals.append(proposal)
    return {"proposals": proposals, "withdrawn": False}


def _spelled_out(config: dict[str, Any]) -> dict[str, Any]:
    """With long keys, and with `~` at an end of a topic replaced by the base it stands for."""
    said = {LONG.get(key, key): value for key, value in config.items()}
    base = said.pop("~", None)
    if type(base) is str:
        for key, value in said.items():
            if key.endswith("topic") and type(value) is str:
                said[key] = _with_base(value, base)
    return said


def _with_base(topic: str, base: str) -> str:
    if topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _configs(said: dict[str, Any], component: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each component with its config; those of a device's config share what it says of all."""
    components = said.pop("components", None)
    if type(components) is not dict:
        yield component, said
        return
    for each in components.values():
        if type(each) is dict:
            own = said | _spelled_out(each)
            yield _text(own.get("platform")), own


def _proposal(component: str, config: dict[str, Any]) -> dict[str, str] | None:
    topic = _topic(config.get("state_topic"))
    if not topic:
        return None
    device = config.get("device")
    device = _spelled_out(device) if type(device) is dict else {}
    unit, device_class = _text(config.get("unit_of_measurement")), _text(config.get("device_class"))
    metric = metric_of(component, device_class, unit)
    return {
        "uid": _uid(device, topic),
        "topic": topic,
        "metric": metric.name_on_wire if metric is not None else "",
        "class": device_class,
        "unit": unit,
        "component": component,
        "vendor": _text(device.get("manufacturer")),
        "model": _text(device.get("model")),
        "label": _text(device.get("name")) or _text(config.get("name")),
        "unique_id": _text(config.get("unique_id")),
        "availability": _availability(config),
        **_place(config.get("value_template")),
        **({} if component == "sensor" else _states(config)),
    }


def _uid(device: dict[str, Any], topic: str) -> str:
    """The name that other profiles give the same device: by its Zigbee address, else its MAC, else its
    topic.
    """
    identifiers = device.get("identifiers")
    texts = (
        [each for each in identifiers if type(each) is str] if type(identifiers) is list else [identifiers]
    )
    for each in texts:
        if type(each) is str and (found := _ADDRESS.search(each[-LONGEST:])):
            return f"zigbee:{found[1].lower()}"
    connections = device.get("connections")
    for pair in connections if type(connections) is list else []:
        if type(pair) is list and len(pair) == 2 and pair[0] == "mac" and _is_mac(pair[1]):
            return f"mac:{re.sub('[:-]', '', pair[1]).lower()}"
    return f"topic:{topic}"


def _is_mac(text: Tree) -> bool:
    return type(text) is str and _MAC.fullmatch(text) is not None


def _place(template: Tree) -> dict[str, str]:
    """Where the value stands, in the profile language."""
    if template is None or template == "":
        return {"path": ""}
    found = (
        _PLACE.fullmatch(template.strip())
        if type(template) is str and len(template) <= _LONGEST_TOPIC
        else None
    )
    steps = [_step(each) for each in _STEP.finditer(found["steps"] or "")] if found else []
    if found is None or None in steps:
        return {"path": "", "template": _text(template), "note": "the template is not understood"}
    return {"path": ".".join(step for step in steps if step is not None)}


def _step(found: re.Match[str]) -> str | None:
    """A key or position as a step of a path; None where a path cannot say it."""
    key = next((each for each in found.groups() if each is not None), "")
    if not key or "`" in key:
        return None
    return f"`{key}`" if "." in key else key


def _states(config: dict[str, Any]) -> dict[str, str]:
    """What is sent for on and off; a switch may report otherwise than it is commanded."""
    on, off = (
        _text(config.get(f"state_{word}", config.get(f"payload_{word}", word.upper())))
        for word in ("on", "off")
    )
    return {"on": on, "off": off}


def _availability(config: dict[str, Any]) -> str:
    listed = config.get("availability")
    several = listed[:8] if type(listed) is list else [listed]
    said = [_spelled_out(each).get("topic") for each in several if type(each) is dict]
    return " ".join(dict.fromkeys(filter(None, map(_topic, [config.get("availability_topic"), *said]))))


def _topic(value: Tree) -> str:
    return value if type(value) is str and len(value) <= _LONGEST_TOPIC else ""


def _text(value: Tree) -> str:
    """A value as Home Assistant would write it in a message; nothing for an object or a list."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str:
        return value[:LONGEST]
    return (
        str(value)[:LONGEST] if type(value) is float or (type(value) is int and abs(value) < 1 << 63) else ""
    )
