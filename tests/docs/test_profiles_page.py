"""The tutorial of docs/profiles.md, followed word by word."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec import Struct

from devices.profiles.language import file, meaning
from devices.profiles.language.file import ProfileFile

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"
CUT = "…"


class Block(NamedTuple):
    """A fenced block: its language, the file it belongs to, its lines."""

    language: str
    file: str
    lines: list[str]


def blocks() -> Iterator[Block]:
    text = PAGE.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2] or "", found[3].splitlines())


def changed(text: str, lines: list[str]) -> str:
    """The text with what a block of `-` and `+` lines says."""
    before = "".join(f"{line[1:]}\n" for line in lines if line.startswith("-"))
    after = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
    assert text.count(before) == 1, before
    return text.replace(before, after)


def printed(folder: Path, command: str) -> list[str]:
    """What a command prints, to whomever."""
    words = shlex.split(command)
    assert words[0] == "gengfu"
    done = subprocess.run(
        [sys.executable, "-m", "gengfu", *words[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.stdout.splitlines()


def same(said: str, line: str) -> bool:
    return line.startswith(said.removesuffix(CUT).rstrip()) if said.endswith(CUT) else line == said


def follow(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Every command of the page with what the page says it prints and what it prints."""
    good = ""
    for block in blocks():
        path = folder / block.file
        if block.language in ("toml", "json") and block.file:
            path.write_text("".join(f"{line}\n" for line in block.lines), encoding="utf-8")
            good = path.read_text(encoding="utf-8") if block.language == "toml" else good
        elif block.language == "diff":
            path.write_text(changed(good, block.lines), encoding="utf-8")
        elif block.language == "console":
            command, *said = block.lines
            yield command, said, printed(folder, command.removeprefix("$ "))


@pytest.mark.timeout(300)
def test_the_tutorial_prints_what_it_says_it_prints(tmp_path: Path) -> None:
    commands = 0
    for command, said, found in follow(tmp_path):
        commands += 1
        assert len(said) == len(found), (command, found)
        assert all(map(same, said, found)), (command, said, found)
    assert commands >= 9


def test_the_tutorial_ends_green() -> None:
    said = [block.lines for block in blocks() if block.language == "console"]
    assert ["acme 1: 1 message, 5 values, 1 test passed"] in [lines[1:] for lines in said]


def tables() -> Iterator[type[Struct]]:
    """Every table of the profile language."""
    for one in (vars(file) | vars(meaning)).values():
        if isinstance(one, type) and issubclass(one, Struct) and not one.__name__.startswith("_"):
            yield one


def test_every_key_of_the_language_is_explained_and_nothing_else_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for table in tables():
        title = "file" if table is ProfileFile else table.__name__.lower()
        below = rf"<a id=\"{title}\"></a>(.*?)(?=<a id=|^## |\Z)"
        [section] = re.findall(below, text, re.DOTALL | re.MULTILINE)
        explained = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
        assert sorted(explained) == sorted(field.name for field in msgspec.structs.fields(table)), title


def test_every_example_of_a_whole_profile_can_be_loaded() -> None:
    whole = [block for block in blocks() if block.language == "toml" and not block.file]
    assert whole
    for block in whole:
        msgspec.toml.decode("\n".join(block.lines), type=ProfileFile)
