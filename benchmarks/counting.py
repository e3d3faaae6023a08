"""A subscriber that only counts, with a library of others: `python -m benchmarks.counting KIND PORT FILE`.

KIND is `paho` or `aiomqtt`: MQTT 5, QoS 1, one subscription to `gengfu/#`, the libraries' own settings. FILE
holds two int64: whether it is subscribed, and how many messages it has been given.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
from pathlib import Path
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

TOPIC: Final = "gengfu/#"
BYTES: Final = 16


class Tally:
    """Two numbers in a file that another process reads while they change."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(BYTES))
        with path.open("r+b") as file:
            self.cells = memoryview(mmap.mmap(file.fileno(), BYTES)).cast("q")

    @property
    def subscribed(self) -> bool:
        """Whether messages are counted from now on."""
        return bool(self.cells[0])

    @property
    def count(self) -> int:
        """The messages so far."""
        return int(self.cells[1])


def count_with_paho(port: int, cells: memoryview[int]) -> None:
    """Runs until it is killed."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "paho", protocol=paho.MQTTv5)

    def on_message(_client: paho.Client, _userdata: object, _message: paho.MQTTMessage) -> None:
        cells[1] += 1

    def on_subscribe(*_: object) -> None:
        cells[0] = 1

    client.on_message = on_message
    client.on_subscribe = on_subscribe
    client.connect("127.0.0.1", port)
    client.subscribe(TOPIC, 1)
    client.loop_forever()


async def count_with_aiomqtt(port: int, cells: memoryview[int]) -> None:
    """Runs until it is killed."""
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(TOPIC, 1)
        cells[0] = 1
        async for _ in client.messages:
            cells[1] += 1


def main(kind: str, port: int, path: Path) -> None:
    """Counts until it is killed."""
    cells = Tally(path).cells
    if kind == "paho":
        count_with_paho(port, cells)
    else:
        asyncio.run(count_with_aiomqtt(port, cells))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
