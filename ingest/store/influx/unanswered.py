"""Why a request got no answer, in words somebody can act on. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.client import BadStatusLine
from typing import Final

from urllib3 import exceptions

_NAMED_OTHERWISE: Final = frozenset({62, 64})
_OUT_OF_TIME: Final = frozenset({9, 10})
"""Codes of OpenSSL (X509_V_ERR): host and address that the certificate does not have; not yet, no longer."""


class Cause(StrEnum):
    """What came between."""

    ADDRESS = "that is no address"
    NAME = "its name is not known here"
    REFUSED = "nothing listens there"
    UNREACHED = "it cannot be reached"
    LATE = "it does not answer in time"
    UNTRUSTED = "its certificate is not trusted"
    NAMED_OTHERWISE = "its certificate is for another name"
    OUT_OF_TIME = "its certificate is not valid today"
    NO_TLS = "it speaks no TLS"
    TLS = "no TLS connection comes about"
    BROKEN = "it ends the connection before a whole answer"
    NOT_HTTP = "what answers speaks no HTTP"
    OTHER = "the request failed"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A cause, and what else is known of it. Holds no secret."""

    cause: Cause
    detail: str = ""

    def __str__(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"no answer from the server: {self.cause}{more}"


def unanswered(error: Exception) -> Unanswered:
    """What an exception of urllib3 or of the system means."""
    inner = _within(error)
    if isinstance(inner, ssl.SSLError):
        return _of_tls(inner)
    for kind, cause in _KINDS.items():
        if isinstance(error, kind) or isinstance(inner, kind):
            return Unanswered(cause, _system(inner))
    return Unanswered(Cause.OTHER, type(error).__name__)


def _within(error: BaseException) -> BaseException:
    """What urllib3 wrapped: as its cause, or as one of its arguments."""
    if isinstance(error.__cause__, OSError):
        return error.__cause__
    return next((arg for arg in error.args if isinstance(arg, BaseException)), error)


def _of_tls(error: ssl.SSLError) -> Unanswered:
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = str(getattr(error, "verify_message", "")).rstrip(".")
        code = getattr(error, "verify_code", 0)
        if code in _NAMED_OTHERWISE:
            return Unanswered(Cause.NAMED_OTHERWISE, detail)
        return Unanswered(Cause.OUT_OF_TIME if code in _OUT_OF_TIME else Cause.UNTRUSTED, detail)
    reason = error.reason or ""
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return Unanswered(Cause.NO_TLS)
    return Unanswered(Cause.TLS, reason.replace("_", " ").lower())


_KINDS: Final[Mapping[type[BaseException], Cause]] = {
    exceptions.LocationValueError: Cause.ADDRESS,
    exceptions.NameResolutionError: Cause.NAME,
    ConnectionRefusedError: Cause.REFUSED,
    exceptions.ReadTimeoutError: Cause.LATE,
    ConnectionError: Cause.BROKEN,
    TimeoutError: Cause.LATE,
    exceptions.NewConnectionError: Cause.UNREACHED,
    exceptions.ConnectTimeoutError: Cause.LATE,
    BadStatusLine: Cause.NOT_HTTP,
    exceptions.ProtocolError: Cause.BROKEN,
    OSError: Cause.UNREACHED,
}
"""The first that fits."""


def _system(error: BaseException) -> str:
    """The system's words, where it said any."""
    return (error.strerror or "") if isinstance(error, OSError) else ""
