"""A run of `gengfu replay`, and what it told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

from tests.gengfu.program import objects

Run = Callable[..., Result]


def told(result: Result) -> list[dict[str, Any]]:
    """The lines on overloads."""
    return [line for line in objects(result.stdout) if line.get("rule") == "O3"]
