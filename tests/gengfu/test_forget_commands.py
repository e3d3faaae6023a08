"""`gengfu contact erase`, `forget` and `looks` as a person runs them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from devices import registry
from devices.database import reading, writing
from devices.registry import Written
from devices.schema import contact
from devices.vault import Vault
from tests.gengfu.program import objects

WHO = Written(by="t", now_us=1)


@pytest.fixture
def run(
    engine: Engine, vault: Vault, on_engine: Any, tmp_path: Path, whole_app: typer.Typer
) -> Callable[..., Result]:
    """`gengfu contact WORDS` in this process, over a database with one contact."""
    with writing(engine) as connection:
        registry.add_contact(connection, vault, code="p1", name="王小明", **WHO)
    path = tmp_path / "gengfu.toml"
    path.write_text(f'data = "{on_engine.data}"\ndatabase = "{on_engine.database}"\n')

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(whole_app, ["contact", "--config", str(path), *words], input=typed)

    return run


def test_erase_asks_first_and_says_what_goes(run: Callable[..., Result], engine: Engine) -> None:
    refused = run("erase", "p1", typed="n\n")
    assert refused.exit_code == 1
    assert "nothing was erased" in refused.stderr
    done = run("erase", "p1", "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    assert objects(done.stdout)[0]["erased"] == "p1"
    assert run("erase", "p1", "--yes").exit_code == 1
    with reading(engine) as connection:
        assert connection.scalar(select(contact.c.erased_us))


def test_forget_can_be_tried_without_doing_it(run: Callable[..., Result], engine: Engine) -> None:
    tried = run("forget", "--dry-run", "--json")
    assert objects(tried.stdout)[0]["contacts"] == ["p1"]
    with reading(engine) as connection:
        assert not connection.scalar(select(contact.c.erased_us))
    assert "erased 1 contacts (p1)" in run("forget").stdout
    with reading(engine) as connection:
        assert connection.scalar(select(contact.c.erased_us))


def test_looks_are_asked_for_by_contact_time_and_person(run: Callable[..., Result]) -> None:
    assert run("show", "p1", "--reveal").exit_code == 0
    [seen] = objects(run("looks", "p1", "--json").stdout)
    assert (seen["contact"], seen["what"]) == ("p1", "name, addresses")
    assert run("looks", "--by", "nobody", "--json").stdout == ""
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    assert run("looks", "--since", tomorrow, "--json").stdout == ""
    assert run("looks", "nobody").exit_code == 1
    assert "王小明" not in run("looks").output
