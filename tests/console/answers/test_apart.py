"""The public pages reach nothing of the console: the contract that import-linter keeps names all of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_contract_names_every_module_of_the_console() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        one
        for one in project["tool"]["importlinter"]["contracts"]
        if one["source_modules"] == ["console.answers"]
    )
    here = {f"console.{path.stem}" for path in (ROOT / "console").glob("*.py") if path.stem != "__init__"}
    packages = {f"console.{path.parent.name}" for path in (ROOT / "console").glob("*/__init__.py")}
    assert set(contract["forbidden_modules"]) >= here | packages - {"console.answers"}
