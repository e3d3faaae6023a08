"""`gengfu texts`, and what `gengfu check` says of texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.text_file import read_texts
from devices.database import open_database
from devices.model import Carrier
from gengfu.channel_accounts import accounts_of
from gengfu.config_file import load_config
from gengfu.texts_here import text_findings
from tests.alerts.story import Story, a_story
from tests.databases import create_tables
from tests.gengfu.approved import aliyun_sms
from tests.gengfu.program import objects

Run = Callable[..., Result]
OWN = """version = 1
[[text]]
name = "why_now.call"
en = "Still no answer from you."
[[text]]
name = "todo.P0.family"
zh-CN = "请立即核实，先看厨房，再看卧室，看清后马上回复，谢谢您的配合，值班台在等。"
"""
SMS = """
[answers]
public_url = "https://gf.example"
[alerts]
texts = "mine.toml"
""" + aliyun_sms(
    "${where}${what}，${do}${answer}，或点 https://gf.example/a/${code} 。",
    'name = "where", part = "where", most = 20',
    'name = "what", part = "what"',
    'name = "do", part = "do", most = 12',
    'name = "answer", part = "answer"',
    'name = "code", part = "code", most = 35',
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gengfu.toml"
    path.write_text(SMS)
    (tmp_path / "mine.toml").write_text(OWN)
    (tmp_path / "aliyun.secret").write_text("s")
    return path


@pytest.fixture
def run(whole_app: typer.Typer, config: Path) -> Run:
    return lambda *words: CliRunner().invoke(whole_app, ["--config", str(config), "texts", *words])


def test_every_text_that_holds_is_listed_with_whose_it_is(run: Run) -> None:
    every = objects(run("list", "--json").stdout)
    assert {one["name"] for one in every if one["file"]} == {"why_now.call", "todo.P0.family"}
    [bound] = [one for one in every if one["name"] == "message.bound" and one["language"] == "en"]
    assert bound["sentences"][1:] == ["{why_now}", "{todo}", "Also told: {others}."]
    shown = run("show", "why_now.call").stdout.splitlines()
    assert shown == [
        "why_now.call",
        "  zh-CN",
        "    尚未收到您的回应。",
        "  en (by mine.toml)",
        "    Still no answer from you.",
    ]
    assert run("show", "why_now.none").exit_code == 1


def test_a_file_is_checked_with_lines_and_lengths(run: Run, config: Path) -> None:
    file = config.parent / "mine.toml"
    told = run("check")
    assert (told.exit_code, told.stdout) == (0, f"{file}: 2 texts, ok\n")
    assert "line 7: key `text[1].zh-CN`: is long: a usual message with it has" in told.stderr
    [finding] = text_findings(load_config(config))
    assert (finding.ok, finding.text) == (True, "2 of the site's own")
    file.write_text(OWN.replace("Still", "{who}"))
    told = run("check", str(file))
    assert told.exit_code == 1
    assert "gengfu: mine.toml, line 4: key `text[0].en`: has the place {who}" in told.stderr
    assert [one["level"] for one in objects(run("check", "--json").stdout)] == ["fault", "warning"]
    [finding] = text_findings(load_config(config))
    assert finding.ok is False and finding.text.endswith("the shipped text is said in its place")
    listed = run("list", "--json")
    assert (listed.exit_code, "line 4" in listed.stderr) == (1, True)
    assert '"No answer from you yet."' in listed.stdout


def test_an_example_is_shown_with_its_length_and_what_the_provider_fixes(run: Run) -> None:
    words = ("preview", "--role", "family", "--language", "zh-CN", "--medium", "sms")
    plain, approved = objects(run(*words, "--json").stdout)
    assert plain["text"].startswith(
        "【火警】示范社区 3号楼 2单元 5层 501，14:02起烟雾报警。请立即核实，先看厨房"
    )
    assert plain["text"].endswith("\nhttps://gf.example/a/1234-56-xxxxxxxxxxxxxxxxxxxxxx")
    assert (plain["carrier"], plain["alphabet"], plain["sms"]) == ("", "UCS-2", 2)
    assert approved["text"] == (
        "【更夫】示范社区 3号楼 2单元 5层 501烟雾报警，请立即核实，先看厨房，…回复1收到 2误报 3求助，"
        "或点 https://gf.example/a/1234-56-xxxxxxxxxxxxxxxxxxxxxx 。"
    )
    assert approved["units"] == approved["characters"] == len(approved["text"])
    fixed = [piece["text"] for piece in approved["pieces"] if not piece["variable"]]
    assert fixed == ["【更夫】", "，", "，或点 https://gf.example/a/", " 。"]
    assert approved["exceeding"] == ["do"]
    shown = run(*words).stdout
    assert "family, zh-CN, SMS by aliyun_sms: " in shown
    assert "【更夫】«示范社区 3号楼 2单元 5层 501»«烟雾报警»，«请立即核实，先看厨房，…»" in shown
    assert "  cut, too long for its place: do\n" in shown


def test_what_nobody_knows_is_refused(run: Run) -> None:
    for words in (("--severity", "P7"), ("--role", "cat"), ("--saying", "moo"), ("--medium", "fax")):
        told = run("preview", *words)
        assert (told.exit_code, f"{words[0]} '{words[1]}'" in told.stderr) == (1, True)
    assert "no data folder here" in run("preview", "--incident", "1").stderr


@pytest.fixture
def told_block(config: Path) -> Iterator[Story]:
    data = config.parent / "data"
    data.mkdir()
    url = f"sqlite:///{data / 'gengfu.db'}"
    engine: Engine = open_database(url)
    create_tables(engine)
    engine.dispose()
    with a_story(url) as story:
        yield story


def test_of_an_incident_each_role_is_shown_what_it_would_be_told_now_and_no_station_too_early(
    run: Run, told_block: Story
) -> None:
    told_block.at(0).smoke("501")
    before = told_block.messages()
    shown = objects(run("preview", "--incident", "1", "--medium", "push", "--json").stdout)
    by_role = {one["role"]: one["text"] for one in shown}
    assert {"family", "neighbour", "grid_worker", "micro_station", "duty_desk"} <= by_role.keys()
    assert "fire_brigade" not in by_role
    said, _, link = by_role["family"].replace("since 11-15 ", "since ").partition("\n")
    [sent] = [one for one in before if one.role == "family"]
    assert said.split(". Also told")[0] == sent.text.split(". Also told")[0]
    assert link.endswith("-" + "x" * 22)
    told_block.at(1).electrical_fire("501")
    confirmed = objects(run("preview", "--incident", "1", "--role", "fire_brigade", "--json").stdout)
    assert {one["text"].partition(":")[0] for one in confirmed} == {"FIRE CONFIRMED"}
    assert told_block.messages()[: len(before)] == before
    assert run("preview", "--incident", "99").exit_code == 1


def test_the_examples_of_the_documents_can_be_used(tmp_path: Path) -> None:
    docs = Path(__file__).parents[2] / "docs"
    [texts] = [one for one in examples(docs / "alerting.md") if "[[text]]" in one]
    read = read_texts(texts, "example.toml")
    assert (read.faults, len(read.texts)) == ((), 4)
    [account] = [one for one in examples(docs / "configuration.md") if "[channels.aliyun]" in one]
    (tmp_path / "gengfu.toml").write_text(account)
    (tmp_path / "aliyun.secret").write_text("s")
    accounts = accounts_of(load_config(tmp_path / "gengfu.toml").channels, "Asia/Shanghai")
    assert accounts.broken == {}
    sms = accounts.by_carrier[Carrier.ALIYUN_SMS]
    assert isinstance(sms, AliyunSmsSettings)
    assert "answer" in {one.part for one in sms.template.variables}


def examples(path: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
