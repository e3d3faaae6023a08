"""docs/rules.md: its tables are those of the shipped rules and the kinds, and its example raises an alarm."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from rules.kinds import KINDS
from rules.rule import BaseRule, HeldRule, JudgedRule
from tests.docs.rules_page import PAGE, keys_table, kinds_line, numbers, rules_table, section, tables
from tests.gengfu.program import gengfu, objects

AGAIN = "python -m tests.docs.rules_page writes it"


def test_the_table_of_rules_is_that_of_the_shipped_ones() -> None:
    assert tables(section("## The rules")) == rules_table(), AGAIN


def test_the_table_of_keys_is_that_of_the_kinds() -> None:
    text = section("### Keys")
    assert tables(text) == keys_table(), AGAIN
    assert kinds_line() in " ".join(text.split())


def test_the_table_of_keys_has_every_key_of_every_kind_and_no_other() -> None:
    rows = [re.findall(r"`([^`]+)`|^\| ([^|`]+) \|", line)[:2] for line in keys_table()[2:]]
    shown = {((of[0] or of[1]), key[0]) for of, key in rows}
    common = [("all kinds", BaseRule), ("a hold", HeldRule), ("a level", JudgedRule)]
    for name, kind in KINDS.items():
        groups = {group for group, base in common if issubclass(kind, base)} | {name}
        listed = {key for of, key in shown if of in groups}
        assert listed == {"kernel", *(field.encode_name for field in msgspec.structs.fields(kind))}, name


@pytest.mark.parametrize("name", KINDS)
def test_every_time_level_and_number_and_nothing_else_needs_a_source(name: str) -> None:
    assert set(KINDS[name].numbers) == numbers(KINDS[name])


def test_the_example_with_mosquitto_pub_raises_the_own_rule(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    [own] = [one for one in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[[rule]]" in one]
    [script] = re.findall(r"```sh\n(.*?)```", section("### An own rule raises an alarm"), re.DOTALL)
    topic = re.search(r"-t (\S+)", script)
    payload = re.search(r'-m "(.*)"', script)
    assert topic and payload
    said = payload[1].replace('\\"', '"')
    messages = [
        {"topic": topic[1], "payload": msgspec.json.decode(said.replace("${at}", str(1_772_352_000 + at)))}
        for at in (0, 600)
    ]
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    (tmp_path / "messages.json").write_bytes(msgspec.json.encode(messages))
    decoded = gengfu("decode", "messages.json", cwd=tmp_path)
    assert decoded.returncode == 0, decoded.stderr
    (tmp_path / "r.jsonl").write_text(decoded.stdout)
    done = gengfu("replay", "r.jsonl", "--rules", "own.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    [raised] = objects(done.stdout)
    assert (raised["rule"], raised["device"]) == ("K1", "own:cupboard-1")
    told = re.search(r'"(temperature .*?)"', section("### An own rule raises an alarm"))
    assert told and raised["why"] == told[1]
