from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

TEXT = """code = "SMS_1"
text = "${what}"
places = [{ name = "what", part = "what" }]
"""
ACCOUNT = f"""
[answers]
public_url = "https://fire.example"
[channels.aliyun]
key_id = "id"
key_secret_file = "secret"
[channels.aliyun.sms]
sign_name = "示范"
[channels.aliyun.sms.template]
{TEXT}
"""


def run(whole: typer.Typer, folder: Path, more: str, *words: str) -> Result:
    config = folder / "gengfu.toml"
    config.write_text(f'data = "data"\n[broker]\nanonymous = true\n{more}', encoding="utf-8")
    (folder / "secret").write_text("s3cret")
    return CliRunner().invoke(whole, ["--config", str(config), *words])


@pytest.fixture
def folder(tmp_path: Path, whole_app: typer.Typer) -> Path:
    """A service with a database and a key."""
    assert run(whole_app, tmp_path, "", "area", "list").exit_code == 0
    return tmp_path


def test_each_account_has_an_address_of_its_own_that_stays(whole_app: typer.Typer, folder: Path) -> None:
    first = run(whole_app, folder, ACCOUNT, "callbacks", "--json")
    line = json.loads(first.stdout)
    assert line["carrier"] == "aliyun_sms"
    assert line["url"].startswith("https://fire.example/callback/aliyun_sms/")
    again = run(whole_app, folder, ACCOUNT, "callbacks")
    assert again.stdout.split() == ["aliyun_sms", line["url"]]


def test_without_an_account_or_an_address_it_says_what_to_do(whole_app: typer.Typer, folder: Path) -> None:
    none = run(whole_app, folder, "", "callbacks")
    assert (none.exit_code, none.stdout) == (0, "")
    assert "[channels]" in none.stderr
    local = run(whole_app, folder, ACCOUNT.replace("https://fire.example", ""), "callbacks")
    assert "answers.public_url" in local.stderr


def test_where_nothing_was_ever_kept_it_is_refused(whole_app: typer.Typer, tmp_path: Path) -> None:
    assert run(whole_app, tmp_path, ACCOUNT, "callbacks").exit_code == 1
