"""Sparkplug B (specification 3.0): protobuf payloads under `spBv1.0/group/type/node[/device]`.

The topic's captures `type`, `group`, `node` and `device` (absent in a node's own messages) say what a message
is. Aliases are resolved by the births the profile remembers. A payload that starts with `{` is taken for the
JSON rendering of the same structure, in which gateways and documents show it; no protobuf payload starts so.
"""

from __future__ import annotations

import base64
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from devices.profiles.formats import sparkplug_births as births
from devices.profiles.formats.format import FormatContext, Unreadable
from devices.profiles.formats.sparkplug_births import Birth
from devices.profiles.formats.sparkplug_json import metrics_of_json
from devices.profiles.formats.sparkplug_wire import (
    SIGNED_BITS,
    TEXTS,
    DecodeError,
    Wire,
    payload_type,
)
from devices.profiles.profile import Reason

if TYPE_CHECKING:
    from devices.profiles.memory import Memory

LONGEST: Final = 1 << 20
"""Octets (chosen)."""
MOST_METRICS: Final = 4_096
"""Of one message (chosen: as many items as a message may have)."""
BAD, STALE = 0, 500
"""Of the property `Quality`, beside 192 for good (specification 6.4.13)."""
_parse: Final = payload_type().FromString
DATA: Final = frozenset({"NDATA", "DDATA"})
"""Types of messages that change nothing of what later ones mean."""
_BIRTHS: Final = frozenset({"NBIRTH", "DBIRTH"})
_PLAINLY: Final = frozenset({"float_value", "double_value", "boolean_value"})
"""Values that mean what they say, whatever the data type."""


def read_sparkplug(payload: bytes, context: FormatContext) -> dict[str, Any]:
    """`{"type", "timestamp", "seq", "metrics": [...], "stale_death", "forgotten"}`, times in ms since 1970.

    A metric has `name`, `value`, and where they are said `alias`, `timestamp`, `datatype`, `is_null`,
    `is_historical`, `quality`, and `stale` where that says so. Without a name and with an alias that no
    remembered birth explains, `name` is null and `incomplete` true. `value` is null where the metric says so,
    where it is NaN or infinite, and where its quality is bad, but for true, which stays: no doubt about a
    sensor hides a fire. Octets are base64 text; data sets and templates have no `value`.

    `stale_death` is true where a node's death belongs to an earlier session than its last birth (`bdSeq`): it
    means nothing. `forgotten` is true where a birth did not fit into the profile's memory
    (64 KiB: about 1,500 metrics): its own values are read, later aliases of it are not understood.
    """
    if len(payload) > LONGEST:
        raise Unreadable(Reason.TOO_LARGE, f"more than {LONGEST} octets")
    captures, memory = context.captures, context.memory
    kind, device = captures.get("type", ""), captures.get("device")
    node = f"{captures.get('group', '')}/{captures.get('node', '')}"
    place = f"{node}/{device}" if device else node
    is_birth = kind in _BIRTHS
    known = _Known(None if is_birth else memory, place)
    tree = _read_json(payload, known) if payload[:1] == b"{" else _read_octets(payload, known, is_birth)
    tree["type"] = kind
    if is_birth or kind == "NDEATH":
        _live_and_die(tree, kind, memory, node, place)
    return tree


def _live_and_die(tree: dict[str, Any], kind: str, memory: Memory, node: str, place: str) -> None:
    """What births and deaths change in the memory, and what it says of them."""
    metrics = tree["metrics"]
    if kind in _BIRTHS and not births.keep(memory, place, metrics):
        tree["forgotten"] = True
    if kind == "NBIRTH" and (number := _session_of(metrics)) is not None:
        births.keep_session(memory, node, number)
    elif kind == "NDEATH":
        tree["stale_death"] = _is_stale(_session_of(metrics), births.session(memory, node))


class _Known:
    """The birth of a place, looked up when it is first needed: messages that say all themselves never do."""

    __slots__ = ("_birth", "_memory", "_place")

    def __init__(self, memory: Memory | None, place: str) -> None:
        self._memory, self._place = memory, place
        self._birth: Birth | None = None

    def birth(self) -> Birth:
        """Empty while a birth itself is read."""
        if self._birth is None:
            memory = self._memory
            self._birth = births.NOTHING_BORN if memory is None else births.born(memory, self._place)
        return self._birth


def _read_octets(payload: bytes, known: _Known, is_birth: bool) -> dict[str, Any]:
    try:
        message = _parse(payload)
    except DecodeError as error:
        raise Unreadable(Reason.UNREADABLE, str(error)) from None
    metrics = message.metrics
    if len(metrics) > MOST_METRICS:
        raise Unreadable(Reason.TOO_LARGE, f"more than {MOST_METRICS} metrics")
    tree: dict[str, Any] = {}
    if time := message.timestamp:
        tree["timestamp"] = time
    if message.HasField("seq"):
        tree["seq"] = message.seq
    qualified = b"Quality" in payload
    tree["metrics"] = [_metric(metric, known, is_birth, qualified) for metric in metrics]
    return tree


def _read_json(payload: bytes, known: _Known) -> dict[str, Any]:
    tree = metrics_of_json(payload, MOST_METRICS)
    for metric in tree["metrics"]:
        if not metric.setdefault("name", None):
            _explain(metric, known)
        _judge(metric, known)
    return tree


def _metric(metric: Wire, known: _Known, is_birth: bool, qualified: bool) -> dict[str, Any]:
    """One metric as it stands in the tree. Each field that is asked for costs 0.1 µs, more than the parser's
    whole work on it: so none is asked for that cannot matter.
    """
    name, which = metric.name, metric.WhichOneof("value")
    said: dict[str, Any] = {"name": name or None}
    if which:
        said["value"] = getattr(metric, which)
    if time := metric.timestamp:
        said["timestamp"] = time
    if metric.is_historical:
        said["is_historical"] = True
    plain = which in _PLAINLY and type(name) is str
    if metric.is_null:
        said["is_null"], plain = True, False
    if (is_birth or not name) and ((alias := metric.alias) or metric.HasField("alias")):
        said["alias"] = alias
    if (is_birth or not plain) and (kind := metric.datatype):
        said["datatype"] = kind
    if qualified and metric.HasField("properties") and (quality := _quality(metric.properties)) is not None:
        said["quality"], plain = quality, False
    if not name:
        _explain(said, known)
    if not plain or said["value"] - said["value"] != 0:
        _judge(said, known)
    return said


def _quality(properties: Wire) -> int | None:
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == "Quality":
            return int(value.int_value or value.long_value)
    return None


def _judge(said: dict[str, Any], known: _Known) -> None:
    """The value as a number, a text or a boolean; null where there is none to rely on."""
    if type(said["name"]) is bytes:  # the parser's way with what is not UTF-8
        said["name"] = said["name"].decode("utf-8", "replace")
    value: Any = said.get("value")
    kind = type(value)
    if kind is int:
        bits = SIGNED_BITS.get(_type(said, known))
        if bits:
            said["value"] = _signed(value, bits)
    elif kind is float:
        if not isfinite(value):
            said["value"] = None
    elif kind is bytes:
        is_text = _type(said, known) in TEXTS
        said["value"] = value.decode("utf-8", "replace") if is_text else base64.b64encode(value).decode()
    quality = said.get("quality")
    if said.get("is_null") or (quality == BAD and value is not True):
        said["value"] = None
    if quality == STALE:
        said["stale"] = True


def _explain(said: dict[str, Any], known: _Known) -> None:
    """Name and data type by alias."""
    name, kind = known.birth().by_alias.get(said.get("alias", -1), (None, 0))
    said["name"] = name
    if name is None:
        said["incomplete"] = True
    elif kind:
        said.setdefault("datatype", kind)


def _type(said: dict[str, Any], known: _Known) -> int:
    """The data type, from the birth where the message leaves it out; 0 where nobody says it."""
    kind = said.get("datatype") or known.birth().types.get(said["name"], 0)
    if kind:
        said["datatype"] = kind
    return int(kind)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _session_of(metrics: list[dict[str, Any]]) -> int | None:
    for metric in metrics:
        if metric["name"] == "bdSeq" and type(metric.get("value")) is int:
            return int(metric["value"])
    return None


def _is_stale(number: int | None, born: int | None) -> bool:
    return number is not None and born is not None and number != born
