"""A subscriber of the ecosystem (paho) that remembers everything a real broker delivers to it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from types import TracebackType

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions


class Listener:
    """Subscribed to everything once entered. `messages` are (topic, payload, qos, retain) in order."""

    def __init__(self, port: int) -> None:
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._port = port
        self.messages: list[tuple[str, bytes, int, bool]] = []

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload), message.qos, message.retain))

    def wait_for(self, count: int, timeout_s: float = 20.0) -> None:
        """Returns once `count` messages have come, and a little later, so that one too many shows too."""
        until = time.monotonic() + timeout_s
        while len(self.messages) < count and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)

    def reports(self) -> Counter[tuple[str, int]]:
        """How often each (topic, sequence number) of our own format came."""
        return Counter((topic, json.loads(payload)["seq"]) for topic, payload, *_ in self.messages)

    def __enter__(self) -> Listener:
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe("#", options=SubscribeOptions(qos=1, retainAsPublished=True))
        self._client.loop_start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
