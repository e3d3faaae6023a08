"""What is said of values: states of flags, doubts about a reading, units, channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from devices.model import Metric, Quality
from rules.nouns import noun, noun_zh

VALUE_WORDS: Final[dict[str, tuple[str, str]]] = {
    "values": ("设备数值", "What the devices say"),
    "values.reading": ("正在读取……", "Reading…"),
    "values.busy": (
        "数值查询繁忙，稍后自动重试；下面可能不是最新",
        "Values are busy, asked again in a moment; what stands below may be old",
    ),
    "values.slow": (
        "数值读取超时，将自动重试；下面可能不是最新，报警不受影响",
        "Values did not come in time, asked again soon; what stands below may be old. Alarms go on",
    ),
    "values.lacks": (
        "历史数据服务器无响应：只显示本机保存的最近数据",
        "The history server does not answer: only what is kept on this machine is shown",
    ),
    "values.none": (
        "历史数据现在读不到；报警不受影响",
        "Stored values cannot be read now; alarms go on",
    ),
    "values.more": ("另有报警设备未显示：", "Further devices in alarm, not shown:"),
    "values.no_device": ("这条警情没有指明设备。", "This incident names no device."),
    "values.no_series": ("还没有收到它的任何数值。", "No value of it was ever heard."),
    "value.none": ("无有效值", "no usable value"),
    "value.unheard": ("没有保存的值", "nothing stored"),
    "value.unread": ("现在读不到", "cannot be read now"),
    "value.old": ("超过一天没有新值", "nothing new for over a day"),
    "value.ago": ("前", "ago"),
    "value.in_alarm": ("报警所指", "in the alarm"),
    "chart.hours": ("时间范围", "Span"),
    "chart.event": ("事件前后", "Around the event"),
    "chart.h1": ("1 小时", "1 h"),
    "chart.h6": ("6 小时", "6 h"),
    "chart.h24": ("24 小时", "24 h"),
    "chart.h168": ("7 天", "7 days"),
    "chart.reading": ("正在读取曲线……", "Reading the chart…"),
    "chart.empty": ("这段时间没有保存的值。", "Nothing is stored of this time."),
    "chart.busy": ("查询繁忙，稍后自动重试……", "Busy, asked again in a moment…"),
    "chart.failed": ("曲线读不到，稍后自动重试。", "The chart cannot be read, asked again later."),
    "chart.lacks": (
        "历史数据现在读不到，曲线可能不全；报警不受影响",
        "Stored values cannot be read now, the chart may not be whole; alarms go on",
    ),
    "chart.lacks_before": (
        "历史数据服务器无响应：此前的数据可能不全：",
        "The history server does not answer; values may be missing before",
    ),
    "chart.limits": ("限值", "Limits"),
    "chart.outside": ("图外", "beyond the chart"),
    "chart.least": ("最低", "least"),
    "chart.most": ("最高", "most"),
    "chart.opened": ("警情开始", "opened"),
    "chart.closed": ("警情结束", "closed"),
    "chart.raised": ("报警", "raised"),
    "chart.doubtful": ("不可靠的读数：", "Readings in doubt:"),
}
"""By key, as `console.words` has them: Chinese, English."""

DOUBTS: Final[Mapping[Quality, tuple[str, str]]] = {
    Quality.SENTINEL: ("设备报告“无读数”", "the device says: no reading"),
    Quality.FAULT: ("传感器故障", "sensor fault"),
    Quality.TYPE_MISMATCH: ("数据格式不符", "not what was expected"),
    Quality.INCOMPLETE: ("数据不完整", "incomplete"),
    Quality.OUT_OF_RANGE: ("超出量程", "out of range"),
    Quality.SUSPECT: ("可疑", "suspect"),
    Quality.ESTIMATED: ("估算值", "estimated"),
    Quality.STALE: ("陈旧值", "stale"),
    Quality.RETAINED: ("保留消息，非实时", "retained message, not live"),
    Quality.REPLAYED: ("重放的消息", "replayed"),
    Quality.BACKFILL: ("补传", "sent later"),
    Quality.CLOCK_INVALID: ("设备时间不可信", "device time not believed"),
    Quality.CLOCK_SKEW: ("设备时钟有偏差", "device clock is off"),
    Quality.TZ_ASSUMED: ("时区为推定", "time zone assumed"),
    Quality.DUPLICATE: ("重复", "duplicate"),
    Quality.LATE: ("迟到", "late"),
    Quality.QUEUED: ("服务中断期间积压", "queued while we were away"),
}


class States(NamedTuple):
    """What a flag is called when set and when not, Chinese and English; `bad` is which of them asks for a
    look, None for neither."""

    on: tuple[str, str]
    off: tuple[str, str]
    bad: int | None = 1


_ALARM: Final = States(("报警", "alarm"), ("正常", "normal"))
FLAGS: Final[Mapping[Metric, States]] = {
    Metric.SMOKE_ALARM: _ALARM,
    Metric.HEAT_ALARM: _ALARM,
    Metric.GAS_ALARM: _ALARM,
    Metric.ARC_ALARM: _ALARM,
    Metric.DEVICE_ALARM: _ALARM,
    Metric.MANUAL_ALARM: States(("已按下", "pressed"), ("未按下", "not pressed")),
    Metric.BREAKER_TRIP: States(("已脱扣", "tripped"), ("未脱扣", "not tripped")),
    Metric.DEVICE_FAULT: States(("故障", "fault"), ("正常", "normal")),
    Metric.DEVICE_TAMPER: States(("被拆动", "removed or opened"), ("正常", "in place")),
    Metric.BATTERY_LOW: States(("电量低", "low"), ("正常", "normal")),
    Metric.SMOKE_MUTED: States(("已消音", "silenced"), ("未消音", "not silenced")),
    Metric.SMOKE_TEST: States(("测试中", "testing"), ("未测试", "no test"), None),
    Metric.POWER_EXTERNAL: States(("有外部供电", "powered"), ("无外部供电", "no external power"), 0),
    Metric.DEVICE_ONLINE: States(("在线", "online"), ("离线", "offline"), 0),
    Metric.DIGITAL_IN: States(("有信号", "on"), ("无信号", "off"), None),
    Metric.SWITCH: States(("接通", "on"), ("断开", "off"), None),
}
_PLAINLY: Final[Mapping[Metric, str]] = {
    Metric.MANUAL_ALARM: "manual call point",
    Metric.POWER_EXTERNAL: "external power",
    Metric.DIGITAL_IN: "input",
    Metric.DEVICE_ONLINE: "connection",
    Metric.BATTERY_PCT: "battery",
    Metric.BATTERY_V: "battery voltage",
    Metric.ENERGY_IMPORT: "energy used",
    Metric.ENERGY_EXPORT: "energy fed in",
    Metric.CHARGE_TOTAL: "charge in all",
    Metric.LINK_RSSI: "signal strength",
    Metric.LINK_SNR: "signal to noise",
    Metric.LINK_LQI: "link quality",
    Metric.LINK_MARGIN: "link margin",
}
"""What stands better alone than the word that sentences have."""
_PHASES: Final[Mapping[str, tuple[str, str]]] = {
    "l1": ("L1 相", "phase L1"),
    "l2": ("L2 相", "phase L2"),
    "l3": ("L3 相", "phase L3"),
    "n": ("中性线 N", "neutral N"),
}


class Unit(NamedTuple):
    """How a metric is shown: what its values are multiplied with, and the unit then."""

    factor: float
    name: str


def noun_in(metric: Metric, language: str) -> str:
    """What a metric is called."""
    if language == "zh-CN":
        return noun_zh(metric)
    return _PLAINLY.get(metric) or noun(metric)


def unit_of(metric: Metric) -> Unit:
    """Residual current in mA, energy in kWh, temperature in °C; the rest as it is kept."""
    if metric is Metric.CURRENT_RESIDUAL:
        return Unit(1000.0, "mA")
    if metric.unit == "Wh":
        return Unit(0.001, "kWh")
    return Unit(1.0, {"degC": "°C", "raw": ""}.get(metric.unit, metric.unit))


def figure(value: float, unit: str) -> str:
    """`38.4 A`, `0 A`, `12345.7 kWh`: as many digits as help, no zeros at the end."""
    digits = 1 if abs(value) >= 10 else 2
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return f"{'0' if text == '-0' else text} {unit}".rstrip()


def value_words(metric: Metric, value: float, language: str) -> str:
    """A value as people say it: a state of a flag, else a number with its unit. NaN is no usable value."""
    if not math.isfinite(value):
        return _one(VALUE_WORDS["value.none"], language)
    states = FLAGS.get(metric)
    if states is not None and value in (0.0, 1.0):
        return _one(states.on if value else states.off, language)
    unit = unit_of(metric)
    return figure(value * unit.factor, unit.name)


def is_bad(metric: Metric, value: float) -> bool:
    """Whether this is a flag that asks for a look."""
    states = FLAGS.get(metric)
    return states is not None and states.bad is not None and value == states.bad


def doubt_words(quality: int, language: str) -> list[str]:
    """What speaks against a reading; bits of a later release by their number."""
    known = [_one(words, language) for flag, words in DOUBTS.items() if quality & flag]
    rest = quality & ~sum(DOUBTS)
    return [*known, f"#{rest:x}"] if rest else known


def channel_words(channel: str, language: str) -> str:
    """`phase L1`; a name that says nothing of a conductor as it is."""
    return _one(_PHASES[channel], language) if channel in _PHASES else channel


def _one(both: tuple[str, str], language: str) -> str:
    return both[0] if language == "zh-CN" else both[1]
