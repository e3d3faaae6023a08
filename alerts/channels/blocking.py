"""What clients that block share: whom TLS believes, and what an error of a connection means."""

from __future__ import annotations

import socket
import ssl
from functools import cache

from alerts.channels.channel import Failed


@cache
def trust_in(ca_file: str) -> ssl.SSLContext:
    """The authorities in `ca_file`, the system's where it is empty. Made once: reading those takes some 20 ms
    of CPU."""
    return ssl.create_default_context(cafile=ca_file or None)


def failure_of(error: Exception) -> Failed:
    """By its kind: an error's words may repeat the address."""
    match error:
        case ssl.SSLError():
            return Failed("the secure connection failed")
        case TimeoutError():
            return Failed("no answer in time")
        case socket.gaierror():
            return Failed("the host name was not found")
        case ConnectionRefusedError():
            return Failed("no connection")
        case ConnectionError():
            return Failed("the connection broke off")
        case _:
            return Failed(f"could not be sent ({type(error).__name__})")
