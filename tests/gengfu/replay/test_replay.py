"""`gengfu replay` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from sqlalchemy import insert, update
from typer.testing import CliRunner, Result

from devices.database import open_database, writing
from devices.model import Metric
from devices.schema import rule_override, series
from gengfu.replay.recorded import Book, Recorded
from gengfu.replay.virtual import VirtualTime
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from tests.gengfu.own_rules import own
from tests.gengfu.program import objects
from tests.gengfu.replay.files import clock, current, overload, written
from tests.rules.story import shipped

Run = Callable[..., Result]
EIGHT_S = 1_772_352_000
CIRCUIT = '[[circuit]]\ndevice = "own:m"\nbreaker_a = 25\ndwelling = "3-2-501"\n'


@pytest.fixture
def run(whole_app: typer.Typer, tmp_path: Path) -> Run:
    """Runs `gengfu replay <words>` in this process with a configuration of its own."""
    (tmp_path / "gengfu.toml").write_text('[site]\ntimezone = "Asia/Shanghai"\n')
    (tmp_path / "circuits.toml").write_text(CIRCUIT)

    def run(*words: object, code: int = 0) -> Result:
        arguments = ["--config", str(tmp_path / "gengfu.toml"), "replay", *map(str, words)]
        result = CliRunner().invoke(whole_app, arguments)
        assert result.exit_code == code, result.output
        return result

    return run


def told(result: Result) -> list[dict[str, Any]]:
    return [line for line in objects(result.stdout) if line.get("rule") == "O3"]


def test_a_line_for_each_transition_and_a_summary(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    result = run(file, "--circuits", tmp_path / "circuits.toml")
    raised, cleared = told(result)
    assert raised == {
        "device": "own:m", "rule": "O3", "severity": "P1", "subject": "own:m/l1",
        "at": "2026-03-01T08:01:00Z", "to": "raised",
        "why": "current 40.0 A ≥ 36.2 A (1.45 × 25 A) for 60 s",
    }  # fmt: skip
    assert (cleared["to"], cleared["at"]) == ("cleared", "2026-03-01T08:08:20Z")
    assert "60 readings (0 late) of 1 series on 1 devices" in result.stderr
    assert "O3     P1  raised      1" in result.stderr


def test_json_ends_with_the_summary(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    *_, last = objects(run(file, "--circuits", tmp_path / "circuits.toml", "--json").stdout)
    assert last["summary"]["by_rule"]["O3"]["raised"] == 1


def test_without_a_rating_what_is_relative_to_it_is_off(run: Run, tmp_path: Path) -> None:
    assert told(run(written(tmp_path / "r.csv", overload()))) == []


def test_how_long_a_tick_is_changes_nothing(run: Run, tmp_path: Path) -> None:
    smoke = [f"own:s,,smoke.alarm,{clock(at)},{int(at > 100)}" for at in range(0, 200, 7)]
    file = written(tmp_path / "r.csv", sorted(overload() + smoke, key=lambda line: line.split(",")[3]))
    outputs = {
        run(file, "--circuits", tmp_path / "circuits.toml", "--seconds-per-tick", tick).stdout
        for tick in ("0.001", "1", "60")
    }
    assert len(outputs) == 1 and len(objects(outputs.pop())) > 2


def test_what_comes_by_time_alone_comes_while_others_speak(run: Run, tmp_path: Path) -> None:
    gone, there = current(range(0, 300, 30), 1), current(range(0, 7200, 30), 1, "own:n")
    file = written(tmp_path / "r.csv", sorted(gone + there, key=lambda line: line.split(",")[3]))
    (tmp_path / "c.csv").write_text("device,silence_s\nown:m,90\nown:n,90\n")
    for tick in ("1", "60"):
        lines = objects(run(file, "--circuits", tmp_path / "c.csv", "--seconds-per-tick", tick).stdout)
        assert [(line["rule"], line["subject"], line["at"]) for line in lines] == [
            ("C1", "own:m/", "2026-03-01T08:07:30Z"),
            ("C1L", "own:m/", "2026-03-01T09:04:30Z"),
        ]


def test_the_same_file_gives_the_same_lines(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    assert run(file, "--json").stdout == run(file, "--json").stdout


def test_alarms_of_places_name_the_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "circuits.csv").write_text(
        "device,breaker_a,dwelling\nown:m,25,3-2-501\nown:s,,3-2-501\nown:k,,3-2-501\n"
    )
    smoke = [f"own:{name},,smoke.alarm,{clock(300 + n)},1" for n, name in enumerate("sk")]
    lines = objects(
        run(
            written(tmp_path / "r.csv", overload()[:30] + smoke), "--circuits", tmp_path / "circuits.csv"
        ).stdout
    )
    assert {(line["rule"], line["subject"]) for line in lines} >= {
        ("S1", "own:s/"),
        ("X1", "dwelling:3-2-501"),
    }


def test_a_sites_own_rule_is_tried(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'version = 1\n[[rule]]\nname = "T8"\nkernel = "threshold"\nmetric = "current"\nseverity = "P2"\n'
        'raise = "5 A"\nhold = "0 s"\nclear = "4 A"\nclear_hold = "0 s"\nmax_gap = "15 min"\n'
        'title = { en = "Some current", zh-CN = "有电流" }\n'
        'source = { raise = "s", hold = "s", clear = "s", clear_hold = "s", max_gap = "s" }\n'
    )
    result = run(written(tmp_path / "r.csv", current([0, 1], 6)), "--rules", own)
    assert [line["rule"] for line in objects(result.stdout)] == ["T8"]
    own.write_text("version = 1\nrule = 5\n")
    assert "own.toml" in run(tmp_path / "r.csv", "--rules", own, code=1).stderr


def test_an_override_is_tried(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    change = tmp_path / "o.toml"
    change.write_text('[[override]]\nrule = "O3"\ndevice = "own:m"\nhold = "150 s"\n')
    circuits = ("--circuits", tmp_path / "circuits.toml")
    first, _ = told(run(file, *circuits, "--override", change))
    assert first["at"] == "2026-03-01T08:02:30Z"
    change.write_text('[[override]]\nrule = "O3"\ndwelling = "3-2-501"\noff = true\n')
    assert told(run(file, *circuits, "--override", change)) == []
    change.write_text('[[override]]\nrule = "O3"\ndevice = "own:m"\nraise = "50 V"\n')
    assert "o.toml, line 4: key `raise`" in run(file, "--override", change, code=1).stderr


def test_an_override_begins_and_ends_in_the_recordings_time(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    change = tmp_path / "o.toml"
    change.write_text(
        '[[override]]\nrule = "O3"\ndevice = "own:m"\noff = true\nuntil = "2026-03-01T08:01:45Z"\n'
    )
    first, *_ = told(run(file, "--circuits", tmp_path / "circuits.toml", "--override", change))
    assert (first["to"], first["at"]) == ("raised", "2026-03-01T08:02:50Z")


def test_the_registry_says_ratings_and_places_where_it_is_asked(
    run: Run, tmp_path: Path, whole_app: typer.Typer
) -> None:
    for words in (
        "area add C --level city --name x",
        "area add K --level community --name x --parent C",
        "building add B --name x --area K --floors 6",
        "stair add S1 --name x --building B",
        "dwelling add 501 --stair S1 --floor 5 --flat 501",
        "device register own:m --kind electrical --profile own --dwelling 501 --breaker-a 25 --cable-a 40",
        "device channel set own:m l2 --breaker-a 10",
    ):
        made = CliRunner().invoke(whole_app, ["--config", str(tmp_path / "gengfu.toml"), *words.split()])
        assert made.exit_code == 0, made.output
    lines = [*current(range(0, 70, 10), 36.2), *current(range(70, 140, 10), 15)]
    lines[7:] = [line.replace("l1", "l2") for line in lines[7:]]
    raised = told(run(written(tmp_path / "r.csv", lines), "--registry"))
    assert [(line["subject"], line["why"][:40]) for line in raised] == [
        ("own:m/l2", "current 15.0 A ≥ 14.5 A (1.45 × 10 A) fo")
    ]
    again = told(run(tmp_path / "r.csv", "--registry", "--circuits", tmp_path / "circuits.toml"))
    assert [line["subject"] for line in again] == ["own:m/l2"]
    retire = ["--config", str(tmp_path / "gengfu.toml"), "device", "retire", "own:m"]
    assert CliRunner().invoke(whole_app, retire).exit_code == 0
    assert told(run(tmp_path / "r.csv", "--registry")) == []


def test_the_series_store_is_replayed_between_two_times(
    run: Run, tmp_path: Path, whole_app: typer.Typer
) -> None:
    made = CliRunner().invoke(whole_app, ["--config", str(tmp_path / "gengfu.toml"), "area", "list"])
    assert made.exit_code == 0, made.output
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:
        for slot, uid in ((3, "own:m"), (7, "own:n")):
            row = {"slot": slot, "uid": uid, "channel": "l1", "metric": Metric.CURRENT, "created_us": 1}
            connection.execute(insert(series).values(row))
    engine.dispose()
    seconds = np.arange(0, 200, 10)
    n = len(seconds)
    store = EmbeddedStore(tmp_path / "data" / "points.db", keep_days=100_000)
    for slot in (3, 7):
        ts = (EIGHT_S + seconds) * 1_000_000_000
        store.write(Points(np.full(n, slot, np.int32), ts, np.full(n, 40.0), np.zeros(n, np.uint32)), slot)
    store.close()
    words = ("--store", "--from", clock(0), "--until", clock(200), "--circuits", tmp_path / "circuits.toml")
    assert [(line["device"], line["at"]) for line in told(run(*words))] == [("own:m", "2026-03-01T08:01:00Z")]
    assert "40 readings" in run(*words).stderr and "20 readings" in run(*words, "--device", "own:n").stderr
    assert "own:x: nothing is stored of it" in run(*words, "--device", "own:x", code=1).stderr
    assert "10 readings" in run(*words[:3], "--until", clock(50), *words[5:]).stderr
    assert "--until: `noon` is no time" in run(*words[:3], "--until", "noon", code=1).stderr
    (tmp_path / "data" / "points.db").unlink()
    assert "there is no series store yet" in run(*words, code=1).stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "say FILE, or --store with --from and --until"),
        ("--store", "--store needs --from and --until"),
        ("--store --from 0", "--store needs --from and --until"),
        ("r.csv --store --from 0 --until 1", "say FILE or --store, not both"),
        (
            "r.csv --from 0 --until 1",
            "--from and --until: only with --store; of a FILE all lines are replayed",
        ),
        ("r.csv --from 0", "--from: only with --store"),
        ("r.csv --device own:m", "--device: only with --store"),
        ("r.csv --shipped --rules own.toml", "--shipped is without --rules and --override"),
    ],
)
def test_options_that_do_not_go_together_are_refused_with_what_is_allowed(
    run: Run, words: str, told: str
) -> None:
    said = " ".join(run(*words.split(), code=2).stderr.replace("│", " ").split())
    assert told in said


@pytest.mark.parametrize("text", ["", "\n\n", "device,channel,metric,observed_at,value\n"])
def test_a_recording_without_a_reading_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "r.csv").write_text(text)
    result = run(tmp_path / "r.csv", "--json", code=1)
    assert result.stdout == ""
    assert (
        f"gengfu: {tmp_path / 'r.csv'}: there is no reading in it; needed: a line of names" in result.stderr
    )


def test_late_readings_are_counted_and_it_is_said_why_they_were_not_judged(run: Run, tmp_path: Path) -> None:
    lines = overload()
    file = written(tmp_path / "r.csv", [*lines[:3], lines[1], lines[0], *lines[3:]])
    result = run(file, "--json")
    assert objects(result.stdout)[-1]["summary"]["late"] == 2
    assert "62 readings (2 late)" in result.stderr
    assert (
        "2 readings were not judged, being late (observed before one of the same series above it"
        in result.stderr
    )
    assert "being late" not in run(written(tmp_path / "r.csv", lines)).stderr


OWN = own(metric="current", raise_="5 A", clear="4 A")


def rules_of(result: Result) -> set[str]:
    return {line["rule"] for line in objects(result.stdout)}


def test_the_sites_own_rules_are_used_and_said_unless_others_are_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gengfu.toml").write_text('[rules]\nfile = "own.toml"\n')
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    file = written(tmp_path / "r.csv", current([0, 1], 6))
    sites = run(file)
    assert rules_of(sites) == {"K1"}
    used = "rules: as shipped, with 1 of own.toml; overrides: none"
    assert f"{used} (--rules FILE and --override FILE try others, --shipped neither)\n" in sites.stderr
    shipped_only = run(file, "--shipped")
    assert rules_of(shipped_only) == set()
    assert "rules: as shipped; overrides: none\n" in shipped_only.stderr
    (tmp_path / "other.toml").write_text(own(name="K2", metric="current", raise_="3 A", clear="2 A"))
    assert rules_of(run(file, "--rules", tmp_path / "other.toml")) == {"K2"}
    (tmp_path / "own.toml").write_text("version = 2\n")
    refused = run(file, code=1).stderr
    assert "own.toml, line 1: key `version`" in refused and "--rules FILE or --shipped" in refused
    assert rules_of(run(file, "--shipped")) == set()


def test_overrides_on_record_hold_in_the_recording_when_they_really_did(
    run: Run, tmp_path: Path, whole_app: typer.Typer
) -> None:
    def gengfu(*words: str) -> None:
        made = CliRunner().invoke(whole_app, ["--config", str(tmp_path / "gengfu.toml"), *words])
        assert made.exit_code == 0, made.output

    for words in (
        "area add C --level city --name x",
        "area add K --level community --name x --parent C",
        "building add B --name x --area K --floors 6",
        "device register own:m --kind electrical --profile own --building B --breaker-a 25",
        "device register own:n --kind electrical --profile own --building B --breaker-a 25",
        "rule override add O3 --area C --off --for 1d --reason x",
    ):
        gengfu(*words.split())
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:  # as if it had been made on the day of the recording
        began = {"from_us": EIGHT_S * 1_000_000, "until_us": (EIGHT_S + 105) * 1_000_000}
        connection.execute(update(rule_override).values(**began))
    file = written(tmp_path / "r.csv", overload())
    result = run(file, "--registry")
    assert "overrides: 1 on record (--rules FILE and" in result.stderr and "note:" not in result.stderr
    assert told(result)[0]["at"] == "2026-03-01T08:02:50Z"
    assert told(run(file, "--registry", "--shipped"))[0]["at"] == "2026-03-01T08:01:00Z"
    (tmp_path / "none.toml").write_text("")
    assert (
        told(run(file, "--registry", "--override", tmp_path / "none.toml"))[0]["at"] == "2026-03-01T08:01:00Z"
    )
    assert "override 1: nothing says where devices are; --circuits or --registry do" in run(file).stderr
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:
        connection.execute(update(rule_override).values(ended_us=EIGHT_S * 1_000_000 + 1))
    engine.dispose()
    assert told(run(file, "--registry"))[0]["at"] == "2026-03-01T08:01:10Z"
    with writing(engine) as connection:
        connection.execute(update(rule_override).values(from_us=1, until_us=2, ended_us=None))
    engine.dispose()
    assert "note: override 1 of O3 holds at no time of the recording" in run(file, "--registry").stderr


@pytest.mark.parametrize(
    ("option", "text", "note"),
    [
        (
            "--override", '[[override]]\nrule = "O3"\ndevice = "own:x"\noff = true\n',
            "device `own:x` is not in the recording; there is own:m",
        ),
        (
            "--override", '[[override]]\nrule = "O3"\ndwelling = "9-9"\noff = true\n',
            "no device of the recording is in dwelling `9-9`; there is 3-2-501",
        ),
        (
            "--override", '[[override]]\nrule = "O3"\nbuilding = "B"\noff = true\n',
            "nothing says where devices are; --circuits or --registry do",
        ),
        ("--circuits", "device\nown:m\nown:x\n", "device `own:x` is not in the recording; there is own:m"),
        (
            "--circuits", "device\nown:m\nown:x\nown:y\n",
            "2 devices are not in the recording: own:x, own:y; there is own:m",
        ),
        (
            "--circuits", "device,channel\nown:m,L1\n",
            "own:m has no channel `L1` in the recording; there is l1",
        ),
        (
            "--events", f"device,at\nown:x,{clock(0)}\n",
            "device `own:x` is not in the recording; there is own:m",
        ),
    ],
)  # fmt: skip
def test_what_a_file_names_and_the_recording_has_not_is_told(
    run: Run, tmp_path: Path, option: str, text: str, note: str
) -> None:
    name = tmp_path / ("o.toml" if option == "--override" else "o.csv")
    name.write_text(text)
    circuits = () if option == "--circuits" else ("--circuits", tmp_path / "circuits.toml")
    result = run(written(tmp_path / "r.csv", overload()), option, name, *circuits, "--json")
    assert f"note: {name}: {note}" in result.stderr
    assert objects(result.stdout)[-1]["summary"]["notes"] == [f"{name}: {note}"]


def test_the_summary_is_in_the_sites_time_for_people_and_in_utc_for_machines(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "e.csv").write_text(f"device,at\nown:m,{clock(100)}\nown:m,{clock(30)}\n")
    words = ("--circuits", tmp_path / "circuits.toml", "--events", tmp_path / "e.csv", "--json")
    result = run(written(tmp_path / "r.csv", overload()), *words)
    summary = objects(result.stdout)[-1]["summary"]
    assert (summary["from"], summary["until"]) == ("2026-03-01T08:00:00Z", "2026-03-01T08:09:50Z")
    assert [event["at"] for event in summary["events"]] == ["2026-03-01T08:01:40Z", "2026-03-01T08:00:30Z"]
    assert "from 2026-03-01T16:00:00+08:00 to 2026-03-01T16:09:50+08:00" in result.stderr
    assert "event on own:m at 2026-03-01T16:01:40+08:00: O3 40 s before" in result.stderr
    assert "event on own:m at 2026-03-01T16:00:30+08:00: O3 30 s after" in result.stderr
    assert "0.00683 device-days" in result.stderr


def test_nothing_is_made_by_a_replay(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    run(file)
    assert "no data folder here" in run(file, "--registry", code=1).stderr
    assert "no data folder here" in run("--store", "--from", "0", "--until", "1", code=1).stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"more": 'colour = "red"'}, "line 13: unknown key `colour`; allowed here: kernel"),
        ({"hold": "-1 s"}, "line 9: key `hold`: `-1 s` is negative"),
        (
            {"raise_": "4 V"},
            "line 8: key `raise`: unit `V` does not fit metric `temperature`; allowed: `degC`",
        ),
    ],
)
def test_a_wrong_rule_file_is_refused_with_line_key_and_what_is_allowed(
    run: Run, tmp_path: Path, said: dict[str, str], told: str
) -> None:
    (tmp_path / "own.toml").write_text(own(**said), encoding="utf-8")
    refused = run(written(tmp_path / "r.csv", overload()), "--rules", tmp_path / "own.toml", code=1).stderr
    assert f"gengfu: {tmp_path / 'own.toml'}, {told}" in refused


def test_a_wrong_recording_is_refused_and_says_where(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", [*overload(), "own:m,l1,current,noon,1"])
    refused = run(file, code=1)
    assert f"gengfu: {file}, line 62, column `observed_at`: `noon` is no time" in refused.stderr
    assert "No such file" in run(tmp_path / "none.csv", code=1).stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("device,breaker_a\nown:m,-5\n", "line 2, column `breaker_a`: `-5` is no number above 0"),
        (
            "device,insulation\nown:m,wool\n",
            "line 2, column `insulation`: `wool` is unknown; allowed: unknown, pvc",
        ),
        ("device,colour\nown:m,red\n", "column `colour`: is unknown"),
        ("device,breaker_a\nown:m,5\nown:m,6\n", "line 3: own:m is there twice"),
        ('device\n""\n', "line 2, column `device`: is missing"),
    ],
)
def test_wrong_circuits_are_refused(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    file = written(tmp_path / "r.csv", overload())
    assert said in run(file, "--circuits", tmp_path / "c.csv", code=1).stderr


def test_wrong_circuits_in_toml_are_refused(run: Run, tmp_path: Path) -> None:
    file, circuits = written(tmp_path / "r.csv", []), tmp_path / "c.toml"
    for text, said in (
        ("[[circuit]]\nbreaker_a = 5\n", "circuit 1, column `device`: is missing"),
        ('[[circuit]]\ndevice = "a"\ncolour = 1\n', "circuit 1: `colour` is unknown; allowed: device"),
        ("circuit = 5\n", "only tables [[circuit]] are allowed"),
        ("x", "not TOML"),
    ):
        circuits.write_text(text)
        assert said in run(file, "--circuits", circuits, code=1).stderr


def test_lines_are_json_that_any_reader_reads(run: Run, tmp_path: Path) -> None:
    result = run(written(tmp_path / "r.csv", overload()), "--circuits", tmp_path / "circuits.toml", "--json")
    assert [set(json.loads(line)) for line in result.stdout.splitlines()][-1] == {"summary"}


def test_the_thermometer_of_a_smoke_detector_is_no_cable(run: Run, tmp_path: Path) -> None:
    hot = [f"own:{name},,temperature,{clock(at)},90" for at in range(0, 120, 30) for name in "sk"]
    file = written(tmp_path / "r.csv", [f"own:s,,smoke.alarm,{clock(0)},0", *hot])
    lines = objects(run(file).stdout)
    assert {line["subject"] for line in lines} == {"own:k/"}
    assert {line["rule"] for line in lines} == {"T2", "T3"}


def test_a_detector_that_speaks_late_in_a_recording_is_known_from_then_on(tmp_path: Path) -> None:
    book = Book()
    warm, flag = book.slot("own:s", "", Metric.TEMPERATURE), 2
    rules = VirtualTime(shipped(), book)
    assert [one.rule for one in rules.run([readings(warm, [0, 30], 90)])] == ["T3"]
    assert book.slot("own:s", "", Metric.SMOKE_ALARM) == flag
    assert list(rules.run([readings(flag, [60], 0), readings(warm, [90, 120, 150], 90)])) == []


def readings(slot: int, times: list[int], value: float) -> Recorded:
    """Of one series, at so many seconds."""
    n = len(times)
    return Recorded(
        np.full(n, slot, np.int32),
        np.array([(EIGHT_S + at) * 1_000_000 for at in times], np.int64),
        np.zeros(n, np.uint16),
        np.full(n, value, np.float64),
        np.zeros(n, np.uint32),
    )
