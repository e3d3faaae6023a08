"""What Aliyun posts or answers about SMS and calls. Pure.

Shapes by the vendor's pages: SmsReport, SmsUp (101847), VoiceReport, VoiceCallReport, the call states
(55085), and the answers of QuerySendDetails (419277) and QueryCallDetailByCallId (393529). Nothing that is
posted is signed, so that who posts must be known otherwise (an address that cannot be guessed). Times are
China's, without a zone; one that cannot be is replaced by ours.

Whether a call of SingleCallByTts collects keys is not verified; VoiceReport has a field for them.
"""

from __future__ import annotations

from typing import Final

from alerts.channels.numbers import e164
from alerts.channels.posts import Entry, china_us, pressed, read_body, read_entries, text_in, vendor_code
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from devices.model import Carrier

ALIYUN_THANKS: Final = b'{"code": 0, "msg": "OK"}'
"""What Aliyun wants to hear, with HTTP 200, or it posts again after 1, 5 and 10 minutes."""
_HEARD: Final = frozenset({"200000", "200001", "200008"})
"""Aliyun: listened to the end, hung up before it, no key in time: somebody picked up."""
_ON_THE_WAY: Final = frozenset({"200101", "200201"})
_PICKED_UP: Final = frozenset({"200102", "300000"})


def read_aliyun_sms(body: bytes, now_us: int) -> Posted:
    """SmsReport: an array of status reports."""
    return read_body(body, lambda entry: _aliyun_sms(entry, now_us))


def read_aliyun_replies(body: bytes, now_us: int) -> Posted:
    """SmsUp: an array of replies."""
    return read_body(body, lambda entry: _aliyun_reply(entry, now_us))


def read_aliyun_voice(body: bytes, now_us: int) -> Posted:
    """VoiceReport (a call that ended) or VoiceCallReport (one that goes on): an array of either."""
    return read_body(body, lambda entry: _aliyun_voice(entry, now_us))


def read_aliyun_details(answer: object, receipt: str, now_us: int) -> Posted:
    """The answer of QuerySendDetails for the SMS `receipt`."""
    details = answer.get("SmsSendDetailDTOs") if isinstance(answer, dict) else None
    entries = details.get("SmsSendDetailDTO") if isinstance(details, dict) else None
    return read_entries(entries, lambda entry: _aliyun_detail(entry, receipt, now_us))


def read_aliyun_call(answer: object, receipt: str, now_us: int) -> Posted:
    """The answer of QueryCallDetailByCallId for the call `receipt`; empty while the vendor knows nothing."""
    data = answer.get("Data") if isinstance(answer, dict) else None
    if not data:
        return Posted()
    if not isinstance(data, str):
        return Posted(unread=1)
    return read_body(data.encode("utf-8", "replace"), lambda entry: _aliyun_call(entry, receipt, now_us))


def _aliyun_sms(entry: Entry, now_us: int) -> Receipt | None:
    receipt = text_in(entry, "biz_id")
    if not receipt or not isinstance(entry.get("success"), bool):
        return None
    return Receipt(
        Carrier.ALIYUN_SMS,
        receipt,
        ReceiptState.DELIVERED if entry["success"] else ReceiptState.FAILED,
        china_us(text_in(entry, "report_time"), now_us),
        vendor_code(text_in(entry, "err_code")),
        own_id=text_in(entry, "out_id"),
        address_hint=e164(text_in(entry, "phone_number")),
    )


def _aliyun_reply(entry: Entry, now_us: int) -> SmsReply | None:
    address = e164(text_in(entry, "phone_number"))
    if not address or not isinstance(entry.get("content"), str):
        return None
    return SmsReply(
        Carrier.ALIYUN_SMS,
        address,
        text_in(entry, "content"),
        act_of(entry["content"]),
        china_us(text_in(entry, "send_time"), now_us),
        text_in(entry, "sequence_id"),
    )


def _aliyun_voice(entry: Entry, now_us: int) -> Receipt | None:
    receipt, code = text_in(entry, "call_id"), text_in(entry, "status_code")
    if not receipt or not code:
        return None
    keys = pressed(text_in(entry, "dtmf"))
    times = [text_in(entry, name) for name in ("status_time", "end_time", "originate_time")]
    return Receipt(
        Carrier.ALIYUN_VOICE,
        receipt,
        _aliyun_call_state(code, keys, goes_on="status_time" in entry),
        china_us(next((one for one in times if one), ""), now_us),
        _seconds(vendor_code(code), text_in(entry, "duration")),
        keys,
        text_in(entry, "out_id"),
        e164(text_in(entry, "callee")),
    )


def _aliyun_call_state(code: str, keys: str, *, goes_on: bool) -> ReceiptState:
    """A call that nobody is known to have picked up has failed, whatever its length: then the next way is
    tried."""
    if keys or code in (_PICKED_UP if goes_on else _HEARD | {"300000"}):
        return ReceiptState.ANSWERED
    is_under_way = goes_on and code in _ON_THE_WAY | {"200100"}
    return ReceiptState.ACCEPTED if is_under_way else ReceiptState.FAILED


def _aliyun_call(entry: Entry, receipt: str, now_us: int) -> Receipt | None:
    code = text_in(entry, "state")
    if not code:
        return None
    return Receipt(
        Carrier.ALIYUN_VOICE,
        receipt,
        _aliyun_call_state(code, "", goes_on=False),
        china_us(text_in(entry, "endDate") or text_in(entry, "gmtCreate"), now_us),
        _seconds(vendor_code(code), text_in(entry, "duration")),
        address_hint=e164(text_in(entry, "callee")),
    )


def _aliyun_detail(entry: Entry, receipt: str, now_us: int) -> Receipt | None:
    states = {"1": ReceiptState.ACCEPTED, "2": ReceiptState.FAILED, "3": ReceiptState.DELIVERED}
    state = states.get(text_in(entry, "SendStatus"))
    if state is None:
        return None
    return Receipt(
        Carrier.ALIYUN_SMS,
        receipt,
        state,
        china_us(text_in(entry, "ReceiveDate") or text_in(entry, "SendDate"), now_us),
        vendor_code(text_in(entry, "ErrCode")),
        own_id=text_in(entry, "OutId"),
        address_hint=e164(text_in(entry, "PhoneNum")),
    )


def _seconds(code: str, duration: str) -> str:
    return f"{code} {duration} s" if duration.isascii() and duration.isdigit() else code
