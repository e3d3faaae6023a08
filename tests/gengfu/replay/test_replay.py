"""`gengfu replay` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from devices.database import open_database, writing
from devices.model import Metric
from devices.schema import series
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from tests.gengfu.program import objects
from tests.gengfu.replay.files import clock, current, overload, written

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
    "words", ["", "--store", "r.csv --store --from 0 --until 1", "r.csv --from 0 --until 1"]
)
def test_a_file_or_a_range_of_the_store_is_needed_and_not_both(run: Run, words: str) -> None:
    assert "one is needed" in run(*words.split(), code=2).stderr


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
