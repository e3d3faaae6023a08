"""`gengfu check` says who would be told of what can wait, and what to do where nobody would."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Engine

from devices.database import reading, writing
from devices.registry.bindings import bind
from devices.registry.contacts import add_channel, add_contact
from devices.registry.tree import add_area
from devices.vault import Vault
from gengfu.check import findings
from gengfu.check_digest import digest_finding
from gengfu.clock import now_us
from gengfu.config import Broker, Config, Digest
from gengfu.ports import free_port
from ingest.probes.finding import Finding
from tests.databases import SQLITE

PUSH = ("push", "webhook", "https://site.example/hook")
CALL = ("voice", "apprise", "sms://1")


@pytest.fixture
def engine_name() -> str:
    """What is said of a service does not depend on the engine."""
    return SQLITE


@pytest.fixture(autouse=True)
def community(engine: Engine) -> None:
    with writing(engine) as connection:
        add_area(connection, level="community", code="c", name="社区", parent_code=None, by="t", now_us=1)


def add(engine: Engine, vault: Vault, role: str, way: tuple[str, str, str]) -> None:
    medium, carrier, address = way
    with writing(engine) as connection:
        add_contact(connection, vault, code=role, name=role, by="t", now_us=1)
        add_channel(
            connection, vault, contact_code=role, medium=medium, carrier=carrier, address=address, rank=1,
            by="t", now_us=1,
        )  # fmt: skip
        bind(
            connection, contact_code=role, role=role, place_kind="area", place_code="c", rank=1, by="t",
            now_us=1,
        )  # fmt: skip


def said(engine: Engine, config: Config) -> Finding:
    with reading(engine) as connection:
        return digest_finding(connection, config, now_us())


def test_all_is_well_where_somebody_is_bound_as_maintenance(
    engine: Engine, vault: Vault, config: Config
) -> None:
    add(engine, vault, "maintenance", PUSH)
    assert said(engine, config) == Finding(
        "daily digest", True, "at 08:30; 1 contact is bound as maintenance"
    )


def test_without_maintenance_it_is_the_duty_desks_and_what_to_do_is_said(
    engine: Engine, vault: Vault, config: Config
) -> None:
    add(engine, vault, "duty_desk", PUSH)
    finding = said(engine, config)
    assert finding.ok is None
    assert finding.text.startswith(
        "nobody is bound as maintenance: what can wait (P3) goes to the duty desk;"
    )
    assert "`gengfu contact bind --role maintenance`" in finding.text


def test_maintenance_that_can_only_be_called_is_told_of_nothing(
    engine: Engine, vault: Vault, config: Config
) -> None:
    add(engine, vault, "maintenance", CALL)
    add(engine, vault, "duty_desk", PUSH)
    finding = said(engine, config)
    assert finding.ok is None
    assert "nobody who is bound as maintenance has a channel for it" in finding.text


def test_a_digest_that_reaches_nobody_is_a_problem(engine: Engine, config: Config) -> None:
    finding = said(engine, config)
    assert finding.ok is False
    assert "P3 reaches nobody" in finding.text


def test_a_digest_that_is_off_is_said(engine: Engine, vault: Vault, config: Config) -> None:
    add(engine, vault, "maintenance", PUSH)
    finding = said(engine, msgspec.structs.replace(config, digest=Digest(daily=False)))
    assert finding.ok is None
    assert finding.text.startswith("off (`digest.daily`): nobody is told of what can wait (P3)")


def test_the_check_has_it_among_its_findings(engine: Engine, config: Config) -> None:
    quick = msgspec.structs.replace(config, broker=Broker(host="127.0.0.1", port=free_port()))
    assert "daily digest" in {finding.name for finding in findings(quick)}
