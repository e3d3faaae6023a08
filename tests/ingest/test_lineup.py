"""Which files of a folder are used: those that compile and pass their own tests, else what was before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from devices.profiles.compiling.compiled import Compiled
from ingest.crafting import ProfileCraft
from ingest.kept_profiles import KeptProfiles
from ingest.lineup import GONE, Lineup, Shelf

ACME = """\
name = "{name}"
version = {version}
[[message]]
name = "m"
topics = ["{name}/{{s}}"]
device = ["{name}:{{s}}"]
[message.values]
{key} = "smoke.alarm"
"""
TEST = """\
[[test]]
name = "fire"
topic = "{name}/1"
payload = '{{"smoke": true}}'
expect = [{{metric = "smoke.alarm", value = true}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    return tmp_path / "profiles"


@pytest.fixture
def shelf(folder: Path) -> Shelf[Compiled]:
    return Shelf(folder, ProfileCraft("Asia/Shanghai"))


def write(
    folder: Path, version: int, key: str = "smoke", test: str = TEST, name: str = "acme", head: str = ""
) -> None:
    text = ACME.format(name=name, version=version, key=key)
    (folder / f"{name}.toml").write_text(head + text + test.format(name=name))


def used(lineup: Lineup, names: Sequence[str] = ("acme", "more")) -> dict[str, int]:
    return {one.name: one.version for one in lineup.profiles if one.name in names}


def test_a_version_that_fails_its_own_tests_is_refused_and_the_one_before_stays(
    folder: Path, shelf: Shelf[Compiled]
) -> None:
    write(folder, 1)
    first = shelf.line_up()
    assert (used(first), first.refused) == ({"acme": 1}, {})
    write(folder, 2, key="smok")
    second = shelf.line_up()
    assert (used(second), second.changed) == ({"acme": 1}, False)
    why = second.refused["acme.toml"]
    assert why.startswith("acme.toml:9: test[0]: its own test 'fire' fails: refused: nothing_known")
    write(folder, 3)
    third = shelf.line_up()
    assert (used(third), third.refused, third.changed) == ({"acme": 3}, {}, True)


def test_a_file_that_fails_its_own_tests_is_refused_at_the_start_too(
    folder: Path, shelf: Shelf[Compiled]
) -> None:
    write(folder, 1, key="smok")
    lineup = shelf.line_up()
    assert used(lineup) == {}
    assert set(lineup.refused) == {"acme.toml"}


def test_a_file_without_tests_or_with_warnings_only_is_used(folder: Path, shelf: Shelf[Compiled]) -> None:
    write(folder, 1, test="")
    assert used(shelf.line_up()) == {"acme": 1}
    write(folder, 2, key='other = "heat.alarm"\nsmoke')
    lineup = shelf.line_up()
    assert (used(lineup), lineup.refused) == ({"acme": 2}, {})


def test_what_extends_a_file_that_fails_its_tests_is_refused_with_it(
    folder: Path, shelf: Shelf[Compiled]
) -> None:
    write(folder, 1)
    (folder / "more.toml").write_text('name = "more"\nversion = 1\nextends = "acme"\n')
    assert used(shelf.line_up()) == {"acme": 1, "more": 1}
    write(folder, 2, key="smok")
    (folder / "more.toml").write_text('name = "more"\nversion = 2\nextends = "acme"\n')
    lineup = shelf.line_up()
    assert used(lineup) == {"acme": 1, "more": 1}
    assert set(lineup.refused) == {"acme.toml", "more.toml"}
    assert lineup.refused["more.toml"].startswith("more.toml:3: extends: 'acme' cannot be used: acme.toml:9")


def test_a_folder_that_is_gone_takes_nothing_away_until_it_is_back(
    folder: Path, shelf: Shelf[Compiled]
) -> None:
    write(folder, 1)
    before, stamps = shelf.line_up(), shelf.stamps()
    away = folder.with_name("away")
    folder.rename(away)
    assert shelf.stamps() != stamps
    gone = shelf.line_up()
    assert (used(gone), gone.changed, gone.filters) == ({"acme": 1}, False, before.filters)
    assert gone.refused == {"profiles": f"profiles: {GONE}"}
    away.rename(folder)
    assert shelf.stamps() == stamps
    back = shelf.line_up()
    assert (used(back), back.changed, back.refused) == ({"acme": 1}, False, {})


def test_an_empty_folder_on_another_disk_is_the_place_where_one_was_mounted(
    folder: Path, shelf: Shelf[Compiled]
) -> None:
    write(folder, 1)
    shelf.line_up()
    (folder / "acme.toml").unlink()
    shelf._disk = -1
    assert (used(shelf.line_up()), set(shelf.line_up().refused)) == ({"acme": 1}, {"profiles"})
    write(folder, 2)
    assert (used(shelf.line_up()), shelf.line_up().refused) == ({"acme": 2}, {})


def test_a_folder_that_was_never_there_is_no_fault_and_one_that_cannot_be_read_is(tmp_path: Path) -> None:
    never = Shelf(tmp_path / "none", ProfileCraft("Asia/Shanghai"))
    assert (never.stamps(), never.line_up().refused) == ({}, {})
    (tmp_path / "none").mkdir()
    write(tmp_path / "none", 1)
    assert used(never.line_up()) == {"acme": 1}
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    lineup = Shelf(loop, ProfileCraft("Asia/Shanghai")).line_up()
    assert lineup.refused["loop"].startswith("loop: folder cannot be read: ")


def test_a_file_that_is_gone_is_taken_away_also_the_last_one(folder: Path, shelf: Shelf[Compiled]) -> None:
    write(folder, 1)
    write(folder, 1, name="more")
    shelf.line_up()
    (folder / "acme.toml").unlink()
    assert used(shelf.line_up()) == {"more": 1}
    (folder / "more.toml").unlink()
    lineup = shelf.line_up()
    assert (used(lineup), lineup.refused, lineup.changed) == ({}, {}, True)


def restarted(folder: Path, *, writes: bool = True) -> Shelf[Compiled]:
    kept = KeptProfiles(folder.parent / "kept", writes=writes)
    return Shelf(folder, ProfileCraft("Asia/Shanghai"), kept=kept)


def test_a_file_that_breaks_before_a_restart_leaves_its_last_usable_version_in_place(folder: Path) -> None:
    write(folder, 1)
    restarted(folder).line_up()
    write(folder, 2, key="smok")  # fails its own test
    lineup = restarted(folder).line_up()
    assert (used(lineup), set(lineup.refused)) == ({"acme": 1}, {"acme.toml"})
    lineup = restarted(folder).line_up()  # and is not forgotten by the start that used it
    assert used(lineup) == {"acme": 1}
    write(folder, 3)
    lineup = restarted(folder).line_up()
    assert (used(lineup), lineup.refused) == ({"acme": 3}, {})


def test_a_folder_that_is_not_there_at_a_restart_takes_no_profile_away(folder: Path) -> None:
    write(folder, 1)
    restarted(folder).line_up()
    folder.rename(folder.with_name("elsewhere"))
    lineup = restarted(folder).line_up()
    assert (used(lineup), lineup.refused) == ({"acme": 1}, {"profiles": f"profiles: {GONE}"})
    folder.mkdir()  # empty on purpose
    assert (used(restarted(folder).line_up()), restarted(folder).line_up().refused) == ({}, {})


def test_who_only_looks_keeps_nothing(folder: Path) -> None:
    write(folder, 1)
    restarted(folder, writes=False).line_up()
    assert not (folder.parent / "kept").exists()


def test_a_disk_that_takes_no_copies_stops_nothing(folder: Path) -> None:
    (folder.parent / "kept").write_text("a file where the folder should be")
    write(folder, 1)
    assert used(restarted(folder).line_up()) == {"acme": 1}
