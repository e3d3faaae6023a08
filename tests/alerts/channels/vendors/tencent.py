"""Tencent Cloud's API 3.0 with its SMS and voice services, from the vendor's description of them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3*******"
VERSIONS = {"sms": "2021-01-11", "vms": "2020-09-02"}


class Tencent:
    """Answers as the vendor does; keeps what it took. `now_s` is its clock."""

    def __init__(self, service: str, now_s: float) -> None:
        self.service = service
        self.now_s = now_s
        self.taken: list[dict[str, Any]] = []
        self.refuse_with = ""
        self.number_refused_with = ""
        self.pulls: dict[str, Any] = {}
        self.by_number: dict[str, list[dict[str, Any]]] = {}
        """By the pull that gives it once: what is given again and again to who asks for one number."""
        self._sent: Counter[str] = Counter()

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        response = {**self._answer(request), "RequestId": "a0aabda6-cf91-4f3e-a81f-9198114a2279"}
        body = json.dumps({"Response": response}).encode()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _answer(self, request: bytes) -> dict[str, Any]:
        head, _, body = request.partition(b"\r\n\r\n")
        line, *rest = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        wrong = self.refuse_with or self._signature(line, headers, body)
        if not wrong and headers.get("x-tc-version") != VERSIONS[self.service]:
            wrong = "NoSuchVersion"
        if not wrong and not headers.get("x-tc-region"):
            wrong = "MissingParameter"
        if wrong:
            return {"Error": {"Code": wrong, "Message": "number +8613900001234"}}
        asked = json.loads(body)
        self.taken.append(asked)
        action = headers["x-tc-action"]
        if action == "SendSms" and self.service == "sms":
            return self._sms(asked)
        if action == "SendTtsVoice" and self.service == "vms":
            return self._voice(asked)
        if action in self.pulls:
            return {f"{action}Set": self.pulls.pop(action)}
        if action.endswith("ByPhoneNumber"):
            return self._of_number(action.removesuffix("ByPhoneNumber"), asked)
        return {"Error": {"Code": "InvalidAction", "Message": ""}}

    def _signature(self, line: str, headers: dict[str, str], body: bytes) -> str:
        shape = re.fullmatch(
            r"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9-]{10})/([a-z]+)/tc3_request, "
            r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if not shape:
            return "AuthFailure.InvalidAuthorization"
        secret_id, day, service, names, signature = shape.groups()
        if secret_id != SECRET_ID:
            return "AuthFailure.SecretIdNotFound"
        at = int(headers["x-tc-timestamp"])
        if abs(at - self.now_s) > 300:
            return "AuthFailure.SignatureExpire"
        right_scope = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d"), self.service
        if (day, service) != right_scope or not {"content-type", "host"} <= set(names.split(";")):
            return "AuthFailure.SignatureFailure"
        method, path, _ = line.split(" ")
        canonical = [method, path, ""]
        canonical += [f"{name}:{headers[name].lower()}" for name in names.split(";")]
        canonical += ["", names, hashlib.sha256(body).hexdigest()]
        digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
        text = f"TC3-HMAC-SHA256\n{at}\n{day}/{service}/tc3_request\n{digest}"
        key = _mac(_mac(_mac(b"TC3" + SECRET_KEY.encode(), day), service), "tc3_request")
        right = hmac.new(key, text.encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(right, signature) else "AuthFailure.SignatureFailure"

    def _sms(self, asked: dict[str, Any]) -> dict[str, Any]:
        statuses = [self._number(number, asked) for number in asked["PhoneNumberSet"]]
        return {"SendStatusSet": statuses}

    def _number(self, number: str, asked: dict[str, Any]) -> dict[str, Any]:
        code = self.number_refused_with or self._wrong(number, asked)
        return {
            "SerialNo": "" if code else "5000:1045710669157053657849499619",
            "PhoneNumber": number,
            "Fee": 0 if code else 1,
            "SessionContext": asked["SessionContext"],
            "Code": code or "Ok",
            "Message": code or "send success",
            "IsoCode": "CN",
        }

    def _wrong(self, number: str, asked: dict[str, Any]) -> str:
        values = asked["TemplateParamSet"]
        if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if asked["SmsSdkAppId"] != "1400006666" or len(asked["SessionContext"].encode()) >= 512:
            return "InvalidParameterValue.SdkAppIdNotExist"
        if asked["SignName"] != "更夫":
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if asked["TemplateId"] != "1110" or len(values) != 3:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if any(not 1 <= len(value) <= 12 for value in values[:2]):
            return "InvalidParameterValue.TemplateParameterLengthLimit"
        if any("://" in value for value in values):
            return "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        self._sent[number] += 1
        return "LimitExceeded.PhoneNumberThirtySecondLimit" if self._sent[number] > 1 else ""

    def _of_number(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        whole = {"SmsSdkAppId", "PhoneNumber", "BeginTime", "EndTime", "Offset", "Limit"}
        if asked.keys() != whole or asked["Offset"] or not 1 <= asked["Limit"] <= 100:
            return _error("InvalidParameter")
        if not self.now_s - 7 * 86_400 <= asked["BeginTime"] <= asked["EndTime"] <= self.now_s:
            return _error("InvalidParameterValue.BeginTimeVerifyFail")
        found = [one for one in self.by_number.get(action, []) if one["PhoneNumber"] == asked["PhoneNumber"]]
        return {f"{action}Set": found}

    def _voice(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not re.fullmatch(r"\+[1-9]\d{6,14}", asked["CalledNumber"]):
            return _error("InvalidParameterValue.CalledNumberVerifyFail")
        if asked["VoiceSdkAppid"] != "1400006666" or asked["TemplateId"] != "4356":
            return _error("FailedOperation.TemplateIncorrectOrUnapproved")
        if asked["PlayTimes"] not in (1, 2, 3) or sum(map(len, asked["TemplateParamSet"])) > 350:
            return _error("FailedOperation.InvalidParameters")
        self._sent[asked["CalledNumber"]] += 1
        if self._sent[asked["CalledNumber"]] > 1:
            return _error("LimitExceeded.DeliveryFrequencyLimit")
        return {"SendStatus": {"CallId": "12582bce-403c-11eb", "SessionContext": asked["SessionContext"]}}


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": ""}}


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()
