"""Calls to Tencent Cloud's interfaces (API 3.0): signature TC3-HMAC-SHA256 and what their error codes mean.

The vendor answers 200 always, errors as `Response.Error.Code`. Signature: the vendor's page "Signature v3",
whose example is a test vector here. The signature's day is of UTC, and more than 5 minutes off is refused.

Codes (the vendor's pages 52075 and 59177 for SMS, 51561 for voice): LimitExceeded names the limit; money,
time-outs and InternalError pass; everything that is wrong with the request stays wrong.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from alerts.channels.accounts import CLOCK_WRONG, NO_MONEY
from alerts.channels.channel import Failed
from alerts.channels.http import Http, Reply, short_code
from alerts.channels.refusals import NOT_UNDERSTOOD

_ALGORITHM: Final = "TC3-HMAC-SHA256"
_JSON: Final = "application/json; charset=utf-8"
_SIGNED: Final = "content-type;host"
_MONEY: Final = frozenset(
    {
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "FailedOperation.InsufficientBalanceInVoicePackage",
        "UnauthorizedOperation.ServiceSuspendDueToArrears",
    }
)
_CLOCK: Final = frozenset({"AuthFailure.SignatureExpire", "InternalError.RequestTimeException"})
_WAITS_S: Final[Mapping[str, float]] = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.PhoneNumberOneHourLimit": 3_600.0,
    "LimitExceeded.PhoneNumberDailyLimit": 86_400.0,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": 86_400.0,
    "LimitExceeded.AppDailyLimit": 3_600.0,
    "LimitExceeded.DailyLimit": 3_600.0,
    "LimitExceeded.DeliveryFrequencyLimit": 30.0,
}
"""By the limit's own window; an app's total may be raised by hand at any time, so an hour (chosen); the last
names no window, so the shortest that the console offers."""
_PASSING: Final = frozenset(
    {
        "FailedOperation.AccessUpstreamTimeout",
        "FailedOperation.ParametersOtherError",
        "InternalError",
        "ResourceUnavailable",
        "ResourceInsufficient",
    }
)
_FOREVER: Final = (
    "AuthFailure",
    "FailedOperation.",
    "Invalid",
    "Missing",
    "Unknown",
    "Unsupported",
    "Unauthorized",
    "ActionOffline",
    "NoSuch",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "ResourceNotFound",
)
_SECOND_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class TencentKey:
    """An API key, best of a sub-account that may do nothing else."""

    secret_id: str
    secret_key: str


class TencentApi:
    """One service of Tencent Cloud at one address, under one key."""

    def __init__(
        self,
        base_url: str,
        service: str,
        version: str,
        region: str,
        key: TencentKey,
        timeout_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._http = Http(timeout_s)
        self._url = base_url.rstrip("/") + "/"
        self._host = urlsplit(self._url).netloc
        self._service = service
        self._version = version
        self._region = region
        self._key = key
        self._clock = clock

    async def call(
        self, action: str, parameters: Mapping[str, Any], *, urgent: bool
    ) -> dict[str, Any] | Failed:
        """`Response` of a call without an error; never raises but CancelledError."""
        body = msgspec.json.encode(parameters)
        now_s = int(self._clock())
        headers = {
            "authorization": authorization(self._key, self._service, self._host, body, now_s),
            "content-type": _JSON,
            "host": self._host,
            "x-tc-action": action,
            "x-tc-region": self._region,
            "x-tc-timestamp": str(now_s),
            "x-tc-version": self._version,
        }
        reply = await self._http.ask("POST", self._url, body, headers, urgent=urgent, read_refusals=True)
        return _judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def authorization(key: TencentKey, service: str, host: str, body: bytes, now_s: int) -> str:
    """The Authorization header of a POST of JSON to `/`."""
    day = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d")
    headers = f"content-type:{_JSON}\nhost:{host}\n"
    request = f"POST\n/\n\n{headers}\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    to_sign = f"{_ALGORITHM}\n{now_s}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signing = f"TC3{key.secret_key}".encode()
    for word in (day, service, "tc3_request"):
        signing = hmac.new(signing, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={key.secret_id}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"


def refusal(code: str) -> Failed:
    """What an error code means, of the whole request or of one number."""
    if code in _MONEY:
        return Failed(NO_MONEY)
    if code in _CLOCK:
        return Failed(CLOCK_WRONG)
    reason = f"Code {short_code(code)}"
    if code.startswith("RequestLimitExceeded"):
        return Failed(reason, retry_after_s=_SECOND_S)
    if code.startswith("LimitExceeded"):
        return Failed(reason, retry_after_s=_WAITS_S.get(code, _SECOND_S))
    if code in _PASSING or code.startswith("InternalError."):
        return Failed(reason)
    return Failed(reason, permanent=code.startswith(_FOREVER))


def _judge(reply: Reply) -> dict[str, Any] | Failed:
    answer = reply.object()
    response = answer.get("Response") if answer else None
    if not isinstance(response, dict):
        return reply.refused or Failed(NOT_UNDERSTOOD)
    error = response.get("Error")
    if isinstance(error, dict):
        return refusal(str(error.get("Code", "")))
    return reply.refused or response
