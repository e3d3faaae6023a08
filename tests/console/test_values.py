"""What the page of an incident says of its devices' values, and how it goes on while the history is away."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert
from structlog.testing import capture_logs

from console.chart_limits import Limit
from console.values_gate import AT_ONCE, Busy, Gate
from devices import schema as registry
from devices.database import writing
from devices.model import Metric, Quality
from ingest.store.histories import Histories
from ingest.store.history import History, Series, SeriesUnread
from ingest.store.recent_history import RecentHistory
from tests.console.block import HASH, PATIENCE_S, Reader
from tests.console.values_house import DETECTOR, METER, House

CURRENT, RESIDUAL, WARMTH, ENERGY, RADIO, TRIP, SMOKE, BATTERY, AIR = range(1, 10)


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    """An overload in 501, told by its meter."""
    house = House(database, tmp_path)
    house.overload("501")
    house.decide()
    yield house
    house.close()


def values_of(reader: Reader, language: str = "en", incident: int = 1) -> str:
    answer = reader.client.get(f"/incident/{incident}/values?lang={language}")
    assert answer.status_code == 200
    return answer.text


def rows_of(page: str) -> list[tuple[int, str]]:
    """Each value in order: its slot, and what stands there without markup."""
    found = re.findall(r'id="value-of-(\d+)">(.*?)</summary>', page, re.DOTALL)
    return [(int(slot), " ".join(re.sub(r"<[^>]+>", " ", row).split())) for slot, row in found]


def test_the_newest_value_of_each_series_is_told_in_the_units_that_people_read(house: House) -> None:
    house.says(CURRENT, 41.24)
    house.says(RESIDUAL, 0.0312)
    house.says(WARMTH, 64.96)
    house.says(ENERGY, 12_345_670.0)
    with house.console() as reader:
        english, chinese = dict(rows_of(values_of(reader))), dict(rows_of(values_of(reader, "zh-CN")))
    assert english[CURRENT].startswith("current phase L1 41.2 A 0:00 ago")
    assert english[RESIDUAL].startswith("residual current phase L1 31.2 mA")
    assert english[WARMTH].startswith("temperature phase L1 65 °C")
    assert english[ENERGY].startswith("energy used 12345.7 kWh")
    assert chinese[RESIDUAL].startswith("剩余电流 L1 相 31.2 mA 0:00 前")
    assert chinese[ENERGY].startswith("用电量 12345.7 kWh")


def test_no_value_is_never_shown_as_nought(house: House) -> None:
    house.says(CURRENT, math.nan, quality=Quality.FAULT)
    with house.console() as reader:
        english, chinese = dict(rows_of(values_of(reader))), dict(rows_of(values_of(reader, "zh-CN")))
    assert "no usable value" in english[CURRENT] and "sensor fault" in english[CURRENT]
    assert "无有效值" in chinese[CURRENT] and "传感器故障" in chinese[CURRENT]
    assert "nothing stored" in english[RESIDUAL]
    assert not re.search(r"\b0 (A|mA|kWh)", " ".join(english.values()))


def test_doubts_and_age_stand_beside_a_value(house: House) -> None:
    house.says(CURRENT, 3.0, ago_s=90_000.5, quality=Quality.CLOCK_INVALID | Quality.BACKFILL)
    with house.console() as reader:
        row = dict(rows_of(values_of(reader, "zh-CN")))[CURRENT]
        page = values_of(reader)
    assert "设备时间不可信" in row and "补传" in row and "超过一天没有新值" in row
    assert f'data-since-us="{house.now_us - 90_000_500_000}"' in page


def test_flags_that_alarm_stand_first_then_what_the_alarm_is_about_and_the_radio_last(house: House) -> None:
    for slot in (CURRENT, RESIDUAL, WARMTH, ENERGY, RADIO):
        house.says(slot, 1.0)
    house.says(TRIP, 1.0)
    with house.console() as reader:
        page = values_of(reader)
        assert [slot for slot, _ in rows_of(page)] == [TRIP, CURRENT, WARMTH, RESIDUAL, ENERGY, RADIO]
        assert "tripped" in dict(rows_of(page))[TRIP]
        house.says(TRIP, 0.0)
        page = values_of(reader)
    assert [slot for slot, _ in rows_of(page)] == [CURRENT, WARMTH, RESIDUAL, ENERGY, TRIP, RADIO]
    assert "in the alarm" in dict(rows_of(page))[CURRENT]
    assert "in the alarm" not in dict(rows_of(page))[RESIDUAL]


def test_the_chart_of_what_the_alarm_is_about_is_open_and_those_of_flags_are_not(house: House) -> None:
    with house.console() as reader:
        page = values_of(reader)
    opened = re.findall(r'<details [^>]*id="value-(\d+)" open>', page)
    assert opened == [str(CURRENT)]


def test_the_worst_eight_devices_are_shown_and_how_many_more_there_are(house: House) -> None:
    for number in range(9):
        house.smoke("501", device=f"x{number}")
    house.clears("501", device="x0")
    house.decide()
    with house.console() as reader:
        page = values_of(reader, incident=2)
    assert page.count('class="device"') == 8
    assert "smoke-501-x0" not in page, "the alarm that is over goes behind those that stand"
    assert re.search(r"Further devices in alarm, not shown: 1\b", page)
    assert "No value of it was ever heard" in page


def test_a_server_that_does_not_answer_is_said_in_words_and_what_is_there_is_shown(house: House) -> None:
    def far() -> History:
        raise SeriesUnread("http://series:8086: no answer")

    house.says(CURRENT, 41.2)
    house.histories = Histories(far, lambda: RecentHistory.open(house.path, clock_us=lambda: 0))
    with house.console() as reader:
        english, chinese = values_of(reader), values_of(reader, "zh-CN")
    assert "41.2 A" in english
    assert "only what is kept on this machine is shown" in english
    assert "历史数据服务器无响应：只显示本机保存的最近数据" in chinese
    assert "http://series:8086: no answer" in english
    assert "cannot be read now" in dict(rows_of(english))[RESIDUAL]


def test_without_any_store_the_page_says_that_alarms_go_on(house: House) -> None:
    house.histories = Histories(_unreadable)
    with house.console() as reader:
        assert "Stored values cannot be read now; alarms go on" in values_of(reader)
        answer = reader.client.get(f"/incident/1/series/{CURRENT}").json()
    assert answer["times"] == []
    assert answer["lacks"] == "points.db: torn"
    assert answer["whole_from"] == answer["to"]


def _unreadable() -> History:
    raise SeriesUnread("points.db: torn")


def test_a_history_that_breaks_is_logged_and_said_as_missing(house: House) -> None:
    def broken() -> History:
        raise ZeroDivisionError

    house.histories = Histories(broken)
    with house.console() as reader, capture_logs() as logs:
        assert "alarms go on" in values_of(reader)
        assert reader.client.get(f"/incident/1/series/{CURRENT}").json()["lacks"] == "ZeroDivisionError"
    assert {"values_not_read", "chart_not_read"} <= {one["event"] for one in logs}


def test_without_histories_there_are_no_values_and_the_page_stays(house: House) -> None:
    house.histories = None
    with house.console() as reader:
        assert values_of(reader) == ""
        assert reader.client.get(f"/incident/1/series/{CURRENT}").status_code == 404
        assert reader.client.get("/incident/1").status_code == 200


def test_a_series_of_no_device_of_the_incident_is_not_there(house: House) -> None:
    with house.console() as reader:
        codes = {
            slot: reader.client.get(f"/incident/1/series/{slot}").status_code
            for slot in (CURRENT, SMOKE, 99, 2**31)
        }
        assert codes == {CURRENT: 200, SMOKE: 404, 99: 404, 2**31: 422}
        assert reader.client.get(f"/incident/7/series/{CURRENT}").status_code == 404
        assert reader.client.get("/incident/7/values").status_code == 404
        assert reader.client.get(f"/incident/1/series/{CURRENT}?hours=5").status_code == 422


def test_nobody_reads_values_without_a_session(house: House) -> None:
    with house.console("") as reader:
        for path in ("/incident/1/values", f"/incident/1/series/{CURRENT}"):
            assert reader.client.get(path, headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize(("role", "status"), [("operator", 404), ("installer", 403)])
def test_values_are_for_those_who_see_the_incident(house: House, role: str, status: int) -> None:
    row = {"login": "other", "role": role, "password_hash": HASH, "created_us": 0, "everywhere": False}
    with writing(house.engine) as connection:
        connection.execute(insert(registry.user), row)
    with house.console("") as reader:
        reader.login("other")  # to whatever page this role begins with
        for path in ("/incident/1/values", f"/incident/1/series/{CURRENT}"):
            assert reader.client.get(path, headers={"HX-Request": "true"}).status_code == status


def test_a_chart_has_the_limits_that_hold_for_this_circuit(house: House) -> None:
    house.says(CURRENT, 12.0)
    with house.console() as reader:
        chart = reader.client.get(f"/incident/1/series/{CURRENT}?lang=en").json()
        residual = reader.client.get(f"/incident/1/series/{RESIDUAL}?lang=en").json()
    limits = {one["words"]: (one["value"], one["raised"]) for one in chart["limits"]}
    assert limits["O3 ≥ 46.4 A Overload"] == (pytest.approx(1.45 * 32), True)
    assert limits["O2 ≥ 36.2 A Overload that no breaker ends"] == (pytest.approx(1.13 * 32), False)
    assert "O1 ≥ 28.8 A High load (mean)" in limits
    assert residual["unit"] == "mA"


def test_limits_that_cannot_be_worked_out_are_logged_once_and_the_chart_stays(house: House) -> None:
    def limits(connection: Connection, series: Series) -> Sequence[Limit]:
        raise ValueError("a book of another release")

    house.limits = limits
    with house.console() as reader, capture_logs() as logs:
        for _ in range(3):
            assert reader.client.get(f"/incident/1/series/{CURRENT}").json()["limits"] == []
    assert [one["event"] for one in logs].count("limits_not_known") == 1


class SlowStore:
    """A store that answers when it is let go, and counts who waits."""

    def __init__(self) -> None:
        self.waiting = 0
        self.go = threading.Event()

    def open(self) -> History:
        self.waiting += 1
        self.go.wait(PATIENCE_S)
        raise SeriesUnread("too late")


def test_a_slow_history_holds_up_neither_board_nor_acts_and_says_when_to_come_again(house: House) -> None:
    slow = SlowStore()
    house.histories = Histories(slow.open)
    with house.console() as reader:
        client = reader.client

        def ask() -> None:
            client.get("/incident/1/values")

        threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + PATIENCE_S
        while slow.waiting < AT_ONCE and time.monotonic() < ends:
            time.sleep(0.01)
        try:
            assert slow.waiting == AT_ONCE
            busy = client.get("/incident/1/values")
            assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
            assert client.get(f"/incident/1/series/{CURRENT}").status_code == 503
            assert client.get("/board").status_code == 200
            assert client.get("/incident/1").status_code == 200
            with house.deciding():
                assert "已生效" in reader.act(1, "acknowledge")
            assert slow.waiting == AT_ONCE and not slow.go.is_set()
        finally:
            slow.go.set()
            for thread in threads:
                thread.join()
        assert client.get("/incident/1/values").status_code == 200


def test_the_gate_lets_so_many_in_and_the_next_one_when_one_has_left() -> None:
    gate = Gate(2)
    with gate.entered():
        with gate.entered(), pytest.raises(Busy), gate.entered():
            pass
        with gate.entered():
            pass


def test_the_page_itself_asks_nothing_of_the_history(house: House) -> None:
    def never() -> History:
        raise AssertionError("asked")

    house.histories = Histories(never)
    with house.console() as reader:
        page = reader.client.get("/incident/1").text
    assert 'hx-get="/incident/1/values" hx-trigger="load, every 30s, again"' in page


def test_a_device_is_called_by_its_label_and_its_place(house: House) -> None:
    house.smoke("501")
    house.decide()
    house.says(SMOKE, 1.0)
    with house.console() as reader:
        page = values_of(reader, "zh-CN", incident=2)
    assert DETECTOR in page and METER not in page
    assert "7号楼 2单元 5层 501" in page
    assert [slot for slot, _ in rows_of(page)] == [SMOKE, AIR, BATTERY]
    assert Metric.SMOKE_ALARM.is_flag and "报警所指" in dict(rows_of(page))[SMOKE]
