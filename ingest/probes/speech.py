"""The packets of the check that `ingest/wire.py` has no need of, through the same codec."""

from __future__ import annotations

import mqtt5

from ingest.packets import WireError


def read(frame: memoryview) -> mqtt5.Packet:
    """One whole packet. Raises WireError."""
    try:
        return mqtt5.read(frame)[0]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the codec panics for some bytes; see ingest/wire.py
        raise WireError(f"packet type {frame[0] >> 4} is not MQTT 5: {error}") from None


def publish(
    topic: str, payload: bytes, qos: int, packet_id: int | None, *, retain: bool = False, expiry_s: int = 0
) -> bytes:
    """A PUBLISH; `expiry_s` 0 means for good."""
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS.AT_LEAST_ONCE if qos else mqtt5.QoS.AT_MOST_ONCE,
        retain=retain,
        packet_id=packet_id,
        message_expiry_interval=expiry_s or None,
    ).write()


def words(name: str, text: str | None) -> str:
    """A reason code as people read it, with what the broker added."""
    said = name.lower().replace("_", " ")
    return f"{said}: {text}" if text else said
