"""Every format by the name that profile files use."""

from __future__ import annotations

from typing import Final

from devices.profiles.formats.csv_text import read_csv
from devices.profiles.formats.format import Format, FormatContext
from devices.profiles.formats.home_assistant import read_home_assistant
from devices.profiles.formats.json_text import read_json
from devices.profiles.formats.senml import read_senml
from devices.profiles.formats.sparkplug import read_sparkplug
from devices.profiles.formats.text import read_text


def read_nothing(_payload: bytes, _context: FormatContext) -> None:
    """For messages whose content does not matter."""


FORMATS: Final[dict[str, Format]] = {
    "json": read_json,
    "text": read_text,
    "csv": read_csv,
    "senml": read_senml,
    "sparkplug": read_sparkplug,
    "home_assistant": read_home_assistant,
    "none": read_nothing,
}
