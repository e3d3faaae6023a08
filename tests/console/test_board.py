import pytest
from sqlalchemy import insert, select, text

from alerts import schema
from alerts.pulse import SILENT_US, beat
from alerts.windows import WindowKind
from alerts.windows_kept import add_window
from console.board import BOARD_LIMIT
from console.headers import HEADERS
from devices.database import writing
from devices.schema import dwelling, user
from rules.transition import Why
from tests.console.block import Block


def test_a_quiet_night_says_so(block: Block) -> None:
    with block.console() as reader:
        page = reader.client.get("/").text
    assert "现在没有未结束的警情" in page
    assert 'data-untaken="0"' in page


def test_the_worst_comes_first_with_place_evidence_age_and_next_step(block: Block) -> None:
    block.overload("401")
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        page = reader.client.get("/").text
    fire, overload = page.index('class="p0 untaken"'), page.index('class="p1"')
    assert fire < overload
    for said in ("槐树里社区", "2单元", "501", "烟雾报警", "烟雾报警信号触发", "无人接手", "催办呼叫"):
        assert said in page
    assert f'data-since-us="{block.now_us}"' in page
    assert f'data-due-us="{block.now_us + 60_000_000}"' in page
    assert "6 / 6 / 0" in page


def test_a_fire_sounds_until_an_operator_takes_it_not_until_a_neighbour_answers(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        assert 'data-untaken="1"' in reader.client.get("/siren").text
        block.pass_s(1)
        block.answers("N401", "acknowledge")
        block.decide()
        assert 'data-untaken="1"' in reader.client.get("/siren").text
        with block.deciding():
            page = reader.act(1, "acknowledge")
        assert "已生效" in page
        assert 'data-untaken="0"' in reader.client.get("/siren").text
        board = reader.client.get("/board").text
    assert "值班员 night" in board
    assert "无人接手" not in board


def test_a_drill_is_marked_stands_below_what_is_real_and_does_not_sound(block: Block) -> None:
    with writing(block.engine) as connection:
        code = connection.scalar(select(dwelling.c.code).where(dwelling.c.flat == "501"))
        add_window(
            connection, kind=WindowKind.DRILL, scope="dwelling", code=str(code), from_us=block.now_us,
            until_us=block.now_us + 3_600_000_000, reason="exercise", by="night", now_us=block.now_us,
        )  # fmt: skip
    block.smoke("501")
    block.overload("401")
    block.decide()
    with block.console() as reader:
        page = reader.client.get("/").text
        incident = reader.client.get("/incident/1").text
    assert page.index("401") < page.index("501")
    assert '<span class="chip exercise">演练</span>' in page
    assert '<span class="chip exercise">演练</span>' in incident
    assert 'data-untaken="0"' in page


def test_beyond_its_limit_the_board_says_how_many_more_are_open(block: Block) -> None:
    columns = {"place": "device:x", "dwelling_id": 0, "building_id": 0, "hazard": "fire", "severity": "P0"}
    row = columns | {"state": "reported", "epoch": 0, "tags": "stranger", "started_us": 1, "opened_us": 1}
    with writing(block.engine) as connection:
        connection.execute(insert(schema.incident), [row] * (BOARD_LIMIT + 7))
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        page = reader.client.get("/?lang=en").text
        assert "Only the worst are shown here; more are open: 8" in page
        assert f"{BOARD_LIMIT + 8} open" in page
        fire = BOARD_LIMIT + 8
        assert page.index(f'id="incident-{fire}"') == page.index('id="incident-')
        listed = reader.client.get("/api/incidents").json()
    assert (listed[0]["id"], len(listed)) == (fire, BOARD_LIMIT)


def test_a_second_fire_sounds_again(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        with block.deciding():
            reader.act(1, "acknowledge")
        block.pass_s(120)
        block.smoke("501", device="b")
        block.decide()
        assert 'data-untaken="1"' in reader.client.get("/siren").text
        assert "真火" in reader.client.get("/board").text


def test_standing_faults_are_shown_until_they_end(block: Block) -> None:
    block.fault("no_duty_desk", "没有可联系的值班台")
    with block.console() as reader:
        assert "没有可联系的值班台" in reader.client.get("/").text


def test_a_process_that_fell_silent_or_lost_the_broker_is_shown_as_a_fault(block: Block) -> None:
    with writing(block.engine) as connection:
        beat(connection, "ingest", block.clock(), "no_broker")
        beat(connection, "alerts", block.clock(), "")
    with block.console() as reader:
        page = reader.client.get("/board").text
        assert "接收进程与 MQTT 服务器断开" in page
        assert "通知进程" not in page
        block.pass_s(SILENT_US / 1e6 + 1)
        assert "通知进程没有响应" in reader.client.get("/board").text


def test_of_several_brokers_the_one_that_is_away_is_named(block: Block) -> None:
    with writing(block.engine) as connection:
        beat(connection, "ingest", block.clock(), "no_broker: broker, north")
    with block.console() as reader:
        page = reader.client.get("/board").text
        assert "接收进程与 MQTT 服务器断开" in page
        assert "(broker, north)" in page


def test_a_process_that_never_beat_is_shown_by_its_fault_and_one_that_beats_only_once(block: Block) -> None:
    block.fault("ingest.silent", "接收进程没有响应")
    block.fault("ingest.no_broker.north", "north 断开")
    with block.console() as reader:
        assert "接收进程没有响应" in reader.client.get("/board").text
        with writing(block.engine) as connection:
            beat(connection, "ingest", block.clock(), "no_broker: north")
        page = reader.client.get("/board").text
        assert "(north)" in page
        assert "north 断开" not in page


def test_the_reader_switches_the_language_once(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        assert "Nobody yet" in reader.client.get("/?lang=en").text
        assert "Nobody yet" in reader.client.get("/board").text
        assert "无人接手" in reader.client.get("/?lang=zh-CN").text
        assert reader.client.get("/?lang=xx").headers["content-language"] == "zh-CN"


def test_what_devices_and_people_write_is_text_and_never_markup(block: Block) -> None:
    block.smoke("501", why=Why("<script>alert(1)</script>", "<script>alert(2)</script>"))
    block.decide()
    with block.console() as reader:
        page = reader.client.get("/").text + reader.client.get("/incident/1").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nowhere", "/static/console.css", "/api/incidents", "/healthz"]
)
def test_every_answer_carries_the_security_headers(block: Block, path: str) -> None:
    with block.console() as reader:
        answer = reader.client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] in {"no-store", "no-cache"}


def test_a_page_that_breaks_says_so_in_words_and_keeps_its_headers(block: Block) -> None:
    with block.console(login="") as reader:
        with writing(block.engine) as connection:  # one table only: the feed reads others meanwhile
            connection.execute(text(f'ALTER TABLE "{user.name}" RENAME TO "gone"'))
        csrf = reader.csrf()
        answer = reader.client.post("/login", data={"login": "night", "password": "x", "csrf": csrf})
    assert answer.status_code == 500
    assert "报警不受影响" in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_no_page_has_inline_script_or_style(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        for path in ("/", "/incident/1"):
            page = reader.client.get(path).text
            assert "<script>" not in page
            assert " style=" not in page
            assert " onclick=" not in page


def test_json_wants_the_same_login_and_gives_the_same_incidents(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.console(login="") as reader:
        assert reader.client.get("/api/incidents").status_code == 401
    with block.console() as reader:
        (incident,) = reader.client.get("/api/incidents").json()
        assert (incident["id"], incident["severity"], incident["taken_by"]) == (1, "P0", "")
        detail = reader.client.get("/api/incidents/1").json()
        assert detail["line"]["id"] == 1
        assert {m["contact"] for m in detail["messages"]} == {"F501", "N401", "W1", "B1", "M1", "D1"}
        assert reader.client.get("/api/incidents/99").status_code == 404


def test_health_says_whether_the_feed_can_see(block: Block) -> None:
    with block.console() as reader:
        assert reader.client.get("/healthz").json()["ok"] is True


def test_a_long_body_is_refused(block: Block) -> None:
    with block.console() as reader:
        assert reader.client.post("/login", content=b"x" * 20_000).status_code == 413
