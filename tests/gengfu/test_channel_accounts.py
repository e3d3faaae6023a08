"""The site's accounts with providers: secrets from files, and one that is broken breaks no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.carriers import NEEDING
from alerts.channels.smtp import SmtpSettings
from devices.model import Carrier
from gengfu.channel_accounts import accounts_of
from gengfu.config_file import ConfigError, load_config, parse_config
from tests.gengfu.approved import aliyun_sms

ALL = (
    aliyun_sms(
        "${where}${what}，请处理：${code}",
        'name = "where", part = "where", most = 20',
        'name = "what", part = "what"',
        'name = "code", part = "code", most = 12',
    )
    + """
[channels.aliyun.voice]
[channels.aliyun.voice.template]
code = "TTS_1"
text = "${where}发生${what}"
places = [{ name = "where", part = "where" }, { name = "what", part = "what" }]
[channels.tencent]
key_id = "AKID-test"
key_secret_file = "tencent.secret"
[channels.tencent.sms]
app_id = "1400000000"
sign_name = "更夫"
[channels.tencent.sms.template]
code = "1"
text = "{1}发生{2}"
places = [{ name = "1", part = "where" }, { name = "2", part = "what" }]
[channels.tencent.voice]
app_id = "1400000001"
[channels.tencent.voice.template]
code = "2"
text = "{1}发生{2}"
places = [{ name = "1", part = "where" }, { name = "2", part = "what" }]
[channels.wecom_app]
corp_id = "ww1"
agent_id = 1000002
secret_file = "wecom.secret"
[channels.smtp]
host = "mail.example"
sender = "gengfu@example.org"
user = "gengfu"
password_file = "smtp.secret"
[channels.mqtt]
host = "127.0.0.1"
[channels.cap]
sender = "gengfu.example"
sender_name = "更夫"
"""
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("aliyun", "tencent", "wecom", "smtp"):
        (tmp_path / f"{name}.secret").write_text(f"{name} secret\n")
    (tmp_path / "gengfu.toml").write_text(ALL)
    return tmp_path / "gengfu.toml"


def test_every_account_is_read_with_its_secret_from_the_file_beside_the_configuration(site: Path) -> None:
    accounts = accounts_of(load_config(site).channels, "Asia/Shanghai")
    assert accounts.broken == {}
    assert accounts.by_carrier.keys() == NEEDING.keys()
    sms, smtp = accounts.by_carrier[Carrier.ALIYUN_SMS], accounts.by_carrier[Carrier.SMTP]
    assert isinstance(sms, AliyunSmsSettings) and isinstance(smtp, SmtpSettings)
    assert (sms.key.access_key_secret, smtp.password) == ("aliyun secret", "smtp secret")
    assert sms.template.variables[0].most == 20


def test_a_secret_that_is_missing_breaks_its_own_carriers_only(site: Path) -> None:
    (site.parent / "aliyun.secret").unlink()
    accounts = accounts_of(load_config(site).channels, "Asia/Shanghai")
    assert accounts.broken.keys() == {Carrier.ALIYUN_SMS, Carrier.ALIYUN_VOICE}
    assert "[channels.aliyun.sms]: the secret in" in accounts.broken[Carrier.ALIYUN_SMS]
    assert Carrier.TENCENT_SMS in accounts.by_carrier


def test_an_empty_secret_is_none(site: Path) -> None:
    (site.parent / "smtp.secret").write_text("\n")
    assert "holds no secret" in accounts_of(load_config(site).channels, "Asia/Shanghai").broken[Carrier.SMTP]


def test_a_text_whose_places_are_not_filled_breaks_its_carrier(site: Path) -> None:
    site.write_text(ALL.replace('text = "${where}发生${what}"', 'text = "${where}发生${whatever}"'))
    broken = accounts_of(load_config(site).channels, "Asia/Shanghai").broken
    assert broken.keys() == {Carrier.ALIYUN_VOICE}
    assert "key `template`: the place whatever has no variable" in broken[Carrier.ALIYUN_VOICE]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('[channels.aliyum]\nkey_id = "x"', "unknown key `channels.aliyum`; allowed here: aliyun, tencent"),
        (
            '[channels.smtp]\nhost = "x"\nsender = "a@b.c"\nsekurity = "tls"',
            "unknown key `channels.smtp.sekurity`; allowed here: host, sender, port",
        ),
        ('[channels.smtp]\nhost = "x"\nsender = "a@b.c"\nport = 0', "key `channels.smtp.port`"),
        ('[channels.wecom_app]\ncorp_id = "x"', "missing required field `agent_id`"),
    ],
)
def test_a_wrong_key_is_named_with_its_path_and_what_is_allowed(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^gengfu\.toml: ") as error:
        parse_config(line, "gengfu.toml")
    assert said in str(error.value)
