"""`gengfu replay` as a person runs it: a line for each transition, and a summary."""

from __future__ import annotations

import json
from pathlib import Path

from tests.gengfu.program import objects
from tests.gengfu.replay.files import clock, current, overload, written
from tests.gengfu.replay.running import Run, told


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


def test_lines_are_json_that_any_reader_reads(run: Run, tmp_path: Path) -> None:
    result = run(written(tmp_path / "r.csv", overload()), "--circuits", tmp_path / "circuits.toml", "--json")
    assert [set(json.loads(line)) for line in result.stdout.splitlines()][-1] == {"summary"}


def test_the_thermometer_of_a_smoke_detector_is_no_cable(run: Run, tmp_path: Path) -> None:
    hot = [f"own:{name},,temperature,{clock(at)},90" for at in range(0, 120, 30) for name in "sk"]
    file = written(tmp_path / "r.csv", [f"own:s,,smoke.alarm,{clock(0)},0", *hot])
    lines = objects(run(file).stdout)
    assert {line["subject"] for line in lines} == {"own:k/"}
    assert {line["rule"] for line in lines} == {"T2", "T3"}
