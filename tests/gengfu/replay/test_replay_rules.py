"""The rules and overrides that `gengfu replay` judges by: as shipped, the site's own, those on record."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from sqlalchemy import update
from typer.testing import CliRunner, Result

from devices.database import open_database, writing
from devices.schema import rule_override
from tests.gengfu.own_rules import own
from tests.gengfu.program import objects
from tests.gengfu.replay.files import EIGHT_S, current, overload, written
from tests.gengfu.replay.running import Run, told


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
