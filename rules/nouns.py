"""What metrics are called in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.model import Metric


def noun(metric: Metric) -> str:
    """`residual current` for `current.residual`; flags that begin alike have names of their own."""
    if metric in _FLAGS:
        return _FLAGS[metric]
    if metric.quantity == Metric.SMOKE_DENSITY.quantity:
        return "smoke density"
    if metric is Metric.ARC_HALF_CYCLES:
        return "arc half cycles"
    words = metric.name_on_wire.replace("_", " ").split(".")
    return words[0] if metric.is_flag else " ".join(reversed(words))


def noun_zh(metric: Metric) -> str:
    """`剩余电流` for `current.residual`."""
    return _CHINESE[metric]


_FLAGS: Final[Mapping[Metric, str]] = {
    Metric.SMOKE_TEST: "smoke test",
    Metric.SMOKE_MUTED: "mute",
    Metric.DEVICE_FAULT: "device fault",
    Metric.DEVICE_TAMPER: "tamper",
    Metric.DEVICE_ALARM: "device alarm",
    Metric.BATTERY_LOW: "low battery",
}
_CHINESE: Final[Mapping[Metric, str]] = {
    Metric.SMOKE_ALARM: "烟雾报警",
    Metric.HEAT_ALARM: "感温报警",
    Metric.GAS_ALARM: "燃气报警",
    Metric.SMOKE_TEST: "烟感测试",
    Metric.SMOKE_MUTED: "烟感消音",
    Metric.MANUAL_ALARM: "手动报警",
    Metric.DEVICE_FAULT: "设备故障",
    Metric.DEVICE_TAMPER: "防拆",
    Metric.DEVICE_ALARM: "设备报警",
    Metric.BATTERY_LOW: "电池低电量",
    Metric.POWER_EXTERNAL: "外部供电",
    Metric.DIGITAL_IN: "开关量输入",
    Metric.SWITCH: "开关",
    Metric.ARC_ALARM: "故障电弧报警",
    Metric.BREAKER_TRIP: "断路器脱扣",
    Metric.DEVICE_ONLINE: "设备在线",
    Metric.SMOKE_DENSITY: "烟雾浓度",
    Metric.SMOKE_DENSITY_PCT: "烟雾浓度(%)",
    Metric.SMOKE_DENSITY_PPM: "烟雾浓度(ppm)",
    Metric.SMOKE_DENSITY_DBM: "烟雾减光率(dB/m)",
    Metric.BATTERY_PCT: "电池电量",
    Metric.BATTERY_V: "电池电压",
    Metric.TEMPERATURE: "温度",
    Metric.TEMPERATURE_AMBIENT: "环境温度",
    Metric.TEMPERATURE_DEVICE: "设备内部温度",
    Metric.HUMIDITY: "湿度",
    Metric.CURRENT: "电流",
    Metric.CURRENT_RESIDUAL: "剩余电流",
    Metric.VOLTAGE: "电压",
    Metric.POWER_ACTIVE: "有功功率",
    Metric.POWER_APPARENT: "视在功率",
    Metric.POWER_REACTIVE: "无功功率",
    Metric.POWER_FACTOR: "功率因数",
    Metric.FREQUENCY: "频率",
    Metric.ENERGY_IMPORT: "用电量",
    Metric.ENERGY_EXPORT: "上网电量",
    Metric.CHARGE_TOTAL: "累计电荷量",
    Metric.ANALOG_CURRENT: "模拟量电流",
    Metric.ANALOG_VOLTAGE: "模拟量电压",
    Metric.ILLUMINANCE: "照度",
    Metric.ARC_HALF_CYCLES: "故障电弧半波数",
    Metric.LINK_RSSI: "信号强度",
    Metric.LINK_SNR: "信噪比",
    Metric.LINK_LQI: "链路质量",
    Metric.LINK_MARGIN: "链路余量",
}
