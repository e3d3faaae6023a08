"""What Tencent Cloud posts or answers about SMS and calls. Pure.

Shapes by the vendor's pages: SMS status (43547, 55977) and reply (5809, 38776); status, key and failure of a
call (37725, 37726, 6532). Nothing of it is signed, so that who posts must be known otherwise (an address that
cannot be guessed). Times are Unix seconds, or China's without a zone; one that cannot be is replaced by ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from alerts.channels.numbers import e164
from alerts.channels.posts import (
    Entry,
    china_us,
    pressed,
    read_body,
    read_entries,
    text_in,
    unix_us,
    vendor_code,
)
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from devices.model import Carrier

TENCENT_THANKS: Final = b'{"result": 0, "errmsg": "OK"}'
"""What Tencent wants to hear, with HTTP 200."""


def read_tencent_sms(body: bytes, now_us: int) -> Posted:
    """An array of status reports, or one reply: both come to the same place."""
    return read_body(
        body,
        lambda entry: _tencent_reply(entry, now_us) if "text" in entry else _tencent_sms(entry, now_us),
    )


def read_tencent_voice(body: bytes, now_us: int) -> Posted:
    """The status, the key or the failure of a call."""
    return read_body(body, lambda entry: _tencent_voice(entry, now_us))


def read_tencent_pull(answer: object, now_us: int) -> Posted:
    """The answer of PullSmsSendStatus or PullSmsReplyStatus, or of the same for one number. Version
    2021-01-11 gives the time of a reply as `ReplyTime`, 2019-07-11 as `ReplyUnixTime`."""
    if not isinstance(answer, dict):
        return Posted(unread=1)
    if "PullSmsReplyStatusSet" in answer:
        return read_entries(
            answer["PullSmsReplyStatusSet"], lambda entry: _tencent_pulled_reply(entry, now_us)
        )
    return read_entries(answer.get("PullSmsSendStatusSet"), lambda entry: _tencent_pulled(entry, now_us))


def _tencent_sms(entry: Entry, now_us: int) -> Receipt | None:
    return _tencent_status(
        text_in(entry, "sid"),
        text_in(entry, "report_status"),
        text_in(entry, "errmsg"),
        china_us(text_in(entry, "user_receive_time"), now_us),
        _abroad(text_in(entry, "nationcode"), text_in(entry, "mobile")),
        text_in(entry, "ext"),
    )


def _tencent_pulled(entry: Entry, now_us: int) -> Receipt | None:
    return _tencent_status(
        text_in(entry, "SerialNo"),
        text_in(entry, "ReportStatus"),
        text_in(entry, "Description"),
        unix_us(text_in(entry, "UserReceiveTime"), now_us),
        e164(text_in(entry, "PhoneNumber")),
        text_in(entry, "SessionContext"),
    )


def _tencent_status(
    receipt: str, status: str, code: str, at_us: int, address: str, own_id: str
) -> Receipt | None:
    states = {"SUCCESS": ReceiptState.DELIVERED, "FAIL": ReceiptState.FAILED}
    if not receipt or status not in states:
        return None
    return Receipt(
        Carrier.TENCENT_SMS, receipt, states[status], at_us, vendor_code(code), "", own_id, address
    )


def _tencent_reply(entry: Entry, now_us: int) -> SmsReply | None:
    address = _abroad(text_in(entry, "nationcode"), text_in(entry, "mobile"))
    text = entry.get("text")
    if not address or not isinstance(text, str):
        return None
    at_us = unix_us(text_in(entry, "time"), now_us)
    return SmsReply(Carrier.TENCENT_SMS, address, text_in(entry, "text"), act_of(text), at_us)


def _tencent_pulled_reply(entry: Entry, now_us: int) -> SmsReply | None:
    address, text = e164(text_in(entry, "PhoneNumber")), entry.get("ReplyContent")
    if not address or not isinstance(text, str):
        return None
    at_us = unix_us(text_in(entry, "ReplyUnixTime") or text_in(entry, "ReplyTime"), now_us)
    return SmsReply(Carrier.TENCENT_SMS, address, text_in(entry, "ReplyContent"), act_of(text), at_us)


def _tencent_voice(entry: Entry, now_us: int) -> Receipt | None:
    for name, reader in _TENCENT_CALLS.items():
        inner = entry.get(name)
        if isinstance(inner, dict) and text_in(inner, "callid"):
            state, detail, keys = reader(inner)
            times = [text_in(inner, one) for one in ("end_calltime", "accept_time", "start_calltime")]
            return Receipt(
                Carrier.TENCENT_VOICE,
                text_in(inner, "callid"),
                state,
                unix_us(next((one for one in times if one), ""), now_us),
                detail,
                keys,
                address_hint=_abroad(text_in(inner, "nationcode"), text_in(inner, "mobile")),
            )
    return None


def _tencent_status_of_call(inner: Entry) -> tuple[ReceiptState, str, str]:
    code = text_in(inner, "result")
    return (ReceiptState.ANSWERED if code == "0" else ReceiptState.FAILED), f"result {vendor_code(code)}", ""


def _tencent_key(inner: Entry) -> tuple[ReceiptState, str, str]:
    return ReceiptState.ANSWERED, "", pressed(text_in(inner, "keypress"))


def _tencent_failure(inner: Entry) -> tuple[ReceiptState, str, str]:
    return ReceiptState.FAILED, f"failure_code {vendor_code(text_in(inner, 'failure_code'))}", ""


_TENCENT_CALLS: Final[dict[str, Callable[[Entry], tuple[ReceiptState, str, str]]]] = {
    "voiceprompt_callback": _tencent_status_of_call,
    "voicekey_callback": _tencent_key,
    "voice_failure_callback": _tencent_failure,
}


def _abroad(nation: str, mobile: str) -> str:
    return e164(f"+{nation}{mobile}" if nation else mobile)
