"""Where the broker lets ingest publish: on the topics of the answers that the site allows only."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import Engine

from devices.registry.credentials import broker_hash
from devices.vault import Vault
from gengfu.access import site_texts
from gengfu.answers import Answers
from gengfu.config import Broker, Config
from ingest.gate.files import Account, file_texts, write_files
from tests.gengfu.gated import INGEST, gated
from tests.gengfu.program import eventually

FILE = """\
name = "acme"
[[message]]
name = "report"
topics = ["acme/{id}/up", "{site}/x/{rest+}"]
device = ["acme:{id}"]
[message.values]
n = "current"
[message.reply]
topic = "%s"
payload = "ok"
"""


def configured(config: Config, folder: Path, *names: str) -> Config:
    ingest = msgspec.structs.replace(config.ingest, profiles_dir=str(folder), replies_for=names)
    return msgspec.structs.replace(config, ingest=ingest, broker=Broker())


def test_the_filters_follow_the_files_and_without_names_none_is_read(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(FILE % "acme/{id}/down")
    assert not Answers(configured(config, tmp_path)).changed()
    answers = Answers(configured(config, tmp_path, "acme"))
    assert answers.changed()
    assert (answers.filters, answers.unwritten) == (("acme/+/down",), True)
    assert not answers.changed()
    path.write_text(FILE % "gw-{id}/{.kind}/reply")
    assert not answers.changed()  # it may still be being written
    assert answers.changed()
    assert answers.filters == ("+/+/reply",)
    path.write_text("broken")
    assert [answers.changed() for _ in range(3)] == [False] * 3
    path.unlink()
    assert [answers.changed() for _ in range(2)] == [False, True]
    assert len(answers.filters) == 0


def test_ingest_may_publish_there_and_the_others_may_not(
    config: Config, engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    with_answers = site_texts(configured(config, tmp_path), engine, vault, ("acme/+/down",))
    without = site_texts(configured(config, tmp_path), engine, vault)
    changed = set(with_answers["access"].splitlines()) - set(without["access"].splitlines())
    assert changed == {"topic write acme/+/down"}
    after = with_answers["access"].split("user gengfu-ingest\n")[1]
    assert after.startswith("topic read #\ntopic write acme/+/down\n")


def test_a_blank_of_several_levels_allows_what_is_below(config: Config, tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(FILE % "{site}/y/{rest}/down")
    answers = Answers(configured(config, tmp_path, "acme"))
    assert answers.changed()
    assert answers.filters == ("+/y/#",)


def test_a_real_broker_lets_ingest_answer_there_and_nowhere_else(tmp_path: Path) -> None:
    with gated(tmp_path) as gate:
        login, gateway = gate.logins[INGEST], gate.login("gateway", "acme/d1")
        ingest = gate.connect(login)
        gate.reload()
        assert ingest.publish("acme/d1/down", b"no") == 0x87
        accounts = [
            Account(INGEST, broker_hash(login.password), reads_all=True, writes=("acme/+/down",)),
            Account("gateway", broker_hash(gateway.password), ("acme/d1",)),
        ]
        write_files(gate.folder / "broker", file_texts(accounts))
        device = gate.connect(gateway)
        device.subscribe("acme/d1/#")
        gate.hang_up()
        eventually(lambda: ingest.publish("acme/d1/down", b"ok") == 0, "it may publish there")
        assert device.got(1)[0] == b"ok"
        assert ingest.publish("acme/d1/up", b"forged") == 0x87
        device.leave()
        ingest.leave()
