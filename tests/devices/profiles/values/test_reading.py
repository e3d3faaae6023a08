import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import LIFE_FLAGS, Metric, Quality
from devices.profiles.compiling.compiled import MISSING, Column, word_of
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.language.file import Message, ProfileFile
from devices.profiles.language.meaning import Group, Operand, Sign, Value
from devices.profiles.own.mapping import WORDS
from devices.profiles.values.reading import read_value
from devices.profiles.values.reading_columns import read_column

HARD = Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE | Quality.SENTINEL


def column(value: Value) -> Column:
    message = Message("m", topics=["t"], values={"v": value})
    return compile_profile(ProfileFile("p", message=[message]), site_tz="Asia/Shanghai").columns[0]


def read(said: Value, raw: Any, **others: Any) -> tuple[float | None, list[str]]:
    value, quality = read_value(column(said), raw, **others)
    assert math.isnan(value) == bool(quality & HARD)
    return None if math.isnan(value) else value, Quality(quality).names


CURRENT = Value("current")
TEST = Value("smoke.test")
SMOKE = Value("smoke.alarm")


@pytest.mark.parametrize(
    ("raw", "value"),
    [("120.11", 120.11), ("12345", 12345.0), (" 7 ", 7.0), ("-1.5e3", -1500.0), (".5", 0.5), (3, 3.0)],
)
def test_text_that_is_a_number_is_one(raw: Any, value: float) -> None:
    assert read(CURRENT, raw) == (value, [])


@pytest.mark.parametrize("raw", [None, "nan", "NaN", "", " ", float("nan"), "null"])
def test_failed_measuring_is_a_fault(raw: Any) -> None:
    assert read(CURRENT, raw) == (None, ["fault"])


@pytest.mark.parametrize("raw", [True, False, [], {}, [1], "read", "1_000", "0x10", 10**400, "1e999", b"1"])
def test_what_is_no_number_is_a_mismatch(raw: Any) -> None:
    assert read(CURRENT, raw) == (None, ["type_mismatch"])


@pytest.mark.parametrize("raw", ["maybe", 2, [], {}, 0.5, 10**400])
def test_what_is_no_flag_is_a_mismatch(raw: Any) -> None:
    assert read(TEST, raw) == (None, ["type_mismatch"])


@pytest.mark.parametrize("said", [Value("smoke.alarm"), Value("smoke.alarm", true=["alert"], false=["fine"])])
@pytest.mark.parametrize(
    ("raw", "value"), [(True, 1.0), (False, 0.0), ("Alarm ", 1.0), ("OFF", 0.0), (7, 1.0), ("7", 1.0)]
)
def test_a_life_flag_takes_the_usual_words_whatever_the_file_says(
    said: Value, raw: Any, value: float
) -> None:
    assert read(said, raw) == (value, [])


def test_words_are_compared_without_regard_to_case_and_blanks() -> None:
    said = Value("smoke.test", true=["Pushed"], false=["Not Pushed"])
    assert read(said, " PUSHED") == (1.0, [])
    assert read(said, "not pushed") == (0.0, [])


def test_a_file_may_say_the_opposite_of_the_usual_words() -> None:
    said = Value("smoke.alarm", true=[0], false=[1])
    assert read(said, 0) == (1.0, [])
    assert read(said, "1") == (0.0, [])
    assert read(said, True) == (1.0, [])


def test_three_is_no_smoke_where_the_file_says_that_two_is() -> None:
    said = Value("smoke.alarm", true=[2])
    assert [read(said, raw)[0] for raw in (0, 2, 3)] == [0.0, 1.0, None]
    assert read(Value("smoke.test", true=[3], false=[2]), 3) == (1.0, [])


def test_a_test_is_not_an_alarm_though_its_text_says_alarm() -> None:
    said = Value("smoke.alarm", true=["alarm"], false=["normal", "testing alarm with normal battery"])
    assert read(said, "testing alarm with normal battery") == (0.0, [])


def test_a_good_battery_is_not_a_low_one() -> None:
    assert read(Value("battery.low", invert=True), 1) == (0.0, [])
    assert read(Value("battery.low", true=["low"], false=["OK"]), "ok") == (0.0, [])
    assert read(Value("battery.low", invert=True), None) == (None, ["fault"])


def test_booleans_written_as_text_are_flags() -> None:
    assert [read(TEST, raw)[0] for raw in ("True", "FALSE", "true")] == [1.0, 0.0, 1.0]


def test_a_bit_is_cut_out_of_a_number() -> None:
    said = Value("device.fault", bit=3)
    assert [read(said, raw)[0] for raw in (8, 7, "9", 0, 1, -8)] == [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    assert read(said, 0.5) == (None, ["type_mismatch"])
    assert read(said, 1 << 60) == (None, ["type_mismatch"])


def test_any_number_may_be_true() -> None:
    said = Value("device.fault", nonzero=True)
    assert [read(said, raw)[0] for raw in (0, 1, 64, "0")] == [0.0, 1.0, 1.0, 0.0]


def test_tenths_are_read_to_the_nearest_number() -> None:
    assert read(Value("voltage", scale=0.1), 237) == (23.7, [])
    assert read(Value("voltage", unit="dV"), 2307) == (230.7, [])
    assert read(Value("battery.v", unit="mV"), 3115) == (3.115, [])


def test_watt_minutes_are_a_sixtieth_of_watt_hours() -> None:
    assert read(Value("energy.import", unit="Wmin"), 600) == (10.0, [])


def test_kilowatts_and_watts_in_one_message_are_told_apart_in_band() -> None:
    said = Value("power.active", unit_path="u")
    assert read(said, 1.5, unit="kW") == (1500.0, [])
    assert read(said, 1.5, unit="W") == (1.5, [])
    assert read(said, 1.5, unit="KW ") == (1500.0, [])
    assert read(said, 1.5, unit="V") == (None, ["type_mismatch"])
    assert read(said, 1.5) == (None, ["incomplete"])


def test_milliwatts_are_no_megawatts() -> None:
    said = Value("power.active", unit_path="u")
    assert [read(said, 1, unit=unit)[0] for unit in ("mW", "MW", "mw")] == [0.001, 1e6, None]


@pytest.mark.parametrize(
    ("direction", "watts"), [("producing", -130.8), ("Consuming", 130.8), ("", None), (MISSING, None)]
)
def test_the_sign_stands_elsewhere(direction: Any, watts: float | None) -> None:
    said = Value("power.active", sign_from=Sign("flow", ["producing"], ["consuming"]))
    assert read(said, 130.8, sign=direction) == (watts, [] if watts else ["incomplete"])
    assert read(said, -130.8, sign=direction)[0] == watts


@pytest.mark.parametrize("factor", [MISSING, None, "x", float("nan"), [], True])
def test_a_number_without_its_factor_is_incomplete(factor: Any) -> None:
    said = Value("current", unit="mA", multiply_by=Operand("m"))
    assert read(said, 5, factor=factor) == (None, ["incomplete"])
    assert read(said, 5, factor="10") == (0.05, [])


def test_a_sentinel_means_that_nothing_was_measured() -> None:
    said = Value("current", scale=0.1, sentinels=[6554, "unknown", 65535])
    for raw in (6554, "6554", 6554.0, " Unknown"):
        assert read(said, raw) == (None, ["sentinel"])
    assert read(said, 6553) == (655.3, [])


def test_an_enum_gives_numbers_for_words() -> None:
    said = Value("battery.pct", enum={"low": 10, "high": 90, "1": 50}, quality=["estimated"])
    assert read(said, "High") == (90.0, ["estimated"])
    assert read(said, 1) == (50.0, ["estimated"])
    assert read(said, "medium") == (None, ["type_mismatch", "estimated"])


def test_limits_are_in_the_unit_of_the_metric() -> None:
    said = Value("battery.v", unit="mV", low=2, high=4)
    assert read(said, 3000) == (3.0, [])
    assert read(said, 3) == (0.003, ["out_of_range"])


def test_a_constant_is_said_of_any_value_but_null() -> None:
    assert read(Value("smoke.alarm", const=True), {"a": 1}) == (1.0, [])
    assert read(Value("smoke.alarm", const=True), None) == (None, ["fault"])


def test_a_default_is_what_the_vendor_leaves_out() -> None:
    assert read(Value("temperature", default=0, offset=-40), MISSING) == (-40.0, [])
    assert read(Value("smoke.test", default=False), MISSING) == (0.0, [])
    assert read(TEST, MISSING) == (None, ["incomplete"])


word = st.sampled_from(["on", "Off", "alarm", "ALERT", "7", "x", "", "nan", "0", "1"])
number = st.integers(-(10**20), 10**20) | st.floats(width=64)
words = st.lists(word | st.integers(-3, 9) | st.booleans(), max_size=3)
raws = st.one_of(number, word, st.none(), st.booleans(), st.text(max_size=4), st.just(MISSING), st.just([1]))
quantities = st.builds(
    lambda metric, **keys: Value(metric, **{key: given for key, given in keys.items() if given is not None}),
    st.sampled_from(["current", "temperature"]),
    scale=st.sampled_from([1.0, 0.1, 0.001, 3.0, -1.0, 1e300]),
    offset=st.sampled_from([0.0, -40.0]),
    sentinels=st.lists(st.sampled_from([0, 1, 6553.5, "x"]), max_size=2),
    low=st.sampled_from([float("-inf"), 0.0]),
    enum=st.sampled_from([{}, {"on": 5.0}, {"1": 5.0, "2": 0.0}]),
    null=st.sampled_from(["fault", "skip"]),
    sign_from=st.none() | st.just(Sign("s", ["out"], ["in", 1], ["both"])),
    multiply_by=st.none() | st.just(Operand("m")),
    quality=st.sampled_from([[], ["estimated"]]),
)
flags = st.one_of(
    st.builds(Value, st.sampled_from(["smoke.test", "smoke.alarm"]), bit=st.integers(0, 5)),
    st.builds(
        Value, st.sampled_from(["smoke.test", "smoke.alarm"]), nonzero=st.booleans(), invert=st.booleans()
    ),
    st.builds(
        Value,
        st.sampled_from(["smoke.test", "smoke.alarm"]),
        true=st.just(["alert", 2]),
        false=st.just([3, "x"]),
    ),
)
meanings = (quantities | flags).filter(
    lambda said: not set(map(str, said.enum)) & set(map(str, said.sentinels))
)


def same(column: Column, raw: Any, sign: Any, factor: Any) -> None:
    values, quality = read_column(column, raw, sign, factor)
    singles = [
        read_value(column, one, *rest)
        for one, *rest in zip(
            raw.tolist() if isinstance(raw, np.ndarray) else raw,
            sign,
            factor.tolist() if isinstance(factor, np.ndarray) else factor,
            strict=True,
        )
    ]
    assert quality.tolist() == [bits for _, bits in singles]
    np.testing.assert_array_equal(values, [value for value, _ in singles])
    assert (str(values.dtype), str(quality.dtype)) == ("float64", "uint32")


@given(meanings, st.lists(st.tuples(raws, raws | st.just("out"), raws), max_size=6))
def test_a_column_of_anything_is_read_as_each_is(said: Value, rows: list[tuple[Any, Any, Any]]) -> None:
    raw, sign, factor = (list(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    same(column(said), raw, sign, factor)


@given(
    meanings,
    st.lists(st.tuples(number, st.sampled_from(["in", "out", "both", 1, MISSING, None]), number), max_size=6),
)
def test_a_column_of_numbers_is_read_as_each_is(said: Value, rows: list[tuple[Any, Any, Any]]) -> None:
    raw, sign, factor = (list(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    same(column(said), np.array(raw, np.float64), sign, np.array(factor, np.float64))


@given(meanings, st.lists(st.booleans(), max_size=5))
def test_a_column_of_booleans_is_read_as_each_is(said: Value, raw: list[bool]) -> None:
    same(column(said), np.array(raw, np.bool_), ["in"] * len(raw), [2.0] * len(raw))


@given(meanings, st.lists(word | number.map(str), max_size=6))
def test_a_column_of_texts_is_read_as_each_is(said: Value, raw: Sequence[str]) -> None:
    same(column(said), raw, ["in"] * len(raw), [2.0] * len(raw))


@given(
    st.sampled_from(sorted(LIFE_FLAGS)),
    st.sampled_from([w for w, value in WORDS.items() if value]),
    words,
    words,
)
def test_a_true_life_flag_is_never_lost_to_words_that_do_not_deny_it(
    metric: Metric, said: str, true: list[Any], false: list[Any]
) -> None:
    true = [one for one in true if word_of(one) not in {word_of(other) for other in false}]
    denied = {word_of(one) for one in false}
    value = read(Value(metric.name_on_wire, true=true, false=false), said)[0]
    assert value == (0.0 if word_of(said) in denied else 1.0)


def test_an_item_says_its_unit_for_the_names_of_its_group() -> None:
    group = Group(each="{key}", name="{key}", value="data", unit="unit", names={"i*": "current"})
    compiled = compile_profile(
        ProfileFile("p", message=[Message("m", topics=["t"], group=[group])]), site_tz="Asia/Shanghai"
    )
    assert read_value(compiled.columns[0], 12, unit="mA") == (0.012, 0)
