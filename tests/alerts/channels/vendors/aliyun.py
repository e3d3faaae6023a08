"""Aliyun's RPC gateway with its SMS and voice services, from the vendor's description of them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

KEY_ID = "YourAccessKeyId"
KEY_SECRET = "YourAccessKeySecret"
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"


class Aliyun:
    """Answers as the vendor does; keeps what it took. `now_s` is its clock."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.taken: list[dict[str, str]] = []
        self.refuse_with: tuple[int, str, str] | None = None
        self.details: list[dict[str, object]] = []
        self.call_detail = ""
        self._nonces: set[str] = set()
        self._sent: Counter[tuple[str, str]] = Counter()

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        status, answer = self._answer(request)
        body = json.dumps({**answer, "RequestId": "8906582E-6722"}).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _answer(self, request: bytes) -> tuple[int, dict[str, object]]:
        if self.refuse_with:
            status, code, words = self.refuse_with
            return status, {"Code": code, "Message": words}
        head, _, body = request.partition(b"\r\n\r\n")
        line, *rest = head.decode("ascii").split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        path, _, query = target.partition("?")
        parameters = dict(_decoded(pair) for pair in query.split("&") if pair)
        wrong = self._signature(method, path, parameters, headers, body)
        if wrong:
            return 400, {"Code": wrong, "Message": "Specified signature is not matched with our calculation."}
        actions = {
            "SendSms": self._send_sms,
            "QuerySendDetails": self._query,
            "SingleCallByTts": self._call,
            "QueryCallDetailByCallId": self._call_detail,
        }
        if headers["x-acs-version"] != "2017-05-25" or headers["x-acs-action"] not in actions:
            return 404, {"Code": "InvalidAction.NotFound", "Message": ""}
        self.taken.append(parameters)
        return 200, actions[headers["x-acs-action"]](parameters)

    def _signature(
        self, method: str, path: str, parameters: dict[str, str], headers: dict[str, str], body: bytes
    ) -> str:
        shape = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if not shape:
            return "IncompleteSignature"
        key_id, names, signature = shape.groups()
        if key_id != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        date = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(date.timestamp() - self.now_s) > 900:
            return "InvalidTimeStamp.Expired"
        if headers["x-acs-signature-nonce"] in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(headers["x-acs-signature-nonce"])
        required = {"host"} | {name for name in headers if name.startswith("x-acs-")}
        if set(names.split(";")) != required or list(names.split(";")) != sorted(names.split(";")):
            return "IncompleteSignature"
        payload = hashlib.sha256(body).hexdigest()
        if headers["x-acs-content-sha256"] != payload:
            return "SignatureDoesNotMatch"
        canonical = "&".join(f"{_encoded(n)}={_encoded(v)}" for n, v in sorted(parameters.items()))
        lines = [f"{name}:{headers[name]}" for name in names.split(";")]
        text = "\n".join([method, path, canonical, *lines, "", names, payload])
        digest = hashlib.sha256(text.encode()).hexdigest()
        right = hmac.new(KEY_SECRET.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(right, signature) else "SignatureDoesNotMatch"

    def _send_sms(self, parameters: dict[str, str]) -> dict[str, object]:
        number = parameters.get("PhoneNumbers", "")
        if not re.fullmatch(r"1[3-9]\d{9}|(?!86)[1-9]\d{6,14}", number):
            return _no("isv.MOBILE_NUMBER_ILLEGAL")
        if parameters.get("SignName") != "更夫":
            return _no("isv.SMS_SIGNATURE_ILLEGAL")
        wrong = _values_wrong(parameters, "TemplateParam", {"SMS_1": {"place", "what", "code"}})
        if wrong:
            return _no(wrong)
        self._sent[number, parameters["TemplateCode"]] += 1
        if self._sent[number, parameters["TemplateCode"]] > 50:
            return _no("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")
        return {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0"}

    def _query(self, parameters: dict[str, str]) -> dict[str, object]:
        if not re.fullmatch(r"\d{8}", parameters.get("SendDate", "")) or "BizId" not in parameters:
            return _no("isv.INVALID_PARAMETERS")
        return {
            "Code": "OK",
            "Message": "OK",
            "TotalCount": len(self.details),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": self.details},
        }

    def _call_detail(self, parameters: dict[str, str]) -> dict[str, object]:
        if parameters.get("ProdId") != "11000000300006" or len(parameters.get("QueryDate", "")) != 13:
            return _no("isv.INVALID_PARAMETERS")
        return {"Code": "OK", "Message": "OK", **({"Data": self.call_detail} if self.call_detail else {})}

    def _call(self, parameters: dict[str, str]) -> dict[str, object]:
        number = parameters.get("CalledNumber", "")
        if not re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}|400\d{7}", number):
            return _no("isv.MOBILE_NUMBER_ILLEGAL")
        if len(parameters.get("OutId", "").encode()) not in range(1, 16):
            return _no("isv.INVALID_PARAMETERS")
        if parameters.get("PlayTimes") not in {"1", "2", "3"}:
            return _no("isv.INVALID_PARAMETERS")
        wrong = _values_wrong(parameters, "TtsParam", {"TTS_1": {"place", "what"}}, code="TtsCode")
        if wrong:
            return _no(wrong)
        self._sent[number, "call"] += 1
        if self._sent[number, "call"] > 1:
            return _no("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1")
        return {"Code": "OK", "Message": "OK", "CallId": "116012854210^10281427****"}


def _values_wrong(
    parameters: dict[str, str], name: str, templates: dict[str, set[str]], code: str = "TemplateCode"
) -> str:
    if parameters.get(code) not in templates:
        return "isv.SMS_TEMPLATE_ILLEGAL" if code == "TemplateCode" else "isv.TTS_TEMPLATE_ILLEGAL"
    values = json.loads(parameters.get(name, "{}"))
    if set(values) != templates[parameters[code]]:
        return "isv.TEMPLATE_MISSING_PARAMETERS"
    if any(not 1 <= len(value) <= 35 for value in values.values()):
        return "isv.PARAM_LENGTH_LIMIT"
    if any("://" in value or re.search(r"\d+\.\d+\.\d+\.\d+", value) for value in values.values()):
        return "isv.PARAM_NOT_SUPPORT_URL"
    return ""


def _no(code: str, words: str = "号码13900001234不对") -> dict[str, object]:
    return {"Code": code, "Message": words}


def _decoded(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()


def _encoded(text: str) -> str:
    return "".join(chr(one) if one in UNRESERVED else f"%{one:02X}" for one in text.encode())
