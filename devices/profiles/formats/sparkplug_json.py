"""Sparkplug B as JSON: the rendering of the specification's examples and of gateways that translate."""

from __future__ import annotations

from typing import Any, Final

from devices.profiles.formats.format import Tree, Unreadable
from devices.profiles.formats.json_text import read_json
from devices.profiles.formats.sparkplug_wire import DataType
from devices.profiles.profile import Reason

_TYPES: Final = {kind.name.lower(): int(kind) for kind in DataType}
_LARGEST: Final = (1 << 64) - 1
_KEYS: Final = {
    "alias": "alias",
    "timestamp": "timestamp",
    "isNull": "is_null",
    "is_null": "is_null",
    "isHistorical": "is_historical",
    "is_historical": "is_historical",
}


def metrics_of_json(payload: bytes, most: int) -> dict[str, Any]:
    """The tree, its metrics (at most `most`) as their fields say it. Metrics that are no objects are left
    out.
    """
    body = read_json(payload)
    metrics = body.get("metrics", []) if type(body) is dict else None
    if type(metrics) is not list:
        raise Unreadable(Reason.WRONG_TYPE, "expected an object with a list of metrics")
    if len(metrics) > most:
        raise Unreadable(Reason.TOO_LARGE, f"more than {most} metrics")
    said = [_metric(metric) for metric in metrics if type(metric) is dict]
    tree = {key: body[key] for key in ("timestamp", "seq") if type(body.get(key)) is int}
    return tree | {"metrics": said}


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    said = {key: metric[own] for own, key in _KEYS.items() if type(metric.get(own)) in {int, bool}}
    if type(metric.get("name")) is str:
        said["name"] = metric["name"]
    if type(alias := said.get("alias", 0)) is not int or not 0 <= alias <= _LARGEST:
        del said["alias"]
    kind = metric.get("dataType", metric.get("datatype"))
    if type(kind) is str and kind.lower() in _TYPES:
        said["datatype"] = _TYPES[kind.lower()]
    elif type(kind) is int and 0 < kind < 1 << 32:
        said["datatype"] = kind
    if "value" in metric and type(metric["value"]) not in {dict, list}:
        said["value"] = metric["value"]
    if (quality := _quality(metric.get("properties"))) is not None:
        said["quality"] = quality
    return said


def _quality(properties: Tree) -> int | None:
    quality = properties.get("Quality") if type(properties) is dict else None
    if type(quality) is dict:
        quality = quality.get("value")
    return quality if type(quality) is int else None
