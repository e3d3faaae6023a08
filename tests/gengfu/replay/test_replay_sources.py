"""What `gengfu replay` reads: a recording or the series store, and circuits or the registry beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner

from devices.database import open_database, writing
from devices.model import Metric
from devices.schema import series
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from tests.gengfu.program import objects
from tests.gengfu.replay.files import EIGHT_S, clock, current, overload, written
from tests.gengfu.replay.running import Run, told


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


def test_nothing_is_made_by_a_replay(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", overload())
    run(file)
    assert "no data folder here" in run(file, "--registry", code=1).stderr
    assert "no data folder here" in run("--store", "--from", "0", "--until", "1", code=1).stderr
    assert not (tmp_path / "data").exists()


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
