"""Every format by the name that profile files use."""

from __future__ import annotations

from typing import Final

from devices.profiles.formats.csv_text import read_csv
from devices.profiles.formats.format import Format, FormatContext, Unreadable
from devices.profiles.formats.home_assistant import read_home_assistant
from devices.profiles.formats.json_text import read_json
from devices.profiles.formats.senml import read_senml
from devices.profiles.formats.sparkplug import read_sparkplug
from devices.profiles.formats.text import read_text
from devices.profiles.profile import Reason


def read_nothing(_payload: bytes, _context: FormatContext) -> None:
    """For messages whose content does not matter."""


def read_octets(payload: bytes, _context: FormatContext) -> None:
    """For octets that nobody reads: always refused, so that their device is seen."""
    raise Unreadable(Reason.NO_CODEC, f"{len(payload)} octets that no codec reads")


FORMATS: Final[dict[str, Format]] = {
    "json": read_json,
    "text": read_text,
    "csv": read_csv,
    "senml": read_senml,
    "sparkplug": read_sparkplug,
    "home_assistant": read_home_assistant,
    "none": read_nothing,
    "octets": read_octets,
}
