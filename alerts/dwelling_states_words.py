"""Why a dwelling is in a state, in zh-CN and English, where no incident's evidence says it."""

from __future__ import annotations

from typing import Final

from alerts.evidence import Both

UNREADABLE: Final[Both] = ("报警（内容无法识别）", "an alarm that this release cannot read")
CONFIRMED: Final[Both] = ("火警已确认：{}", "fire confirmed: {}")
IN_EXERCISE: Final[Both] = ("演练或调试中的报警：{}", "alarm of an exercise: {}")
DARK: Final[Both] = (
    "楼栋大面积失联：本户设备是否在线无法判断",
    "building dark: whether this device is heard nobody can say",
)
EXERCISES: Final[dict[str, Both]] = {
    "drill": ("演练中：此处报警按演练处理", "drill under way: alarms here are an exercise"),
    "commissioning": ("设备调试中：其报警按演练处理", "device in commissioning: its alarms are an exercise"),
}
NOBODY_THERE: Final[Both] = ("报警时没有可立即联系的人", "nobody who could be told at once")
NO_DEVICE_THERE: Final[Both] = ("没有在用的设备", "no device in service")
