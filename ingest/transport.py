"""How bytes get to a broker: plain TCP, TLS, WebSocket, or WebSocket in TLS.

Errors:
* LinkLost (ingest/link.py): a file that TLS needs cannot be used; `do` says which.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final, Literal

from ingest.link import LinkLost

Kind = Literal["tcp", "tls", "ws", "wss"]

PORTS: Final[dict[Kind, int]] = {"tcp": 1883, "tls": 8883, "ws": 80, "wss": 443}
"""The registered ports of mqtt and secure-mqtt (IANA), and of the ws and wss schemes (RFC 6455, 3)."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How to get to a broker; without anything said, plain TCP.

    `path` is asked for when opening a WebSocket. `authority` is a PEM file with who may have signed the
    broker's certificate, empty for those the system trusts. `certificate` and `certificate_key` are what we
    show ourselves, PEM, for a broker that asks; the key without a password, or in the certificate's file.
    """

    kind: Kind = "tcp"
    path: str = "/mqtt"
    authority: str = ""
    certificate: str = ""
    certificate_key: str = ""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.kind in ("tls", "wss")

    @property
    def websocket(self) -> bool:
        """Whether a WebSocket is spoken."""
        return self.kind in ("ws", "wss")

    @property
    def default_port(self) -> int:
        """Where such a broker is met when nothing else is said."""
        return PORTS[self.kind]

    def context(self) -> ssl.SSLContext:
        """What a TLS client of ours insists on: TLS 1.2 or later, a certificate that is trusted, good today
        and made out to the host that was asked for. Reads the files, each time anew: a renewed certificate is
        used from the next connection on. Raises LinkLost.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # so that writing never waits for reading
        try:
            if self.authority:
                context.load_verify_locations(self.authority)
            else:
                context.load_default_certs()
        except (OSError, ValueError) as error:
            raise _unusable(
                "the authority's certificate", self.authority, "server_authority", error
            ) from None
        if self.certificate:
            try:
                # The password keeps OpenSSL from asking for one at the terminal.
                context.load_cert_chain(self.certificate, self.certificate_key or None, password="")
            except (OSError, ValueError) as error:
                key = self.certificate_key or self.certificate
                what = "our certificate or its key"
                raise _unusable(
                    what, f"{self.certificate}, {key}", "client_certificate and client_key", error
                ) from None
        return context


PLAIN: Final = Transport()


def _unusable(what: str, file: str, key: str, error: Exception) -> LinkLost:
    """`error` is OSError (ssl.SSLError is one) or what the ssl module says of a text that is not PEM."""
    said = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return LinkLost(
        f"{what} cannot be used: {file}: {said}",
        do=f"correct {key}: PEM files that this user can read, the key without a password",
    )
