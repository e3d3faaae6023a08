"""`gengfu rule`: what people see of rules and overrides, and what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from sqlalchemy import Engine, insert
from typer.testing import CliRunner, Result

from alerts.ailments import ailment_of, details_in, troubles_in
from devices.database import open_database, writing
from devices.model import Metric
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building
from devices.schema import series
from gengfu.config import Config, Rules
from gengfu.rules_here import rule_findings
from gengfu.run_ingest import refused_rules
from gengfu.shipped import shipped_catalogue
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.own_rules import own

NOW_US = 1_790_000_000_000_000
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with a riser's monitor on a TT circuit of 25 A, two of its series heard."""
    (tmp_path / "data").mkdir()
    engine = open_database(sqlite_like(MIGRATED, tmp_path / "data"))
    fill(engine)
    engine.dispose()
    file = tmp_path / "site.toml"
    file.write_text('data = "data"\n[rules]\nfile = "own.toml"\n')
    (tmp_path / "own.toml").write_text(own(), encoding="utf-8")
    return file


def fill(engine: Engine) -> None:
    with writing(engine) as connection:
        by: dict[str, Any] = {"by": "test", "now_us": 1}
        add_area(connection, level="grid", code="g1", name="g1", parent_code=None, **by)
        add_building(connection, area_code="g1", code="b1", name="b1", floors=6, **by)
        for uid, earthing in (("own:riser", "tt"), ("own:old", "tn-c")):
            register_device(
                connection, uid=uid, kind="electrical", profile="own", dwelling_code=None, building_code="b1",
                breaker_a=32.0, cable_a=25.0, earthing=earthing, **by,
            )  # fmt: skip
        heard = [
            ("own:riser", Metric.CURRENT),
            ("own:riser", Metric.TEMPERATURE),
            ("own:old", Metric.CURRENT_RESIDUAL),
        ]
        for slot, (uid, metric) in enumerate(heard, start=1):
            values = {"slot": slot, "uid": uid, "channel": "", "metric": int(metric), "created_us": 1}
            connection.execute(insert(series).values(**values))


@pytest.fixture
def run(whole_app: typer.Typer, site: Path) -> Run:
    def invoke(*words: str, here: bool = True) -> Result:
        config = ["--config", str(site)] if here else []
        return CliRunner().invoke(whole_app, ["rule", *words, *config])

    return invoke


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [msgspec.json.decode(line) for line in result.stdout.splitlines()]


def test_the_list_is_that_of_the_configuration_and_else_the_shipped_one(run: Run, tmp_path: Path) -> None:
    names = [rule.name for rule in shipped_catalogue().rule]
    with contextlib.chdir(tmp_path):
        assert [one["name"] for one in objects(run("list", "--json", here=False))] == names
    there = objects(run("list", "--json"))
    assert [one["name"] for one in there] == [*names, "K1"]
    assert [one["name"] for one in there if one["own"]] == ["K1"]
    assert "(the site's own)" in run("list").stdout.splitlines()[-1]


def test_a_rule_is_shown_with_the_source_of_each_number(run: Run) -> None:
    shown = run("show", "O3").stdout
    assert "1.45 I_ref" in shown and "IEC 60898" in shown
    assert "60 degC" in run("show", "K1").stdout
    nothing = run("show", "O9")
    assert nothing.exit_code == 1
    assert "no rule 'O9'; there are S1" in nothing.stderr


def test_a_refused_file_is_told_and_the_shipped_rules_are_shown(run: Run, site: Path) -> None:
    (site.parent / "own.toml").write_text("broken")
    told = run("list")
    assert told.exit_code == 0
    assert told.stderr.startswith("gengfu: own.toml: not TOML")
    assert len(told.stdout.splitlines()) == len(shipped_catalogue().rule)


def test_what_holds_for_a_device_comes_with_amperes_and_overrides(run: Run) -> None:
    added = run("override", "add", "O3", "--device", "own:riser", "--hold", "2 min", "--for", "30d",
                "--reason", "pump test", "--by", "gw-3", "--json")  # fmt: skip
    assert objects(added) == [{"added": 1}]
    run("override", "add", "T1", "--area", "g1", "--off", "--reason", "kiln", "--for", "3d")
    told = {(one["metric"], one["rule"]): one for one in objects(run("explain", "own:riser", "--json"))}
    overload = told["current", "O3"]
    assert overload["on"]
    assert overload["numbers"]["raise"] == "1.45 I_ref = 36.2 A"
    assert overload["numbers"]["hold"] == "2 min"
    [by] = overload["overrides"]
    assert (by["id"], by["author"], by["reason"]) == (1, "gw-3", "pump test")
    warm = told["temperature", "T1"]
    assert (warm["on"], warm["why_off"]) == (False, "switched off by an override")
    assert [one["reason"] for one in warm["overrides"]] == ["kiln"]
    assert told["temperature", "K1"]["numbers"]["raise"] == "60 degC"
    lines = run("explain", "own:riser").stdout
    assert "changed by override 1 (device): gw-3, pump test, until " in lines


def test_leakage_is_off_and_says_so_where_the_earthing_does_not_allow_it(run: Run) -> None:
    told = objects(run("explain", "own:old", "--json"))
    leakage = [one for one in told if one["rule"].startswith("L")]
    assert leakage
    for one in leakage:
        assert one["why_off"].startswith(("not measurable: the earthing is TN-C", "does not hold where"))


def test_a_device_that_was_never_heard_shows_what_would_hold(run: Run, site: Path) -> None:
    engine = open_database(f"sqlite:///{site.parent / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:
        register_device(
            connection, uid="own:new", kind="electrical", profile="own", dwelling_code=None,
            building_code="b1", by="test", now_us=1,
        )  # fmt: skip
    engine.dispose()
    told = objects(run("explain", "own:new", "--json"))
    assert not any(one["heard"] for one in told)
    [overload] = [one for one in told if one["rule"] == "O3"]
    assert overload["why_off"].startswith("the rating of the circuit is not known")
    unknown = run("explain", "own:nix")
    assert (unknown.exit_code, unknown.stderr) == (1, "no device with uid 'own:nix'\n")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("O3", "--device", "own:riser", "--off"), 1, "key `until`: is missing; O3 guards lives"),
        (("O3", "--device", "own:riser", "--off", "--for", "31d"), 1, "for 30 days at most"),
        (("O3", "--device", "own:riser", "--raise", "30 V"), 1, "key `raise`: unit `V` does not fit"),
        (("O3", "--device", "own:riser", "--hold", "-1 s"), 1, "key `hold`: `-1 s` is negative"),
        (("O3", "--device", "own:riser"), 1, "nothing is changed"),
        (("S1", "--device", "own:riser", "--off", "--for", "1d"), 1, "`S1` takes no override"),
        (("O9", "--device", "own:riser", "--off", "--for", "1d"), 1, "`O9` is no rule; allowed: "),
        (("O3", "--dwelling", "nix", "--off", "--for", "1d"), 1, "no dwelling with code 'nix'"),
        (("O3", "--off", "--for", "1d"), 2, "--area"),
        (("O3", "--area", "g1", "--building", "b1", "--off", "--for", "1d"), 2, "--area"),
        (("O3", "--area", "g1", "--off", "--for", "long"), 2, "30d, 12h or 90min"),
        (("O3", "--area", "g1", "--off", "--for", "1d", "--until", "2030-01-01"), 2, "--until"),
        (("O3", "--area", "g1", "--off", "--until", "soon"), 2, "no time"),
    ],
)
def test_an_override_that_cannot_be_is_refused(
    run: Run, words: tuple[str, ...], code: int, told: str
) -> None:
    result = run("override", "add", *words, "--reason", "test")
    assert result.exit_code == code
    assert told in result.stderr
    assert "no override" in run("override", "list").stderr


def test_overrides_are_listed_ended_and_stay_on_record(run: Run) -> None:
    run("override", "add", "O2", "--building", "b1", "--off", "--reason", "load test")
    [one] = objects(run("override", "list", "--json"))
    assert (one["rule"], one["building"], one["off"], one["until_at"]) == ("O2", "b1", True, None)
    assert "load test" in run("override", "list").stdout
    assert run("override", "end", "1", "--reason", "done").exit_code == 0
    assert objects(run("override", "list", "--json")) == []
    [over] = objects(run("override", "list", "--history", "--json"))
    assert over["end_reason"] == "done"
    again = run("override", "end", "1", "--reason", "done")
    assert (again.exit_code, again.stderr) == (1, "no override 1 that stands or is to come\n")


def test_the_check_names_file_line_and_key(tmp_path: Path) -> None:
    plain = Config(data=str(tmp_path / "none"))
    [as_shipped] = rule_findings(plain, NOW_US)
    assert as_shipped.ok
    file = tmp_path / "own.toml"
    mine = msgspec.structs.replace(plain, rules=Rules(file=str(file)))
    [missing] = rule_findings(mine, NOW_US)
    assert (missing.ok, missing.text) == (False, "own.toml: cannot be read: No such file or directory")
    file.write_text(own(hold="-1 s"), encoding="utf-8")
    [wrong] = rule_findings(mine, NOW_US)
    assert not wrong.ok
    assert wrong.text.startswith("own.toml, line 9: key `hold`: `-1 s` is negative")
    file.write_text(own(), encoding="utf-8")
    [good] = rule_findings(mine, NOW_US)
    assert good.ok and "the site's own" in good.text


def test_a_refused_file_is_a_trouble_of_ingest_that_says_why() -> None:
    [said] = refused_rules({"own.toml": "own.toml, line 9: key `hold`: `-1 s` is negative"})
    assert troubles_in(said) == {"rules"}
    assert details_in(said) == {"rules": "own.toml, line 9: key `hold`: `-1 s` is negative"}
    known = ailment_of("ingest.rules")
    assert known is not None and known.after_s == 300
