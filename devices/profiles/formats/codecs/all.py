"""Every codec by the name that profile files use."""

from __future__ import annotations

from typing import Final

from devices.profiles.formats.codecs.milesight import decode_milesight
from devices.profiles.formats.format import Codec

CODECS: Final[dict[str, Codec]] = {"milesight": decode_milesight}
