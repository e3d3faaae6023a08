from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import MAX_MESSAGES, MAX_VALUES, fault_of, load_folder, load_profile
from devices.profiles.language.source import MAX_BYTES

ACME = """\
name = "acme"
vendor = "Acme"
version = 3
max_silence = "25h"

[parameters]
base = "acme"
room = "hall"

[[message]]
name = "state"
topics = ["{$base}/{id}/state"]
device = ["acme:{id|lower}"]

[message.values]
"{$room}.smoke" = "smoke.alarm"
power = { metric = "power.active", path = "$.power" }

[[test]]
name = "idle"
topic = "{$base}/1/state"
payload = "{$base}"
"""
EXTENDING = """\
name = "site"
extends = "acme"
max_silence = "2h"
parameters.base = "block/7"

[[message]]
name = "first"
topics = ["{$base}/x"]
"""


def load(text: str, known: Mapping[str, ProfileFile] | None = None) -> ProfileFile:
    return load_profile(text, file="acme.toml", known=known or {})


def refused(text: str, known: Mapping[str, ProfileFile] | None = None) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(text, known)
    return [str(one) for one in caught.value.all]


def test_parameters_stand_in_topics_paths_templates_and_topics_of_tests_but_not_in_payloads() -> None:
    profile = load(ACME)
    [message] = profile.message
    assert message.topics == ["acme/{id}/state"]
    assert list(message.values) == ["hall.smoke", "power"]
    assert (profile.test[0].topic, profile.test[0].payload) == ("acme/1/state", "{$base}")


def test_a_path_into_the_payload_is_no_parameter() -> None:
    power = load(ACME).message[0].values["power"]
    assert getattr(power, "path", None) == "$.power"


def test_what_extends_comes_first_overrides_keys_and_sets_parameters_otherwise() -> None:
    profile = load(EXTENDING, {"acme": load(ACME)})
    assert [message.topics for message in profile.message] == [["block/7/x"], ["block/7/{id}/state"]]
    assert (profile.name, profile.version, profile.vendor, profile.max_silence) == ("site", 1, "Acme", "2h")
    assert profile.parameters == {"base": "block/7", "room": "hall"}
    assert profile.test == []


def test_a_profile_that_was_made_without_a_file_can_be_extended() -> None:
    profile = load(EXTENDING, {"acme": ProfileFile(name="acme", vendor="Acme", tz="Asia/Shanghai")})
    assert (profile.vendor, profile.tz) == ("Acme", "Asia/Shanghai")


def test_an_unknown_key_is_named_with_its_line_and_what_is_allowed() -> None:
    wrong = ACME.replace('power = { metric = "power.active"', 'power = { metrik = "power.active"')
    first, missing = refused(wrong)
    assert first.startswith(
        "acme.toml:17: message[0].values.power.metrik: unknown key; allowed are metric, path,"
    )
    assert missing == "acme.toml:17: message[0].values.power.metric: is missing"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "a"\nname = "b"', "2: not TOML: Cannot overwrite a value"),
        ("name", "1: not TOML: Expected '=' after a key in a key/value pair"),
        ("a = [1,\n2\n", "3: not TOML: Unclosed array"),
        ("a = " + "1" * 5000, "1: not TOML: a number of more than 4300 digits"),
        ("a = " + "[" * 5000, "1: nested more than 64 deep"),
        ('name = "Acme"', "1: name: expected lower-case letters, digits, - and _, at most 64"),
        ('version = 1', "1: name: is missing"),
        ('name = "a"\nversion = 0', "2: version: expected a whole number >= 1"),
        (
            'name = "a"\nmax_silence = "3"',
            "2: max_silence: expected a whole number and s, min, h or d, such as 25h",
        ),
        ('name = "a"\nmodels = ["b", 1]', "2: models[1]: expected text, got a whole number"),
        ('name = "a"\ntz = 2020-01-01', "2: tz: expected text, got a date; put it in quotes"),
        ('name = "a"\nmessage = {}', "2: message: expected a list, got a table"),
        (
            'name = "a"\n[[message]]\nname = "b"\nformat = "xml"',
            "4: message[0].format: expected one of json, text, csv, senml, sparkplug, home_assistant, none, "
            "octets",
        ),
        (
            'name = "a"\n[[message]]\nname = "b"\nwhere.x = [1, []]',
            "4: message[0].where.x[1]: expected true or false or a number or text, got a list",
        ),
        (
            'name = "a"\n[[message]]\nname = "b"\ntopics = ["{$x}/y"]',
            "4: message[0].topics[0]: no parameter 'x'; there are none",
        ),
        ('name = "a"\nextends = "b"', "2: extends: no profile 'b'; there are known"),
        ('name = "a"\nextends = "a"', "2: extends: a profile cannot extend itself"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, says: str) -> None:
    assert refused(text, {"known": ProfileFile(name="known")}) == [f"acme.toml:{says}"]


def test_a_path_without_quotes_is_told_to_take_some() -> None:
    [said] = refused('name = "a"\n[[message]]\nname = "b"\nvalues.ENERGY.Power = "power.active"')
    assert said.startswith(
        "acme.toml:4: message[0].values.ENERGY.Power: unknown key; "
        'a path with dots stands in quotes: "ENERGY.Power"; allowed are metric,'
    )


def test_parameters_that_make_one_key_of_two_are_refused() -> None:
    text = ACME.replace("power = {", '"hall.smoke" = {')
    assert refused(text) == [
        "acme.toml:15: message[0].values: with the parameters filled in, two keys are the same"
    ]


def test_a_file_is_bounded() -> None:
    assert refused("#" * (MAX_BYTES + 1)) == [f"acme.toml:1: larger than {MAX_BYTES} bytes"]
    many = 'name = "a"\n' + '[[message]]\nname = "b"\n' * (MAX_MESSAGES + 1)
    line = 2 + 2 * MAX_MESSAGES
    assert refused(many) == [f"acme.toml:{line}: message[{MAX_MESSAGES}]: more than {MAX_MESSAGES} messages"]
    head = 'name = "a"\n[[object]]\nname = "b"\nwhere = {}\n[object.values]\n'
    values = "".join(f'k{n} = "current"\n' for n in range(MAX_VALUES))
    assert len(load(head + values).object[0].values) == MAX_VALUES
    assert refused(f'{head}{values}more = "current"\n') == [
        f"acme.toml:2: object[0]: more than {MAX_VALUES} values"
    ]


def test_a_later_fault_is_placed_in_the_file_that_said_it() -> None:
    profile = load_profile(EXTENDING, file="site.toml", known={"acme": load(ACME)})
    assert [
        str(fault_of(profile, where, "no"))
        for where in ("message[0].topics[0]", "message[1].values.power.path", "vendor", "max_silence")
    ] == [
        "site.toml:8: message[0].topics[0]: no",
        "acme.toml:17: message[0].values.power.path: no",
        "acme.toml:2: vendor: no",
        "site.toml:3: max_silence: no",
    ]
    inherited = ProfileFile(name="bare")
    assert str(fault_of(inherited, "message[0]", "no", file="bare.toml")) == "bare.toml:1: message[0]: no"


def test_an_unknown_parameter_of_the_base_is_placed_in_the_base() -> None:
    base = ProfileFile(name="acme")
    wrong = load_profile('name = "mid"\nparameters = { a = "1" }\n', file="mid.toml", known={"acme": base})
    text = 'name = "top"\nextends = "mid"\n[[message]]\nname = "m"\ntopics = ["{$b}"]\n'
    with pytest.raises(ProfileError) as caught:
        load_profile(text, file="top.toml", known={"mid": wrong})
    assert str(caught.value) == "top.toml:5: message[0].topics[0]: no parameter 'b'; there are a"


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def said(folder: Path, known: Mapping[str, ProfileFile] | None = None) -> dict[str, str]:
    return {
        name: str(one) if isinstance(one, ProfileError) else "ok"
        for name, one in load_folder(folder, known or {}).items()
    }


def test_a_folder_gives_each_file_or_why_not(tmp_path: Path) -> None:
    put(tmp_path, acme=ACME, site=EXTENDING, broken="name", other='name = "else"')
    (tmp_path / "bytes.toml").write_bytes(b'name = "bytes"\n# \xff')
    (tmp_path / "large.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / ".hidden.toml").write_text("x", encoding="utf-8")
    assert said(tmp_path) == {
        "acme": "ok",
        "site": "ok",
        "broken": "broken.toml:1: not TOML: Expected '=' after a key in a key/value pair",
        "bytes": "bytes.toml:2: not UTF-8 at byte 17",
        "folder": "folder.toml:1: cannot be read: Is a directory",
        "large": f"large.toml:1: larger than {MAX_BYTES} bytes",
        "other": "other.toml:1: name: a file is called as its profile: else.toml",
    }
    assert load_folder(tmp_path / "nowhere", {}) == {}


def test_files_that_extend_each_other_in_a_circle_are_refused_and_so_is_what_extends_a_broken_one(
    tmp_path: Path,
) -> None:
    put(
        tmp_path,
        a='name = "a"\nextends = "b"',
        b='name = "b"\nextends = "c"',
        c='name = "c"\nextends = "b"',
        d='name = "d"\nextends = "d"',
    )
    found = said(tmp_path)
    assert found["c"] == "c.toml:2: extends: a circle: b extends c extends b"
    assert found["d"] == "d.toml:2: extends: a circle: d extends d"
    assert found["b"] == f"b.toml:2: extends: 'c' cannot be used: {found['c']}"
    assert found["a"] == f"a.toml:2: extends: 'b' cannot be used: {found['b']}"


def test_a_site_may_extend_a_shipped_profile_but_not_take_its_name(tmp_path: Path) -> None:
    put(tmp_path, acme=ACME, site=EXTENDING)
    found = said(tmp_path, {"acme": load(ACME)})
    assert found == {
        "acme": 'acme.toml:1: name: the name of a shipped profile; take another, and extends = "acme"',
        "site": "ok",
    }


@given(text=st.text(alphabet='name="a"\n[]{}.,$#\'12', max_size=120))
def test_any_text_is_a_profile_or_refused_with_a_line_of_it(text: str) -> None:
    try:
        load(text)
    except ProfileError as error:
        assert 1 <= error.line <= text.count("\n") + 1
