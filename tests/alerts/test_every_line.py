"""Every line of the table of life safety, and every wish that applies, names the tests that show it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.alerts.lines_of_life import TABLES

TESTS = Path(__file__).parents[1]
LINES = {line: named for table in TABLES for line, named in table.items()}


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests of `rules/kernels/flag`, without their `test_`."""
    folder, _, name = file.rpartition("/")
    tree = ast.parse((TESTS / folder / f"test_{name}.py").read_text(encoding="utf-8"))
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(one.removeprefix("test_") for one in functions if one.startswith("test_"))


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_shown_by_tests_that_are_there(line: str) -> None:
    assert LINES[line]
    missing = [one for one in LINES[line] if one.split()[1] not in names_in(one.split()[0])]
    assert missing == []
