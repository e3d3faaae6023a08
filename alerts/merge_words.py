"""What the timeline says of merging and splitting, and why neither was done (`alerts.sayings`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MERGING: Final[Mapping[str, tuple[str, str]]] = {
    "merged_into": ("已并入警情 #{other}，由其继续", "merged: it goes on as part of incident #{other}"),
    "merged_into_because": (
        "已并入警情 #{other}，由其继续：{note}",
        "merged: it goes on as part of incident #{other}: {note}",
    ),
    "merged_in": ("警情 #{other} 并入", "incident #{other} is part of this one now"),
    "merged_in_because": ("警情 #{other} 并入：{note}", "incident #{other} is part of this one now: {note}"),
    "split_off": ("已分出警情 #{other}", "incident #{other} was split off"),
    "split_from": ("自警情 #{other} 分出", "split off from incident #{other}"),
    # why a false alarm said of the whole stops nothing: one alone smokes, and its page takes the word
    "part_smokes": (
        "警情 #{other} 仍在报警，不停止通知；如其亦为误报，请打开警情 #{other} 的页面，在那里点误报",
        "incident #{other} is still in alarm, so nothing stops; where that is a false alarm too, open the"
        " page of incident #{other} and say it there",
    ),
    # why nothing was merged or split
    "part_refuses": ("其中警情 #{other}：{reason}", "its part #{other}: {reason}"),
    "merge_which": ("请写明并入哪条警情的编号", "say by its number which incident it goes into"),
    "merge_itself": ("不能并入自身", "an incident cannot become a part of itself"),
    "merged_already": ("已是警情 #{other} 的一部分", "it is part of incident #{other} already"),
    "merge_ended": ("其中一条警情已结束", "one of the two has ended"),
    "merge_hazard": ("险情种类不同，不能合并", "another kind of hazard: they stay apart"),
    "merge_exercise": (
        "演练、调试和系统故障不能合并或分出",
        "exercises and faults of the system are neither merged nor split",
    ),
    "merge_place": (
        "不在同一栋楼，不能合并",
        "not in the same building: one person must be able to see to both",
    ),
    "merge_unknown": (
        "地点不明且更严重：请先登记设备，以便通知当地的人",
        "its place is unknown and it is worse: register the device, so that people there are told",
    ),
    "merge_over": ("一条已处置、另一条尚未，不能合并", "one of the two is dealt with and the other is not"),
    "merge_many": ("最多并入 {most} 条", "no more than {most} can be parts of one"),
    "split_which": ("请选择要分出的警情或设备", "choose parts, or devices of one of them"),
    "split_all": ("不能把全部设备分出", "a device must stay behind"),
}
