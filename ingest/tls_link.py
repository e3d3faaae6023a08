"""TLS upon another link, with OpenSSL on memory buffers: nothing blocks, and a flood of small records costs
one system call a read instead of two a record.

A broker whose certificate does not hold is never spoken to: LinkLost says what is wrong with it, and what to
do.
"""

from __future__ import annotations

import ssl
from typing import Final

from ingest.layer import Layer
from ingest.link import Link, LinkLost

_CHUNK: Final = 1 << 16
_RECORD: Final = 1 << 14
"""The longest content of a TLS record (RFC 8446, 5.1)."""
_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64  # X509_V_ERR_… of OpenSSL
_UNKNOWN_SIGNER: Final = (2, 18, 19, 20, 21)

_WHAT_TO_DO: Final = {
    _EXPIRED: "renew the broker's certificate; if it is good, correct this machine's clock",
    _NOT_YET: "correct this machine's clock, or the broker's certificate",
    _NAME: "set host to a name in the broker's certificate, or have this one put into it",
    _ADDRESS: "set host to a name in the broker's certificate, or have this address put into it",
}
_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "the broker wants to see a certificate: set client_certificate and client_key",
    "HANDSHAKE_FAILURE": "the broker may want to see a certificate (client_certificate), or has no TLS 1.2",
    "UNKNOWN_CA": "the broker does not know who signed our certificate: correct client_certificate",
    "UNSUPPORTED_CERTIFICATE": "our certificate is not one for clients: make another for client_certificate",
    "BAD_CERTIFICATE": "the broker refuses our certificate: correct client_certificate",
    "CERTIFICATE_EXPIRED": "our certificate has expired: renew client_certificate",
    "CERTIFICATE_REVOKED": "our certificate was revoked: renew client_certificate",
    "PROTOCOL_VERSION": "the broker has no TLS 1.2 or later: update it",
    "UNSUPPORTED_PROTOCOL": "the broker has no TLS 1.2 or later: update it",
    "WRONG_VERSION_NUMBER": "this port does not speak TLS: correct port or transport",
    "HTTP_REQUEST": "this port does not speak TLS: correct port or transport",
}


class TlsLink(Layer):
    """`below` spoken through TLS, as a client that asked for `host`.

    Memory: what one read of `below` brings, and OpenSSL's own buffers (some 50 kB).
    """

    _opening = "the TLS handshake"

    def __init__(self, below: Link, context: ssl.SSLContext, host: str) -> None:
        super().__init__(below)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unlooked = False
        self._over: LinkLost | None = None

    @property
    def pending(self) -> bool:
        """Whether something came that was not given yet: behind the handshake, or the end."""
        return self._unlooked or self._over is not None or self._below.pending

    def opened(self) -> bool:
        """A step of the handshake. Raises LinkLost when it fails."""
        if self._open:
            return True
        if not self._below.opened():
            return False
        try:
            self._incoming.write(self._below.receive(_CHUNK))
        except LinkLost as lost:
            do = lost.do or "see the broker's log: does it speak TLS, ask for a certificate?"
            raise LinkLost(f"{lost} during the TLS handshake", do=do) from None
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, ssl.CertificateError, ValueError) as error:
            raise self._failed(error) from None
        finally:
            self._flush()
        self._open = self._unlooked = True
        return True

    def receive(self, limit: int) -> bytes:
        """What came, decrypted; empty when no record is whole. Raises LinkLost at its end, or at what is not
        TLS."""
        if self._over:
            raise self._over
        self._unlooked = False
        self._incoming.write(self._below.receive(limit))
        self.more = self._below.more
        parts = []
        try:
            while data := self._tls.read(_RECORD):
                parts.append(data)
            self._over = LinkLost("closed by the broker")
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:  # what came before is still given
            self._over = self._failed(error)
        self._flush()  # an answer of TLS itself, such as to a change of keys
        if self._over:
            if not parts:
                raise self._over
            self.more = True
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def send(self, data: bytes) -> None:
        """Encrypts and sends behind what is still unsent. Raises LinkLost."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]
        except ssl.SSLError as error:
            raise self._failed(error) from None
        self._below.send(self._outgoing.read())

    def _flush(self) -> None:
        """Sends what TLS wants to say. The other side may be gone already; what we read says more."""
        if self._outgoing.pending:
            try:
                self._below.send(self._outgoing.read())
            except LinkLost as lost:
                self._over = self._over or lost

    def _failed(self, error: Exception) -> LinkLost:
        """What to raise, later where something came before it; the socket stays, somebody may wait for it."""
        if isinstance(error, ssl.SSLZeroReturnError):
            return LinkLost("closed by the broker")
        if isinstance(error, ssl.SSLCertVerificationError):
            return _untrusted(error)
        reason = (getattr(error, "reason", None) or str(error)).upper()
        do = next((do for word, do in _ALERTS.items() if reason.endswith(word)), "")
        return LinkLost(f"TLS fails: {reason.lower().replace('_', ' ')}", do=do)


def _untrusted(error: ssl.SSLCertVerificationError) -> LinkLost:
    do = _WHAT_TO_DO.get(error.verify_code, "")
    if error.verify_code in _UNKNOWN_SIGNER:
        do = "set server_authority to the certificate (ca.crt) of who signed the broker's"
    return LinkLost(f"the broker's certificate does not hold: {error.verify_message}", do=do)
