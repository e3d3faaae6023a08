"""What `gengfu check` says of profiles."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gengfu.check_profiles import profile_findings
from gengfu.config import Config
from ingest.probes.finding import Finding

GOOD = 'name = "{name}"\n[[message]]\nname = "m"\ntopics = ["{topic}"]\n[message.values]\nn = "current"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    return tmp_path / "profiles"


def said(config: Config, folder: Path, **words: object) -> list[Finding]:
    ingest = msgspec.structs.replace(config.ingest, profiles_dir=str(folder), **words)
    return list(profile_findings(msgspec.structs.replace(config, ingest=ingest)))


def test_without_a_folder_the_shipped_profiles_are_heard(config: Config, tmp_path: Path) -> None:
    [one] = said(config, tmp_path / "none")
    assert one.ok
    assert "own" in one.text


def test_each_file_is_ok_or_says_which_line_is_wrong(config: Config, folder: Path) -> None:
    (folder / "acme.toml").write_text(GOOD.format(name="acme", topic="acme/{id}/up"))
    (folder / "bad.toml").write_text('name = "bad"\n[[message]]\nname = "m"\nnonsense = 1\n')
    acme, bad, heard, *_ = said(config, folder)
    assert (acme.name, acme.ok, acme.text) == ("profile acme.toml", True, "ok")
    assert (bad.name, bad.ok) == ("profile bad.toml", False)
    assert bad.text.startswith("bad.toml:4: message[0].nonsense: ")
    assert "acme" in heard.text


def test_a_file_that_fails_its_own_test_says_which(config: Config, folder: Path) -> None:
    test = '[[test]]\nname = "amps"\ntopic = "acme/1/up"\npayload = \'{"m": 1}\'\n'
    (folder / "acme.toml").write_text(GOOD.format(name="acme", topic="acme/{id}/up") + test)
    acme, heard, *_ = said(config, folder)
    assert (acme.name, acme.ok) == ("profile acme.toml", False)
    assert acme.text.startswith("acme.toml:7: test[0]: its own test 'amps' fails: ")
    assert "acme" not in heard.text


def test_names_that_mean_nothing_and_filters_that_overlap_are_said(config: Config, folder: Path) -> None:
    (folder / "acme.toml").write_text(GOOD.format(name="acme", topic="gengfu/{id}/up"))
    (folder / "wide.toml").write_text(GOOD.format(name="wide", topic="{any}/one/up"))
    found = said(config, folder, profiles=("acme", "wide", "typo"), replies_for=("acme",))
    assert [one.ok for one in found] == [True, True, False, True, None]
    assert "ingest.profiles names typo" in found[2].text
    assert "gengfu/+/up and +/one/up" in found[4].text
    [none] = [one for one in said(config, folder, profiles=("typo",)) if "none is heard" in one.text]
    assert none.ok is False
