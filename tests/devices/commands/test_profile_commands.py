from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from devices.commands import Shelf, profile_app
from devices.profiles.language.error import ProfileError
from devices.profiles.site import asked_for, read_site

ACME = """\
name = "acme"
version = 2
vendor = "Acme"
models = ["A1", "A2"]

[[message]]
name = "state"
topics = ["acme/{id}", "acme/{id}/more"]
values.v = "voltage"

[[test]]
name = "volts"
topic = "acme/1"
payload = '{"v": 230}'
expect = [{ metric = "voltage", value = 230 }]
"""


def run(folder: Path, *words: str) -> Result:
    app = typer.Typer()
    app.add_typer(profile_app, name="profile")
    return CliRunner().invoke(app, ["profile", *words], obj=Shelf(folder, "Asia/Shanghai"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.toml").write_text(ACME, encoding="utf-8")
    (tmp_path / "broken.toml").write_text('name = "broken"\nversion = "1"\n', encoding="utf-8")
    return tmp_path


def test_the_list_has_our_format_the_sites_own_and_the_shipped_in_the_order_they_are_asked(
    folder: Path,
) -> None:
    rows = [json.loads(line) for line in run(folder, "list", "--json").stdout.splitlines()]
    assert [one["name"] for one in rows][:3] == ["own", "acme", "broken"]
    assert "zigbee2mqtt" in [one["name"] for one in rows][3:]
    assert rows[1] == {
        "name": "acme",
        "version": 2,
        "vendor": "Acme",
        "models": ["A1", "A2"],
        "topics": ["acme/{id}", "acme/{id}/more"],
        "extends": "",
        "source": str(folder / "acme.toml"),
        "fault": "",
        "state": "not yet seen",
    }
    assert rows[2]["fault"] == "broken.toml:2: version: expected a whole number, got text"
    assert {one["source"] for one in rows[3:]} == {"shipped"}


def test_the_list_for_people_is_short_and_says_apart_what_cannot_be_used(folder: Path) -> None:
    shown = run(folder, "list")
    [line] = [line for line in shown.stdout.splitlines() if line.startswith("acme ")]
    assert "A1 and 1 more" in line
    assert "acme/{id} and 1 more" in line
    assert "cannot be used: broken.toml:2: version: expected" in shown.stderr


def test_a_good_file_is_green(folder: Path) -> None:
    checked = run(folder, "check", str(folder / "acme.toml"))
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout == "acme 2: 1 message, 1 value, 1 test passed\nthe service: not yet seen\n"


def states(folder: Path, used: Path) -> dict[str, str]:
    app = typer.Typer()
    app.add_typer(profile_app, name="profile")
    shelf = Shelf(folder, "Asia/Shanghai", used)
    shown = CliRunner().invoke(app, ["profile", "list", "--json"], obj=shelf).stdout
    return {one["name"]: one["state"] for one in map(json.loads, shown.splitlines())}


def test_the_list_says_how_the_service_stands_to_each_file(folder: Path, tmp_path: Path) -> None:
    used = tmp_path / "used"
    used.mkdir()
    assert states(folder, used)["acme"] == "not yet seen"
    (used / "acme.toml").write_text(ACME, encoding="utf-8")
    found = states(folder, used)
    assert (found["acme"], found["zigbee2mqtt"]) == ("used", "")
    assert found["broken"].startswith("refused: broken.toml:2: version: expected a whole number")
    (folder / "acme.toml").write_text(ACME.replace("version = 2", "version = 3"), encoding="utf-8")
    assert states(folder, used)["acme"] == "not yet seen; version 2 is used until then"
    (folder / "acme.toml").write_text(ACME.replace("value = 230", "value = 231"), encoding="utf-8")
    failed = states(folder, used)["acme"]
    assert failed.startswith("refused: acme.toml:15: test[0].expect[0]: its own test 'volts' fails: ")
    assert failed.endswith("; version 2 is used until then")


def test_a_file_that_is_called_otherwise_than_its_profile_is_a_fault_where_it_would_be_used(
    folder: Path, tmp_path: Path
) -> None:
    other = folder / "other.toml"
    other.write_text(ACME, encoding="utf-8")
    checked = run(folder, "check", str(other))
    assert checked.exit_code == 1
    assert f"{other}:1: name: a file is called as its profile: acme.toml" in checked.stderr
    draft = tmp_path / "drafts" / "other.toml"
    draft.parent.mkdir()
    draft.write_text(ACME, encoding="utf-8")
    checked = run(folder, "check", str(draft))
    assert checked.exit_code == 0
    assert f"{draft}:1: warning: name: a file is called as its profile: acme.toml" in checked.stderr


def test_faults_are_said_on_stderr_and_end_with_exit_code_1(folder: Path) -> None:
    path = folder / "broken.toml"
    checked = run(folder, "check", str(path))
    assert (checked.exit_code, checked.stdout) == (1, "")
    assert checked.stderr.splitlines() == [
        f"{path}:2: version: expected a whole number, got text",
        f"gengfu: {path}: 1 fault",
    ]
    missing = run(folder, "check", str(folder / "nowhere.toml"))
    assert missing.exit_code == 1
    assert missing.stderr == f"{folder / 'nowhere.toml'}:1: cannot be read: No such file or directory\n"


def test_json_has_an_object_for_each_remark_and_one_in_the_end(folder: Path) -> None:
    path = folder / "acme.toml"
    path.write_text(ACME.replace("value = 230", "value = 1"), encoding="utf-8")
    checked = run(folder, "check", str(path), "--json")
    remark, summary = map(json.loads, checked.stdout.splitlines())
    assert remark["level"] == "fault"
    assert (remark["file"], remark["line"], remark["key"]) == (str(path), 15, "test[0].expect[0]")
    assert (summary["ok"], summary["faults"], summary["warnings"], summary["tests"]) == (False, 1, 0, 1)
    assert checked.exit_code == 1


def test_a_file_may_extend_one_that_lies_beside_it_or_in_the_sites_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "one.toml").write_text('name = "one"\nextends = "acme"\n', encoding="utf-8")
    assert run(folder, "check", str(elsewhere / "one.toml")).exit_code == 0
    (elsewhere / "acme.toml").write_text(ACME, encoding="utf-8")
    assert run(elsewhere / "nowhere", "check", str(elsewhere / "one.toml")).exit_code == 0


def test_a_profile_is_asked_for_by_name_or_by_its_file(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found, name = asked_for(folder, "", site_tz="Asia/Shanghai")
    assert ([one.name for one in found], name) == (["acme"], "")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "new.toml"
    elsewhere.write_text('name = "new"\nextends = "acme"\n', encoding="utf-8")
    found, name = asked_for(folder, str(elsewhere), site_tz="Asia/Shanghai")
    assert ([one.name for one in found], name) == (["new", "acme"], "new")
    with pytest.raises(ProfileError, match="broken"):
        asked_for(folder, "broken", site_tz="Asia/Shanghai")


def test_what_compiles_not_is_a_fault_of_its_file(folder: Path) -> None:
    (folder / "odd.toml").write_text(
        ACME.replace("acme", "odd").replace("voltage", "volts"), encoding="utf-8"
    )
    site = read_site(folder, site_tz="Asia/Shanghai")
    assert list(site.files) == list(site.compiled) == ["acme"]
    assert str(site.faults["odd"]).startswith("odd.toml:9: message[0].values.v: no metric `volts`")
