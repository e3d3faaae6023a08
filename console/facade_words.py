"""What the pictures of buildings say, in zh-CN and English."""

from __future__ import annotations

from typing import Final

from alerts.dwelling_states import DwellingState, Standing, Summary
from alerts.dwelling_states_homes import Home

CHINESE: Final = "zh-CN"
FACADE_WORDS: Final[dict[str, tuple[str, str]]] = {
    "places": ("楼栋", "Buildings"),
    "places.areas": ("下级区域", "Areas"),
    "places.none": ("此处还没有登记楼栋。", "No building is registered here yet."),
    "places.more": (
        "这里只画出最紧急的；其余楼栋请进入下级区域查看：",
        "Only the most urgent are drawn here; for the others open a smaller area:",
    ),
    "places.place": ("地点", "Place"),
    "places.way": ("当前位置", "You are here"),
    "homes": ("户", "dwellings"),
    "houses": ("栋", "buildings"),
    "wall": ("大屏", "Wall screen"),
    "wall.quiet": ("现在没有警情", "All is quiet"),
    "wall.open": ("警情", "Open"),
    "wall.rest": ("其余楼栋", "All other buildings"),
    "wall.more": (
        "未画出的楼栋（均不比已画出的紧急）：",
        "Buildings not drawn, none more urgent than those drawn:",
    ),
    "wall.exit": ("退出大屏", "Leave the wall screen"),
    "facade": ("立面图", "Façade"),
    "facade.list": ("需要注意", "Not quiet"),
    "facade.calm": ("全部正常。", "Everything here is quiet."),
    "facade.all": ("全部住户", "All dwellings"),
    "facade.state": ("状态", "State"),
    "facade.why": ("原因", "Why"),
    "facade.since": ("已过", "Since"),
    "facade.legend": ("图例", "What the signs mean"),
    "facade.common": ("公共部位", "Common parts"),
    "facade.nobody_lives": ("此楼栋还没有登记单元和住户。", "No stair or dwelling is registered here yet."),
    "dwelling": ("住户", "Dwelling"),
    "dwelling.devices": ("设备", "Devices"),
    "dwelling.no_devices": ("没有在用的设备。", "No device in service."),
    "dwelling.device": ("设备", "Device"),
    "dwelling.kind": ("类型", "Kind"),
    "dwelling.newest": ("最近一次数据", "Newest reading"),
    "dwelling.unknown": ("无法得知", "not known"),
    "dwelling.never": ("还没有数据", "nothing yet"),
    "dwelling.lacks": (
        "历史数据现在读不全，缺少的时间不代表设备离线",
        "Not all stored values can be read now: a missing time does not mean a silent device",
    ),
    "dwelling.fine": ("正常", "well"),
    "dwelling.people": ("报警时通知谁", "Who would be told"),
    "dwelling.nobody": ("没有登记任何人。", "Nobody is bound to this place."),
    "dwelling.role": ("身份", "Role"),
    "dwelling.code": ("编号", "Code"),
    "dwelling.reach": ("联系方式", "Ways"),
    "dwelling.no_way": ("没有联系方式", "none"),
    "dwelling.away": ("外出，由他人代替", "away, somebody stands in"),
    "dwelling.confirmed": ("仅在火警确认后", "only of a confirmed fire"),
    "dwelling.stands_for": ("代替", "stands in for"),
    "dwelling.open": ("未结束的警情", "Open incidents"),
    "dwelling.past": ("以往警情", "Past incidents"),
    "dwelling.none": ("没有。", "None."),
    "dwelling.opened": ("发生时间", "Opened"),
    "dwelling.what": ("内容", "What"),
    "dwelling.more": ("更早的未列出。", "Older ones are not listed."),
    "kind.smoke": ("烟感", "Smoke detector"),
    "kind.electrical": ("电气监测", "Current monitor"),
    "kind.other": ("其他设备", "Other device"),
    "home.alarm": ("报警", "Alarm"),
    "home.pre_alarm": ("预警", "Pre-alarm"),
    "home.silent": ("失联或故障", "Silent or faulty"),
    "home.commissioning": ("演练或调试", "Drill or commissioning"),
    "home.nobody_reachable": ("无人可联系", "Nobody reachable"),
    "home.no_device": ("未装设备", "No device"),
    "home.quiet": ("正常", "Quiet"),
    "home.confirmed": ("火警已确认", "Fire confirmed"),
    "level.city": ("市", "City"),
    "level.district": ("区", "District"),
    "level.street": ("街道", "Street"),
    "level.community": ("社区", "Community"),
    "level.grid": ("网格", "Grid"),
}


def said(language: str, key: str) -> str:
    """The words for a key of this file."""
    return FACADE_WORDS[key][language != CHINESE]


def state_words(state: DwellingState, language: str, strong: bool = False) -> str:
    """What a state is called."""
    return said(language, "home.confirmed" if strong else f"home.{state}")


def floor_words(floor: int, language: str) -> str:
    """A floor as people say it: `5层`, `地下1层`; `floor 5`, `basement 1`."""
    if floor < 0:
        return f"地下{-floor}层" if language == CHINESE else f"basement {-floor}"
    return f"{floor}层" if language == CHINESE else f"floor {floor}"


def floor_mark(floor: int) -> str:
    """A floor as it is written on a lift: `5`, `B1`."""
    return f"B{-floor}" if floor < 0 else str(floor)


def facts_words(found: Standing, language: str) -> str:
    """Why, all of it, the worst first."""
    return ("；" if language == CHINESE else "; ").join(
        dict.fromkeys(fact.said_in(language) for fact in found.facts)
    )


def standing_words(found: Standing, language: str) -> str:
    """State and why; that a fire is confirmed its reasons say."""
    state = state_words(found.state, language)
    why = facts_words(found, language)
    return f"{state}{'：' if language == CHINESE else ': '}{why}" if why else state


def home_words(home: Home, language: str) -> str:
    """Floor and flat: `5层 501`; `floor 5, flat 501`."""
    floor = floor_words(home.floor, language)
    return f"{floor} {home.flat}" if language == CHINESE else f"{floor}, flat {home.flat}"


def summary_words(one: Summary, language: str) -> str:
    """Of a building or an area: its state, and how many dwellings are in each that is not quiet."""
    counts = [
        f"{state_words(state, language)} {one.count(state)}"
        for state in DwellingState
        if state is not DwellingState.QUIET and one.count(state)
    ]
    worst = state_words(one.state, language, one.is_strong)
    homes = f"{one.homes} {said(language, 'homes')}"
    return ("，" if language == CHINESE else ", ").join([worst, homes, *counts])
