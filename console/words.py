"""What the console says, in zh-CN and English. Templates take words from here by key, never of their own."""

from __future__ import annotations

from typing import Final

from console.facade_words import FACADE_WORDS
from console.key_words import KEY_WORDS
from console.people_words import PEOPLE_WORDS
from console.value_words import VALUE_WORDS

LANGUAGES: Final = {"zh-CN": "中文", "en": "English"}

_WORDS: Final[dict[str, tuple[str, str]]] = {
    # frame
    "skip": ("跳到内容", "Skip to content"),
    "board": ("值班看板", "Board"),
    "logout": ("退出登录", "Log out"),
    "live": ("实时", "Live"),
    "live.off": (
        "与服务器的连接中断：屏幕上的内容可能已过时，正在重连……",
        "Connection lost: what you see may be out of date. Reconnecting…",
    ),
    "live.ended": (
        "登录已失效，看板已停止更新：请重新登录",
        "Your session ended and this page no longer updates: log in again",
    ),
    "sound.off": (
        "浏览器还不允许发声：点这里打开报警声",
        "The browser keeps this page silent: click here to switch the alarm sound on",
    ),
    "sound.test": ("试听报警声", "Test the alarm sound"),
    "siren.title": ("火警未接手", "fire alarm not taken"),
    "siren.open": ("处火警无人接手：立即打开", "fire alarm(s) nobody has taken: open now"),
    "forbidden.page": ("您的账号无权打开此页", "Your account may not open this page"),
    "forbidden.role": (
        "此页不属于您的角色。若工作需要，请联系管理员更改角色。",
        "This page is not for your role. If your work needs it, ask an administrator to change the role.",
    ),
    "scope": ("负责区域", "Areas"),
    "scope.everywhere": ("全部区域", "everywhere"),
    "scope.nowhere": ("未分配区域：请联系管理员", "no area given: ask an administrator"),
    "scope.more": ("等", "and more"),
    # login
    "login": ("登录", "Log in"),
    "login.name": ("用户名", "User name"),
    "login.password": ("密码", "Password"),
    "login.wrong": ("用户名或密码不对。", "User name or password is wrong."),
    "login.wait": ("尝试次数过多，请五分钟后再试。", "Too many tries. Wait five minutes and try again."),
    "login.stale": ("登录页面已过期，请再试一次。", "The login page had expired. Please try again."),
    # board
    "open": ("未结束", "open"),
    "quiet": ("现在没有未结束的警情。", "Nothing is open."),
    "quiet.more": (
        "有新警情时，这里会立即出现并发出声音。",
        "When something happens it appears here at once, with a sound.",
    ),
    "more": ("这里只显示最严重的；另有未结束警情：", "Only the worst are shown here; more are open:"),
    "col.place": ("地点与证据", "Place and evidence"),
    "col.age": ("已过", "Since"),
    "col.owner": ("谁在处理", "Who has it"),
    "col.next": ("下一步", "Next step"),
    "col.told": ("通知人 / 送出条 / 回应人", "Told / messages / answered"),
    "nobody": ("无人接手", "Nobody yet"),
    "no.next": ("没有待办步骤", "No step waiting"),
    "wants.help": ("请求支援", "Help wanted"),
    "due.now": ("即将执行", "due now"),
    "process.ingest": ("接收进程", "the ingest process "),
    "process.store": ("存储进程", "the store process "),
    "process.caretaker": ("凭据管理进程", "the caretaker process "),
    "process.alerts": ("通知进程", "the alerts process "),
    "pulse.silent": (
        "没有响应：报警可能无法处理，请立即联系维护",
        "is silent: alarms may not be dealt with, call maintenance now",
    ),
    "pulse.no_broker": (
        "与 MQTT 服务器断开：收不到设备消息，请立即联系维护",
        "has lost the broker: nothing is heard from devices, call maintenance now",
    ),
    "pulse.unknown": (
        "无法报告自身状态：报警可能无法处理，请立即联系维护",
        "cannot say how it is: alarms may not be dealt with, call maintenance now",
    ),
    "pulse.restarts": (
        "反复异常退出：报警可能无法处理，请立即联系维护",
        "ends again and again: alarms may not be dealt with, call maintenance now",
    ),
    "pulse.profile": (
        "设备规约文件无法使用，旧版本（如有）继续有效",
        "a profile file cannot be used; the version before, if there is one, goes on",
    ),
    "pulse.stalled": (
        "无法写入磁盘或数据库：新报警在等待，请立即联系维护",
        "cannot write to disk or database: new alarms wait, call maintenance now",
    ),
    "pulse.shedding": (
        "没有空间保存历史数据：正在丢弃，报警不受影响",
        "has no room for history: points are not stored, alarms go on",
    ),
    "pulse.unsearched": (
        "过长的消息太多：无法全部查找其中的火警，请查看 `gengfu deadletter list`",
        "has too many long messages to search all of them for fires: see `gengfu deadletter list`",
    ),
    "pulse.late": (
        "处理迟缓：通知可能延误，请立即联系维护",
        "is late: people may be told late, call maintenance now",
    ),
    "pulse.store_waits": (
        "无法写入数据：历史数据暂存，报警不受影响",
        "cannot write points: history waits, alarms go on",
    ),
    "pulse.access_waits": (
        "无法更新 MQTT 访问权限：凭据的变更尚未生效，报警不受影响",
        "cannot bring the broker's access up to date: changed credentials wait, alarms go on",
    ),
    "pulse.reload_waits": (
        "MQTT 服务器尚未读取新的访问权限：凭据的变更尚未生效",
        "has asked the broker to read its access files and sees no sign of it: changed credentials wait",
    ),
    "pulse.refusals_wait": (
        "无法读取 MQTT 日志或写入数据库：被拒绝的发布者没有计数",
        "cannot count whom the broker refuses, alarms go on",
    ),
    "fault.unplaced_unseen": (
        "没有可查看全部区域的值班员或主管：地点不明的报警不会出现在任何人的屏幕上",
        "No operator or supervisor sees everywhere: an alarm at no known place is on nobody's screen",
    ),
    "fault.areas_unseen": ("；有楼栋而无人查看的区域：", "; nor the areas with buildings"),
    "fault.withheld": (
        "可能涉及其他区域，详情只对可查看全部区域的账号显示",
        "it may be about other areas; who sees everywhere is shown what it is",
    ),
    "faults": ("系统故障", "System faults"),
    "since": ("自", "since"),
    "newest": ("最新报警", "newest alarm"),
    # incident
    "incident": ("警情", "Incident"),
    "incident.missing": ("没有这条警情。", "There is no such incident."),
    "opened": ("开始于", "Opened"),
    "closed": ("结束于", "Closed"),
    "state": ("状态", "State"),
    "attempts": ("次数", "tries"),
    "disposition.was": ("结论", "What it was"),
    "cause": ("原因", "Cause"),
    "alarms": ("报警", "Alarms"),
    "alarm.active": ("正在报警", "active"),
    "alarm.cleared": ("已恢复", "cleared"),
    "rule.off": (
        "规则在此处已停用，报警不会自行恢复，须由人员复位或结束：",
        "The rule is off here now, so that only a person's reset or close ends this alarm:",
    ),
    "messages": ("已通知谁", "Who was told"),
    "messages.none": ("还没有发出通知。", "Nobody has been told yet."),
    "timeline": ("经过", "Timeline"),
    "act.title": ("你可以", "What you can do"),
    "act.no_contact": (
        "您的账号没有关联联系人，不能处理警情：请联系管理员",
        "Your account acts as no contact and can do nothing here: ask an administrator",
    ),
    "act.not_bound": ("您未绑定此处，不能处理。", "You are not bound to this place."),
    "act.unknown": ("没有这个编号的警情", "there is no incident of this number"),
    "act.none": ("这条警情已结束。", "This incident is closed."),
    "act.admin": (
        "管理员账号只管理账号，不处置警情。",
        "An administrator manages accounts and acts on no incident.",
    ),
    "act.note.label": (
        "原因或备注（反馈、撤销、退回时必填）",
        "Cause or note (required to feed back, cancel or reject)",
    ),
    "disposition": ("结论（结束时必选）", "What it was (required to close)"),
    "disposition.none": ("未选", "not chosen"),
    "disposition.real": ("真实火情", "real"),
    "disposition.nuisance": ("滋扰报警（油烟、蒸汽等）", "nuisance (cooking, steam and the like)"),
    "disposition.test": ("测试", "test"),
    "disposition.fault": ("设备故障", "device fault"),
    "disposition.unfounded": ("未发现异常", "nothing found"),
    "act.needs_note": ("没有提交：请先写明原因。", "Not handed in: write the cause first."),
    "act.needs_choice": ("没有提交：请先选择。", "Not handed in: choose first."),
    "act.too_many": ("没有提交：一次选得太多，请分次。", "Not handed in: too many at once, choose fewer."),
    "act.done": ("已生效", "Done"),
    "act.noted": ("已记录", "Noted"),
    "act.refused": ("未生效", "Refused"),
    "act.waiting": (
        "已提交，正在等待处理；结果会出现在经过中。",
        "Handed in; the result will appear in the timeline.",
    ),
    "merge.title": ("合并或分出", "Merge or split"),
    "merge.into": ("并入哪条警情（同一栋楼、同类险情）", "Into which incident (same building, same hazard)"),
    "merge.none": ("没有可并入的警情。", "There is no incident that it could go into."),
    "merge.because": ("理由", "Reason"),
    "merge.ask": (
        "确定并入？并入不会通知任何人；此后对整条警情的操作对每一处都有效。",
        "Merge? It tells nobody. From then on what is done to the whole is done to each of its places.",
    ),
    "split.which": (
        "分出哪些（另立警情，火警重新通知）",
        "What to split off (a fire is told again from the start)",
    ),
    "split.ask": ("确定分出？火警将从头重新通知。", "Split off? A fire is told again from the start."),
    "merged.into": ("已并入警情", "Merged into incident"),
    "merged.parts": ("并入的警情", "Merged incidents"),
    "act.stale": (
        "页面已过期，什么也没有改变，请再试一次。",
        "The page had expired; nothing was changed. Please try again.",
    ),
    "confirm.ask": (
        "确认真火？消防救援站将立即收到通知。",
        "Confirm a real fire? The fire brigade is told at once.",
    ),
    "fault.page": (
        "页面出错，报警不受影响。请刷新；若仍如此，请联系维护人员。",
        "The page failed; alarms are not affected. Reload, and call maintenance if it stays.",
    ),
    "missing.page": ("没有这个页面。", "There is no such page."),
    # severities: the word stands beside a shape, never colour alone
    "severity.P0+": ("真火", "FIRE"),
    "severity.P0": ("火警", "Fire alarm"),
    "severity.P1": ("严重", "Serious"),
    "severity.P2": ("一般", "Visit"),
    "severity.P3": ("维护", "Upkeep"),
    # hazards
    "hazard.fire": ("火情", "Fire"),
    "hazard.electrical": ("电气", "Electrical"),
    "hazard.fault": ("设备故障", "Device fault"),
    "hazard.system": ("系统故障", "Fault of the system"),
    # what stands beside the evidence
    "tag.electrical_first": ("先断电", "isolate first"),
    "tag.isolate": ("请断电", "cut the power"),
    "tag.second_fire": ("再次起火", "second fire"),
    "tag.late": ("迟到的报告", "reported late"),
    "tag.retained": ("代理留存的消息", "retained message"),
    "tag.queued": ("服务中断期间积压", "queued while we were away"),
    "tag.age_unknown": ("时间不明", "age unknown"),
    "tag.moved": ("探测器现登记在别处", "detector registered elsewhere"),
    "tag.overdue": ("处置超时", "overdue"),
    "tag.drill": ("演练", "drill"),
    "tag.test": ("测试", "test"),
    "tag.commissioning": ("调试", "commissioning"),
    "tag.stranger": ("未登记设备", "unregistered device"),
    "tag.unrouted": ("通知对象未能确定", "routing failed"),
    "tag.whole": ("含并入的警情", "with merged incidents"),
    # acts
    "act.acknowledge": ("收到，我来处理", "I have it"),
    "act.confirm": ("确认真火", "Confirm fire"),
    "act.false_alarm": ("误报", "False alarm"),
    "act.arrived": ("已到场", "Arrived"),
    "act.need_help": ("需要支援", "Need help"),
    "act.handled": ("已处置", "Handled"),
    "act.feedback": ("反馈", "Feed back"),
    "act.verify": ("核实", "Verify"),
    "act.close": ("结束", "Close"),
    "act.reopen": ("重新打开", "Reopen"),
    "act.note": ("加备注", "Add note"),
    "act.reset": ("复位报警", "Reset alarm"),
    "act.cancel": ("撤销", "Cancel"),
    "act.reject": ("退回", "Reject"),
    "act.merge": ("并入", "Merge"),
    "act.split": ("分出", "Split off"),
    "act.": ("操作", "Act"),
    "open.it": ("打开", "Open"),
    # states of the life cycle
    "state.new": ("新警情", "new"),
    "state.reported": ("已上报", "reported"),
    "state.dispatched": ("已分派", "dispatched"),
    "state.reopened": ("已重开", "reopened"),
    "state.acknowledged": ("已接手", "acknowledged"),
    "state.arrived": ("已到场", "arrived"),
    "state.handled": ("已处置", "handled"),
    "state.feedback": ("已反馈", "fed back"),
    "state.verified": ("已核实", "verified"),
    "state.closed": ("已结束", "closed"),
    "state.cancelled": ("已撤销", "cancelled"),
    "state.rejected": ("已退回", "rejected"),
    "state.merged": ("已并入", "merged"),
    # roles
    "role.grid_worker": ("网格员", "Grid worker"),
    "role.building_secretary": ("楼栋书记", "Building secretary"),
    "role.micro_station": ("微型消防站", "Micro fire station"),
    "role.fire_brigade": ("消防救援站", "Fire brigade"),
    "role.family": ("家属", "Family"),
    "role.neighbour": ("邻居", "Neighbour"),
    "role.maintenance": ("维护", "Maintenance"),
    "role.duty_desk": ("值班台", "Duty desk"),
    "role.supervisor": ("主管", "Supervisor"),
    "role.volunteer": ("志愿者", "Volunteer"),
    "role.installer": ("安装人员", "Installer"),
    "role.operator": ("值班员", "Operator"),
    "role.admin": ("管理员", "Administrator"),
    # media and the state of a message
    "medium.push": ("推送", "Push"),
    "medium.sms": ("短信", "SMS"),
    "medium.voice": ("电话", "Call"),
    "medium.email": ("邮件", "E-mail"),
    "message.sending": ("正在发送", "sending"),
    "message.waiting": ("等待重试", "waiting to retry"),
    "message.held": ("等待合并发送", "waiting to be told with others"),
    "message.rolled": ("已合并到汇总", "told in a summary"),
    "message.accepted": ("已交运营商", "handed over"),
    "message.dead": ("发送失败", "failed"),
    "message.undelivered": ("未送达", "not delivered"),
    "message.delivered": ("已送达", "delivered"),
    "message.read": ("已读", "read"),
    "message.picked_up": ("已接听", "picked up"),
    "message.answered": ("已回应", "answered"),
}


_EVERY: Final = (_WORDS, VALUE_WORDS, FACADE_WORDS, PEOPLE_WORDS, KEY_WORDS)


def say(language: str, key: str) -> str:
    """The words for `key`. A key nobody wrote is given back as it is: ugly, and never a broken page."""
    both = next((words[key] for words in _EVERY if key in words), None)
    if both is None:
        return key.rsplit(".", 1)[-1]
    return both[0] if language == "zh-CN" else both[1]


def keys() -> list[str]:
    """Every key, for the tests."""
    return [key for words in _EVERY for key in words]
