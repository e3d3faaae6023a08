"""The bench of ordinary life, on small made-up recordings of the same form."""

from __future__ import annotations

import gzip
import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.bench_ordinary import judge, measure, side_by_side
from benchmarks.errors import CannotMeasure
from benchmarks.exercised import not_exercised
from benchmarks.household import Meter, home, plugs_by_minute, plugs_by_second
from rules.catalogue import Catalogue
from tests.rules.story import shipped

START = datetime(2026, 3, 1, tzinfo=UTC)


def packed(path: Path, files: dict[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


def made_up(data: Path, watts: float = 60, heater_watts: float = 2000) -> Path:
    """Two hours of one device in each collection."""
    seconds = [START + timedelta(seconds=n) for n in range(0, 7200, 2)]
    lines = "\n".join(f"{at:%d/%m/%Y %H:%M:%S};{watts};{watts}" for at in seconds)
    packed(data / "tracebase" / "share.tar.gz", {"complete/Lamp/dev_A1_2026.03.01.csv": lines})
    minutes = [START + timedelta(minutes=n) for n in range(120)]
    rows = "\n".join(
        f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02},{heater_watts}" for at in minutes
    )
    empty = "3/1/2026 2:00,"
    broken = "data/Heater/Heater_1/anomaly_X/heater_1_day1.csv"
    packed(
        data / "appliance_malfunction" / "share.tar.gz",
        {
            "data/Heater/Heater_1/Normal/heater_1_day1.csv": f"\ufeffctime,activePower\n{rows}\n{empty}\n",
            broken: "x",
        },
    )
    quarters = "\n".join(
        f"Electric usage,3/1/26,{n // 4}:{n % 4 * 15:02},{n // 4}:{n % 4 * 15 + 14:02},0.1,kWh"
        for n in range(8)
    )
    folder = data / "household_d202"
    folder.mkdir()
    text = f"TYPE,DATE,START TIME,END TIME,USAGE,UNITS\n{quarters}\n"
    (folder / "share.csv.gz").write_bytes(gzip.compress(text.encode()))
    return data


def test_the_three_collections_are_read_as_meters(tmp_path: Path) -> None:
    made_up(tmp_path)
    [lamp] = plugs_by_second(tmp_path / "tracebase")
    assert (lamp.uid, lamp.rated_a, len(lamp.at_us), set(lamp.watts)) == ("Lamp:dev_A1", 16.0, 720, {60.0})
    assert int(lamp.at_us[0]) == round(START.timestamp() + 10) * 1_000_000
    [heater] = plugs_by_minute(tmp_path / "appliance_malfunction")
    assert (heater.uid, len(heater.at_us), set(np.diff(heater.at_us))) == ("Heater_1", 120, {60_000_000})
    [whole] = home(tmp_path / "household_d202")
    assert (whole.rated_a, whole.watts.tolist()) == (63.0, [400.0] * 8)
    assert int(whole.at_us[0]) == round(START.timestamp() + 900) * 1_000_000


def test_a_quiet_life_is_as_asked(tmp_path: Path) -> None:
    figures: dict[str, Any] = measure(made_up(tmp_path), shipped())
    assert (figures["devices"], figures["as_asked"], figures["by_rule"]) == (3, True, {})
    assert figures["device_days"] == pytest.approx((7190 + 7140 + 6300) / 86_400, abs=0.01)
    years = figures["device_days"] / 365
    assert figures["by_severity"]["P1"]["per_device_year_at_most"] == pytest.approx(2.9957 / years, rel=0.1)


def test_an_overload_is_counted_and_gone_where_the_circuit_fits(tmp_path: Path) -> None:
    figures: dict[str, Any] = measure(made_up(tmp_path, heater_watts=4500), shipped())
    assert figures["by_rule"]["O2"]["raised"] == 1 and not figures["as_asked"]
    heater = figures["collections"]["appliance_malfunction"]
    assert (heater["over"], heater["by_device"]["O2"]) == (["Heater_1"], {"Heater_1": 1})
    assert "O2" not in figures["fitted"]["by_rule"] and figures["fitted"]["devices"] == 3


def test_a_latched_alarm_comes_again_after_it_was_reset() -> None:
    at = np.arange(0, 4 * 3600, 60, dtype=np.int64) * 1_000_000 + round(START.timestamp()) * 1_000_000
    watts = np.where(np.arange(len(at)) % 120 < 100, 40 * 230.0, 0.0)
    rules = Catalogue(version=1, rule=tuple(rule for rule in shipped().rule if rule.name == "O4"))
    judged = judge([Meter("m", 16.0, at, watts)], rules)
    assert judged.raised["O4", "P1"] > 1


def test_devices_of_different_years_are_laid_side_by_side() -> None:
    def meter(uid: str, day: int, watts: float) -> Meter:
        start = round((START + timedelta(days=day)).timestamp()) * 1_000_000
        at = np.arange(0, 3600, 60, dtype=np.int64) * 1_000_000 + start
        return Meter(uid, 16.0, at, np.full(len(at), watts))

    both = [meter("a", 0, 10.0), meter("b", 400, 4500.0)]
    at, slot, value = side_by_side(both)
    assert at[-1] - at[0] == 59 * 60_000_000 and slot[:4].tolist() == [1, 2, 3, 4]
    assert value[:4].tolist() == [10 / 230, 10.0, 4500 / 230, 4500.0]
    judged = judge(both, shipped())
    assert {uid for rule, uid in judged.where if rule == "O2"} == {"b"}
    assert judged.days == pytest.approx(2 * 59 / 1440)


def test_a_recording_that_is_missing_or_broken_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match=r"share\.tar\.gz"):
        measure(tmp_path)
    made_up(tmp_path)
    packed(tmp_path / "tracebase" / "share.tar.gz", {"complete/Lamp/dev_A1_2026.03.01.csv": "noon;1;1"})
    with pytest.raises(CannotMeasure, match="Lamp"):
        measure(tmp_path)


def of_days(days: int, step_s: int = 900) -> Meter:
    at = (
        np.arange(0, days * 86_400, step_s, dtype=np.int64) * 1_000_000 + round(START.timestamp()) * 1_000_000
    )
    return Meter(f"m{days}", 16.0, at, np.full(len(at), 60.0))


def test_it_says_which_rules_could_have_spoken_and_for_how_long(tmp_path: Path) -> None:
    figures: dict[str, Any] = measure(made_up(tmp_path, heater_watts=4500), shipped())
    overload = figures["exercised"]["O2"]
    assert (overload["devices"], overload["device_days"], overload["raised"]) == (3, 0.24, 1)
    assert overload["per_device_year_at_most"] == figures["by_rule"]["O2"]["per_device_year_at_most"]
    assert figures["exercised"]["O3"]["raised"] == 0


def test_it_says_of_each_other_rule_why_its_silence_means_nothing(tmp_path: Path) -> None:
    figures: dict[str, Any] = measure(made_up(tmp_path), shipped())
    exercised, not_exercised = figures["exercised"], figures["not_exercised"]
    assert exercised.keys() | not_exercised.keys() == {rule.name for rule in shipped().rule}
    assert not exercised.keys() & not_exercised.keys()
    assert sorted(exercised) == ["N2", "O1", "O2", "O3", "O4", "Q1"]
    assert not_exercised["S8"].startswith("no series of smoke.density, ")
    assert not_exercised["L1"] == "no series of current.residual"
    assert not_exercised["C1"].startswith("comes by time alone")
    assert not_exercised["L0"] == not_exercised["A2"] == "raises nothing itself"
    assert not_exercised["N1"] == "no device was observed for more than 7 days"
    assert not_exercised["N1T"] == "none of N1 sees anything and none of T1 sees anything"


def test_a_rule_that_learns_what_is_usual_judges_only_the_days_after() -> None:
    judged = judge([of_days(7), of_days(10)], shipped())
    assert judged.exercised.seen["N1"].devices == 1
    assert judged.exercised.seen["N1"].days == pytest.approx(3, abs=0.02)
    assert judged.exercised.seen["O3"].days == pytest.approx(17, abs=0.04)


def test_a_rule_that_is_off_where_all_devices_are_is_said_with_the_reason() -> None:
    meter = of_days(1)._replace(rated_a=float("nan"))
    judged = judge([meter], shipped())
    told = not_exercised(shipped(), judged.exercised, ["current", "power.active"])
    assert told["O3"].startswith("the rating of the circuit is not known")
    assert told["O4"] == "the rating of the breaker is not known"
    assert "N2" not in told


def test_a_meeting_is_exercised_where_both_sides_are() -> None:
    rules = Catalogue(
        version=1,
        rule=tuple(
            msgspec.structs.replace(rule, partner=("O3",)) if rule.name == "N1T" else rule
            for rule in shipped().rule
            if rule.name in ("N1", "N1T", "O3")
        ),
    )
    seen = judge([of_days(10)], rules).exercised.seen
    assert seen["N1T"].days == seen["N1"].days < seen["O3"].days
