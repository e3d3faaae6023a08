"""`import` and `export` as people type them."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from devices.commands import Desk, apps
from devices.commands.sheets import CHANGES_SHOWN
from devices.database import reading
from devices.schema import look
from tests.devices.sheets.conftest import BLOCK

Run = Callable[..., Result]


@pytest.fixture
def engine_name() -> str:
    """Commands are the same on every engine."""
    return "sqlite"


@pytest.fixture
def run(desk: Desk) -> Run:
    def run(*words: object, code: int = 0) -> Result:
        app, *arguments = map(str, words)
        result = CliRunner().invoke(apps[app], arguments, obj=desk)
        assert result.exit_code == code, result.output
        return result

    return run


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_import_says_what_became_of_each_form(run: Run, folder: Path) -> None:
    said = run("registry", "import", folder).stdout
    assert "device     2 new, 0 changed, 0 unchanged\n" in said
    again = objects(run("registry", "import", folder, "--json").stdout)
    assert again[-1] == {
        "form": "channel",
        "new": 0,
        "changed": 0,
        "unchanged": 1,
        "ways_end": 0,
        "dry_run": False,
    }


def test_a_dry_run_says_so(run: Run, folder: Path) -> None:
    assert run("registry", "import", folder, "--dry-run").stdout.endswith("dry run: nothing was changed\n")
    assert run("area", "list").stdout == ""


def test_each_part_has_its_own_import(run: Run, folder: Path) -> None:
    for app in ("area", "building", "stair", "dwelling", "contact", "device"):
        run(app, "import", folder / f"{app}.csv")
    run("contact", "import", folder / "binding.csv")
    run("device", "import", folder / "channel.csv")
    assert {one["new"] for one in objects(run("registry", "import", folder, "--json").stdout)} == {0}


def test_faults_are_lines_on_stderr_or_objects_and_the_exit_code_is_1(run: Run, folder: Path) -> None:
    (folder / "area.csv").write_text("code,level,name\nX,town,x\nX,city,\n")
    refused = run("area", "import", folder / "area.csv", code=1)
    assert refused.stdout == ""
    assert refused.stderr.splitlines()[0] == (
        "area.csv, line 2, level: 't**': one of city, district, street, community, grid"
    )
    found = objects(run("area", "import", folder / "area.csv", "--json", code=1).stderr)
    assert found[0] == {
        "file": "area.csv", "line": 2, "column": "level", "value": "t**",
        "allowed": "one of city, district, street, community, grid",
    }  # fmt: skip
    assert len(found) == 2


def test_an_export_leaves_personal_data_out_unless_it_is_asked_for(
    run: Run, folder: Path, tmp_path: Path, desk: Desk
) -> None:
    run("registry", "import", folder)
    run("contact", "export", tmp_path / "masked.csv")
    run("dwelling", "export", tmp_path / "places.csv")
    assert "示例甲" not in (tmp_path / "masked.csv").read_text()
    assert "attention" not in (tmp_path / "places.csv").read_text()
    with reading(desk.engine) as connection:
        assert connection.execute(select(look)).all() == []
    run("contact", "export", tmp_path / "clear.csv", "--reveal")
    run("dwelling", "export", tmp_path / "notes.csv", "--reveal")
    assert "示例甲" in (tmp_path / "clear.csv").read_text()
    assert "lives_alone" in (tmp_path / "notes.csv").read_text()
    with reading(desk.engine) as connection:
        rows = connection.execute(select(look).order_by(look.c.id)).all()
    assert [(row.by, row.what) for row in rows] == [
        ("installer", "export name, addresses"),
        ("installer", "export name, addresses"),
        ("installer", "export attention 501"),
    ]


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_exported_file_is_for_its_owner_only_and_never_replaces_one(
    run: Run, folder: Path, tmp_path: Path, name: str
) -> None:
    run("registry", "import", folder)
    file = tmp_path / name
    run("device", "export", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is there already" in run("device", "export", file, code=1).stderr
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_csv_file_holds_one_form_and_says_which(run: Run, folder: Path, tmp_path: Path) -> None:
    run("registry", "import", folder)
    run("contact", "export", tmp_path / "b.csv", "--form", "binding")
    with (tmp_path / "b.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["contact"] for row in csv.DictReader(file)] == ["brigade", "child"]
    assert "contact, binding" in run("contact", "export", tmp_path / "c.csv", "--form", "area", code=1).stderr
    assert "one form" in run("registry", "export", tmp_path / "c.csv", code=1).stderr


def test_a_whole_book_goes_out_and_in(run: Run, folder: Path, tmp_path: Path) -> None:
    run("registry", "import", folder)
    run("registry", "export", tmp_path / "book.xlsx", "--reveal")
    run("registry", "export", tmp_path / "book", "--reveal")
    for book in ("book.xlsx", "book"):
        done = objects(run("registry", "import", tmp_path / book, "--json").stdout)
        assert {(one["new"], one["changed"]) for one in done} == {(0, 0)}
    assert sorted(one.stem for one in (tmp_path / "book").iterdir()) == sorted(BLOCK)


def test_a_folder_that_is_not_there_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    assert run("registry", "export", tmp_path / "no" / "book.xlsx", code=1).stderr.count("\n") == 1


def test_a_dry_run_is_a_preview_without_personal_values(run: Run, folder: Path) -> None:
    run("registry", "import", folder)
    (folder / "contact.csv").write_text("code,name,language,way_1\nchild,示例乙,en,\nnew,示例丙,en,\n")
    said = run("contact", "import", folder / "contact.csv", "--dry-run").stdout.splitlines()
    assert said[:5] == [
        "contact.csv, line 2: contact child, name: ** → changed",
        "contact.csv, line 2: contact child, language: zh-CN → en",
        "contact.csv, line 2: contact child, way: 2 ways → 0 ways, changed",
        "contact.csv, line 3: contact new: new",
        "contact    1 new, 1 changed, 0 unchanged, 2 ways end",
    ]
    shown = run("contact", "import", folder / "contact.csv", "--changes", "--json").stdout
    assert objects(shown)[1] == {
        "form": "contact", "file": "contact.csv", "line": 2, "key": "child", "column": "language",
        "old": "zh-CN", "new": "en",
    }  # fmt: skip
    assert "示例" not in shown


def test_the_preview_shows_the_first_changes_and_json_all(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "area.csv"
    file.write_text("code,level,name\n" + "".join(f"A{n},city,x\n" for n in range(CHANGES_SHOWN + 7)))
    said = run("area", "import", file, "--dry-run").stdout.splitlines()
    assert (len(said), said[-3]) == (CHANGES_SHOWN + 3, "and 7 more; --json shows all")
    assert len(objects(run("area", "import", file, "--dry-run", "--json").stdout)) == CHANGES_SHOWN + 8


def test_a_moved_device_says_which_ratings_came_along(run: Run, folder: Path) -> None:
    run("registry", "import", folder)
    (folder / "device.csv").write_text("uid,dwelling,building\nown:m-2,501,\n")
    said = run("device", "import", folder / "device.csv", "--dry-run").stderr
    assert "device own:m-2 hangs in dwelling 501; still breaker 16 A, 1 channels: say otherwise" in said
    (folder / "device.csv").write_text("uid,dwelling,building,breaker_a\nown:m-2,501,,20\n")
    said = run("device", "import", folder / "device.csv").stderr
    assert "device own:m-2 hangs in dwelling 501; still 1 channels: say otherwise" in said


def test_who_is_newly_out_of_reach_is_said_on_stderr(run: Run, folder: Path) -> None:
    run("registry", "import", folder)
    (folder / "contact.csv").write_text("code,way_1\nchild,\n")
    said = run("contact", "import", folder / "contact.csv", "--dry-run").stderr
    assert said == "1 places with a device newly would have nobody who can be reached: 501\n"
    [told] = objects(run("contact", "import", folder / "contact.csv", "--json").stderr)
    assert (told["newly_unreachable"], told["first"]) == (1, ["501"])


def test_another_encoding_is_said_and_can_be_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "area.csv"
    file.write_bytes("code,level,name\nX,city,演示市\n".encode("gb18030"))
    assert "read as gb18030" in run("area", "import", file, "--dry-run").stderr
    file.write_bytes("code,level,name\nX,city,Müller\n".encode("windows-1252"))
    assert "--encoding" in run("area", "import", file, code=1).stderr
    run("area", "import", file, "--encoding", "windows-1252")
    assert "Müller" in run("area", "list").stdout
    assert "windows-1252" in run("area", "import", file, "--encoding", "klingon", code=1).stderr


def test_what_is_missing_is_named_as_it_was_typed(run: Run, folder: Path, tmp_path: Path) -> None:
    run("registry", "import", folder)
    missing = tmp_path / "nodir"
    said = run("area", "export", missing / "out.csv", code=1).stderr
    assert said == f"{missing}: there is no such folder\n"
    assert run("registry", "import", "/", code=1).stderr.startswith("/:")
