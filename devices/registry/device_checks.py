"""What may be said of a device, and in which form. Pure; also for files read in bulk."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypedDict

from devices.profiles.general.naming import UID_MAX
from devices.profiles.own.own_profile import CHANNEL_LENGTH_MAX
from devices.profiles.shipped import PROFILE_NAMES
from devices.registry.errors import NotAllowed, among, check_code, check_handle, check_note

KINDS: Final = ("smoke", "electrical", "other")
INSULATIONS: Final = ("unknown", "pvc", "rubber", "xlpe")
EARTHINGS: Final = ("unknown", "tn-c", "tn-s", "tt")
LABEL_MAX: Final = 200
NAMEPLATE_MAX: Final = 64
"""Characters of a vendor, a model, a serial number (chosen: width of the columns)."""
RATING_MAX_A: Final = 6300.0
"""The largest rated current of low-voltage circuit-breakers in the R10 series that IEC 60059 standardises;
a residential block stays far below."""
SILENCE_MIN_S: Final = 60
"""The shortest silence that is watched for: two heartbeats of a mains device, 30 s each (chosen)."""
SILENCE_MAX_S: Final = 366 * 86_400
"""A device that need not be heard within a year is not watched (chosen)."""
INSTALLED_SINCE: Final = date(1990, 1, 1)
"""No such device that still works is older (chosen)."""
INSTALLED_AHEAD: Final = timedelta(days=1)
"""The date is that of the place, up to 14 h ahead of UTC."""
_UID: Final = re.compile(r"[a-z][a-z0-9]*:\S(?:.*\S)?")
_WILD: Final = re.compile(r"[+#]")
_DIGEST: Final = re.compile(r"topic:.*#[0-9a-f]{32}")
"""The uid of a device that is known by a long topic alone: its digest stands behind a `#`."""
_UID_FORMS: Final = {
    "zigbee": (re.compile(r"[0-9a-f]{16}"), "16 hex digits in lower case"),
    "own": (re.compile(r"[^/+#A-Z]+"), "the device id in lower case, without / + #"),
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class DeviceSaid(TypedDict, total=False):
    """What is said of a device and its circuit. None or empty: unknown; ratings in amperes. `max_silence_s`
    is how long it may say nothing; None: as it says itself."""

    label: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str
    earthing: str
    max_silence_s: int | None
    vendor: str
    model: str
    serial: str
    installed_on: str | None
    installed_by: str


class DeviceChanges(DeviceSaid, total=False):
    """What can change of a device where it hangs."""

    kind: str
    profile: str


class ChannelSaid(TypedDict, total=False):
    """What is said of one channel; None or unknown: as for the device."""

    label: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str


def check_uid(uid: str) -> str:
    """`uid` if it has the form `<namespace>:<id>` and that of its namespace; raises NotAllowed."""
    if len(uid) > UID_MAX or not uid.isprintable() or not _UID.fullmatch(uid):
        raise NotAllowed(
            f"uid {uid!r}: <namespace>:<id> of at most {UID_MAX} printable characters is allowed, "
            "such as zigbee:00124b0000000001 or own:meter-7"
        )
    if _WILD.search(uid.partition("#")[0] if _DIGEST.fullmatch(uid) else uid):
        raise NotAllowed(f"uid {uid!r}: + and # are wildcards of MQTT, which no device has in its name")
    namespace, native = uid.split(":", 1)
    form, words = _UID_FORMS.get(namespace, (None, ""))
    if form is not None and not form.fullmatch(native):
        raise NotAllowed(f"uid {uid!r}: after {namespace}: come {words}")
    return uid


def check_channel(name: str) -> str:
    """The name of a sensing point (`l1`, `ch2`, `n`) as readings carry it; raises NotAllowed."""
    return check_code(name, "channel", CHANNEL_LENGTH_MAX)


def check_rating(value: float | None, what: str) -> float | None:
    """A rated current in amperes, None where unknown; raises NotAllowed."""
    if value is not None and not (math.isfinite(value) and 0 < value <= RATING_MAX_A):
        raise NotAllowed(f"{what} {value}: a positive number of amperes up to {RATING_MAX_A:g} is allowed")
    return value


def check_silence(value: int | None) -> int | None:
    """How long a device may say nothing, in whole seconds, None: as it says itself; raises NotAllowed."""
    if value is not None and not SILENCE_MIN_S <= value <= SILENCE_MAX_S:
        raise NotAllowed(
            f"max_silence_s {value}: a number of seconds from {SILENCE_MIN_S} to {SILENCE_MAX_S} is allowed"
        )
    return value


def check_installed_on(text: str | None, now_us: int) -> str | None:
    """An ISO date from 1990 to tomorrow, None where unknown; raises NotAllowed."""
    if not text:
        return None
    latest = (datetime.fromtimestamp(now_us // 1_000_000, UTC) + INSTALLED_AHEAD).date()
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not INSTALLED_SINCE <= day <= latest:
        raise NotAllowed(
            f"installed_on {text!r}: a date YYYY-MM-DD from {INSTALLED_SINCE} to {latest} is allowed"
        )
    return text


def check_said(said: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """What was said (`DeviceChanges` or `ChannelSaid`) in the form in which it is kept; raises NotAllowed."""
    return {
        name: check_installed_on(value, now_us) if name == "installed_on" else _CHECKS[name](value)
        for name, value in said.items()
    }


def _nameplate(what: str) -> Callable[[str], str]:
    return lambda text: check_note(text, NAMEPLATE_MAX, what)


_CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "kind": lambda text: among(text, KINDS, "kind"),
    "profile": lambda text: among(text, PROFILE_NAMES, "profile"),
    "label": lambda text: check_note(text, LABEL_MAX, "label"),
    "breaker_a": lambda value: check_rating(value, "breaker_a"),
    "cable_a": lambda value: check_rating(value, "cable_a"),
    "insulation": lambda text: among(text, INSULATIONS, "insulation"),
    "earthing": lambda text: among(text, EARTHINGS, "earthing"),
    "max_silence_s": check_silence,
    "vendor": _nameplate("vendor"),
    "model": _nameplate("model"),
    "serial": _nameplate("serial"),
    "installed_by": lambda code: check_handle(code, "installed_by") if code else "",
}
