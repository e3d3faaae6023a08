"""`gengfu rule`: what people see of rules and overrides, and what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from sqlalchemy import Engine, insert, update
from typer.testing import CliRunner, Result

from alerts.troubles import ailment_of, details_in, troubles_in
from devices.database import open_database, writing
from devices.model import Metric
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building, add_stair
from devices.schema import device, dwelling, series
from gengfu.config import Config, Rules
from gengfu.rulebook import own_catalogue
from gengfu.rules_here import rule_findings
from gengfu.run_ingest import refused_rules
from gengfu.shipped import shipped_catalogue
from rules.catalogue import RuleFile
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


@pytest.mark.parametrize("words", [("list",), ("show", "O3"), ("explain", "own:riser")])
def test_a_refused_file_is_named_and_what_holds_instead_is_shown_with_exit_code_1(
    run: Run, site: Path, words: tuple[str, ...]
) -> None:
    good = run(*words).stdout
    (site.parent / "own.toml").write_text("broken")
    told = run(*words)
    assert told.exit_code == 1
    assert told.stderr.startswith("gengfu: own.toml: not TOML")
    assert told.stderr.endswith("; shown is what holds instead\n")
    assert len(told.stdout.splitlines()) >= len(good.splitlines()) - 3


def test_a_rule_is_shown_as_a_file_has_it_and_can_be_copied(run: Run) -> None:
    for rule in shipped_catalogue().rule:
        text = "version = 1\n" + run("show", rule.name).stdout
        assert own_catalogue(RuleFile("copied.toml", text)) == shipped_catalogue()
    lines = run("show", "K1").stdout.splitlines()
    assert lines[:2] == ["# the own rule of the site", "[[rule]]"]
    assert 'raise = "60 degC"' in lines


@pytest.mark.parametrize(
    "words", [("explain", "own:riser"), ("override", "list"), ("override", "end", "1", "--reason", "x"),
              ("override", "add", "O2", "--device", "own:riser", "--off", "--reason", "x")]
)  # fmt: skip
def test_looking_where_nothing_is_says_so_and_makes_nothing(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with contextlib.chdir(empty):
        told = run(*words, here=False)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"gengfu: no data folder here: there is no {empty / 'data'}; ")
    assert list(empty.iterdir()) == []


def test_times_are_the_sites_for_people_and_utc_for_machines(run: Run) -> None:
    until = ("--until", "2099-03-01T08:00")
    added = run("override", "add", "O2", "--device", "own:riser", "--off", "--reason", "x", *until)
    assert added.stdout.endswith(" until 2099-03-01T08:00:00+08:00\n")
    assert "2099-03-01T08:00:00+08:00" in run("override", "list").stdout
    [listed] = objects(run("override", "list", "--json"))
    assert listed["until_at"] == "2099-03-01T00:00:00Z" and listed["from_at"].endswith("Z")
    assert "until 2099-03-01T08:00:00+08:00" in run("explain", "own:riser").stdout
    told = [one for one in objects(run("explain", "own:riser", "--json")) if one["overrides"]]
    assert {one["overrides"][0]["until"] for one in told} == {"2099-03-01T00:00:00Z"}


def test_an_override_is_bounded_by_the_ratings_and_the_overrides_there(run: Run) -> None:
    words = ("override", "add", "O3", "--building", "b1", "--reason", "test")
    tight = run(*words, "--raise", "30 A", "--clear", "20 A")
    assert tight.exit_code == 0, tight.stderr
    loose = run(*words, "--raise", "34 A", "--clear", "20 A")
    assert loose.exit_code == 1 and loose.stderr.endswith("30 days: `raise` is a later level\n")
    device = ("override", "add", "O3", "--device", "own:riser", "--reason", "test")
    assert run(*device, "--raise", "1.3 I_ref", "--clear", "1 I_ref").exit_code == 1
    assert run(*device, "--raise", "1.1 I_ref", "--clear", "0.5 I_ref").exit_code == 0


def test_what_holds_for_a_device_comes_with_amperes_and_overrides(run: Run) -> None:
    added = run("override", "add", "O3", "--device", "own:riser", "--hold", "2 min", "--for", "30d",
                "--reason", "pump test", "--by", "gw-3", "--json")  # fmt: skip
    assert objects(added) == [{"added": 1}]
    run("override", "add", "T1", "--area", "g1", "--off", "--reason", "kiln", "--for", "3d")
    told = {(one["metric"], one["rule"]): one for one in objects(run("explain", "own:riser", "--json"))}
    overload = told["current", "O3"]
    assert overload["on"]
    assert overload["numbers"]["raise"] == "1.45 I_ref = 36.25 A"
    assert overload["numbers"]["hold"] == "2 min"
    [by] = overload["overrides"]
    assert (by["id"], by["author"], by["reason"]) == (1, "gw-3", "pump test")
    warm = told["temperature", "T1"]
    assert (warm["on"], warm["why_off"]) == (False, "switched off by an override")
    assert [one["reason"] for one in warm["overrides"]] == ["kiln"]
    assert told["temperature", "K1"]["numbers"]["raise"] == "60 degC"
    assert not {"True", "False"} & {
        word for one in told.values() for word in " ".join(one["numbers"].values()).split()
    }
    lines = run("explain", "own:riser").stdout
    assert "changed by override 1 (device): gw-3, pump test, until " in lines


def test_leakage_is_off_and_says_so_where_the_earthing_does_not_allow_it(run: Run) -> None:
    told = objects(run("explain", "own:old", "--json"))
    leakage = [one for one in told if one["rule"].startswith("L")]
    assert leakage
    for one in leakage:
        assert one["why_off"].startswith(("not measurable: the earthing is TN-C", "does not hold where"))


@pytest.mark.parametrize(
    ("kind", "why_off"),
    [
        (
            "smoke",
            "its registry kind is smoke: a channel without phase or number is of the air of the room, "
            "not of a cable",
        ),
        ("other", "its registry kind is other: a channel without phase or number is of no circuit"),
        ("electrical", ""),
    ],
)
def test_what_a_device_is_registered_as_decides_on_rules_of_cables_and_it_is_said(
    run: Run, site: Path, kind: str, why_off: str
) -> None:
    """Also of a monitor that has said smoke once."""
    engine = open_database(f"sqlite:///{site.parent / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:
        values = {"slot": 9, "uid": "own:riser", "channel": "", "metric": int(Metric.SMOKE_ALARM)}
        connection.execute(insert(series).values(**values, created_us=1))
        connection.execute(update(device).values(kind=kind))
    engine.dispose()
    told = {(one["metric"], one["rule"]): one for one in objects(run("explain", "own:riser", "--json"))}
    assert told["temperature", "T2"]["why_off"] == why_off
    assert told["temperature", "Q1"]["on"]
    assert told["current", "O3"]["on"]
    lines = run("explain", "own:riser").stdout
    assert f"kind {kind}" in lines and why_off in lines


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
    assert all(one["on"] for one in told if one["rule"] == "T2")  # nothing says that it is a detector
    unknown = run("explain", "own:nix")
    assert (unknown.exit_code, unknown.stderr) == (1, "gengfu: no device with uid 'own:nix'\n")


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
    file.write_text(own(name="T2", severity="P1", raise_="80 degC"), encoding="utf-8")
    good, looser = rule_findings(mine, NOW_US)
    assert (good.ok, looser.ok, looser.text.split(":")[0]) == (True, False, "T2 is looser than shipped")


def test_a_refused_file_is_a_trouble_of_ingest_that_says_why() -> None:
    [said] = refused_rules({"own.toml": "own.toml, line 9: key `hold`: `-1 s` is negative"})
    assert troubles_in(said) == {"rules"}
    assert details_in(said) == {"rules": "own.toml, line 9: key `hold`: `-1 s` is negative"}
    known = ailment_of("ingest.rules")
    assert known is not None and known.after_s == 300


def in_house(site: Path, flats: list[str], silence_s: int | None = 60) -> None:
    """A building with a device in each of these flats, and one that is retired in another."""
    engine = open_database(f"sqlite:///{site.parent / 'data' / 'gengfu.db'}")
    by: dict[str, Any] = {"by": "test", "now_us": 1}
    with writing(engine) as connection:
        add_building(connection, area_code="g1", code="house", name="house", floors=2, **by)
        add_stair(connection, building_code="house", code="house-1", name="1", **by)
        for flat in {*flats, "gone"}:
            values = {"stair_id": 1, "floor": 1, "flat": flat, "code": f"house-{flat}"}
            connection.execute(insert(dwelling).values(values))
        for n, flat in enumerate([*flats, "gone"]):
            register_device(
                connection, uid=f"own:house-{n}", kind="smoke", profile="own", dwelling_code=f"house-{flat}",
                building_code=None, max_silence_s=silence_s, **by,
            )  # fmt: skip
        gone = device.c.uid == f"own:house-{len(flats)}"
        connection.execute(update(device).where(gone).values(retired_us=2))
    engine.dispose()


def offline_rules(run: Run, uid: str) -> dict[str, Any]:
    found = [one for one in objects(run("explain", uid, "--json")) if not one["metric"]]
    return {one["rule"]: one["why_off"] or one["numbers"] for one in found}


@pytest.mark.parametrize(
    ("flats", "dark"),
    [
        (["a"] * 6, "its building is one dwelling: each device is told by itself"),
        (["a"] * 5 + ["b"], {}),
        (["a", "b"], "its building has 2 devices of 5: each is told by itself"),
    ],
)
def test_explain_says_what_tells_of_a_silent_device_and_whether_its_building_can_be_dark(
    site: Path, run: Run, flats: list[str], dark: object
) -> None:
    in_house(site, flats)
    told = offline_rules(run, "own:house-0")
    assert told == {"C1": {"after": "3 min"}, "C1L": {"after": "1 h"}, "C3": dark}
    lines = run("explain", "own:house-0").stdout
    assert "  C1   P3  Device offline\n       after 3 min\n" in lines


def test_explain_of_a_device_that_reports_seldom(site: Path, run: Run) -> None:
    in_house(site, ["a"] * 6, silence_s=None)
    seldom = "it reports seldom, and only devices that report often make a building dark"
    told = offline_rules(run, "own:house-0")
    assert told == {"C2": {"after": "25 h"}, "C2L": {"after": "49 h"}, "C3": seldom}
