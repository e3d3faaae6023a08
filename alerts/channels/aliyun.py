"""Calls to Aliyun's RPC interfaces: signature version 3 (ACS3-HMAC-SHA256) and what their error codes mean.

Parameters go into the query, as the vendor's own client libraries send them; the body is empty. The vendor
answers 200 with `Code` OK or an error, or 4xx and 5xx with `Code` in the body. Signature: the vendor's page
"V3 request structure and signature", whose fixed example is a test vector here.

Codes (the vendor's pages "API error codes" of SMS 101346 and of voice 178344):
* `isv.` says that something of ours is wrong and stays so, except the limits and the account's money;
* `isp.` and InternalError are theirs and pass, except isp.RAM_PERMISSION_DENY;
* Throttling… is the gateway's limit per second.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from alerts.channels.accounts import CLOCK_WRONG, NO_MONEY
from alerts.channels.channel import Failed
from alerts.channels.http import Http, Reply, short_code
from alerts.channels.refusals import NOT_UNDERSTOOD
from alerts.channels.templates import Template, values_of

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()
_MONEY: Final = frozenset({"isv.AMOUNT_NOT_ENOUGH", "isv.AMOUNT_NOT_ENOUG", "isv.OUT_OF_SERVICE"})
"""The second is how the voice service spells it in one of its lists."""
_CLOCK: Final = frozenset({"InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp"})
_PASSING: Final = frozenset(
    {"isv.ACCOUNT_ABNORMAL", "isv.VOICE_CALL_PERIOD_ERROR", "isv.VOICE_CALL_FAIL", "SignatureNonceUsed"}
)
_LIMITS: Final = frozenset({"isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"})
"""Totals that the account's owner set in the console."""
_FOREVER: Final = (
    "isv.",
    "Forbidden",
    "Invalid",
    "Missing",
    "Signature",
    "IncompleteSignature",
    "NoPermission",
)
_WINDOWS: Final = (("分钟级", 60.0), ("小时级", 3_600.0), ("天级", 86_400.0))
"""The message of isv.BUSINESS_LIMIT_CONTROL names the level that was reached."""
_SHORTEST_WINDOW_S: Final = 60.0
_TOTAL_WAIT_S: Final = 3_600.0
"""A day's or month's total may be raised by hand at any time (chosen)."""
_GATEWAY_WAIT_S: Final = 1.0
"""The gateway's limits are per second (SendSms 5,000, SingleCallByTts 1,000 an account)."""


@dataclass(frozen=True, slots=True)
class AliyunKey:
    """An access key, best of a RAM user that may do nothing else."""

    access_key_id: str
    access_key_secret: str


class AliyunApi:
    """One service of Aliyun at one address, under one key."""

    def __init__(
        self,
        base_url: str,
        version: str,
        key: AliyunKey,
        timeout_s: float,
        clock: Callable[[], float],
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._http = Http(timeout_s)
        self._url = base_url.rstrip("/") + "/"
        self._host = urlsplit(self._url).netloc
        self._version = version
        self._key = key
        self._clock = clock
        self._nonce = nonce

    async def call(
        self, action: str, parameters: Mapping[str, str], *, urgent: bool
    ) -> dict[str, Any] | Failed:
        """The answer of a call that was taken (`Code` OK); never raises but CancelledError."""
        query = canonical_query(parameters)
        headers = signed_headers(
            self._key, self._host, action, self._version, query, self._clock(), self._nonce()
        )
        url = f"{self._url}?{query}"
        reply = await self._http.ask("POST", url, b"", headers, urgent=urgent, read_refusals=True)
        return judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def places_filled(template: Template, parts: Mapping[str, str]) -> str:
    """What fills the places of a template, by their names, as a call carries it: JSON."""
    names = [one.name for one in template.variables]
    return msgspec.json.encode(dict(zip(names, values_of(template, parts), strict=True))).decode()


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Sorted by name, RFC 3986: everything but letters, digits and -_.~ in percents."""
    return "&".join(f"{_percent(name)}={_percent(parameters[name])}" for name in sorted(parameters))


def signed_headers(
    key: AliyunKey, host: str, action: str, version: str, query: str, now_s: float, nonce: str
) -> dict[str, str]:
    """Every header of a POST of an empty body to `/`, with the signature."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _NO_BODY,
        "x-acs-date": datetime.fromtimestamp(int(now_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{query}\n{lines}\n{names}\n{_NO_BODY}"
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key.access_key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={key.access_key_id},SignedHeaders={names},Signature={signature}"
    return {**headers, "authorization": f"{_ALGORITHM} {credential}"}


def judge(reply: Reply) -> dict[str, Any] | Failed:
    """The answer where its `Code` is OK, else what went wrong."""
    answer = reply.object()
    code = answer.get("Code") if answer else None
    if answer is None or not isinstance(code, str) or not code:
        return reply.refused or Failed(NOT_UNDERSTOOD)
    if code == "OK" and reply.refused is None:
        return answer
    return _refusal(code, str(answer.get("Message", "")), reply.refused)


def _refusal(code: str, message: str, by_status: Failed | None) -> Failed:
    if code in _MONEY:
        return Failed(NO_MONEY)
    if code in _CLOCK:
        return Failed(CLOCK_WRONG)
    reason = f"Code {short_code(code)}"
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        return Failed(reason, retry_after_s=_window_s(message))
    if code in _LIMITS:
        return Failed(reason, retry_after_s=_TOTAL_WAIT_S)
    if code.startswith("Throttling"):
        asked_s = by_status.retry_after_s if by_status else 0.0
        return Failed(reason, retry_after_s=max(asked_s, _GATEWAY_WAIT_S))
    if code in _PASSING:
        return Failed(reason)
    if code.startswith(_FOREVER) or code == "isp.RAM_PERMISSION_DENY":
        return Failed(reason, permanent=True)
    if by_status is not None and not code.startswith(("isp.", "InternalError", "ServiceUnavailable")):
        return Failed(reason, by_status.permanent, by_status.retry_after_s)
    return Failed(reason)


def _window_s(message: str) -> float:
    """How long the reached level lasts; the shortest where the message names none, so that a guess never
    holds an alarm up for a day."""
    return next((seconds for word, seconds in _WINDOWS if word in message), _SHORTEST_WINDOW_S)


def _percent(text: str) -> str:
    return quote(text, safe="-_.~")
