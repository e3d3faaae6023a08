"""Every command of the `gengfu` application."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup


def commands_of(whole: typer.Typer) -> dict[str, TyperCommand]:
    """By their words, groups left out."""

    def walk(group: TyperGroup, before: str) -> Iterator[tuple[str, TyperCommand]]:
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from walk(command, f"{before}{name} ")
            elif isinstance(command, TyperCommand):
                yield f"{before}{name}", command

    root = typer.main.get_command(whole)
    assert isinstance(root, TyperGroup)
    return dict(walk(root, ""))
