"""What belongs together in `[store]`."""

from __future__ import annotations

import pytest

from gengfu.config_file import ConfigError, parse_config
from gengfu.config_store import Store

OF_1X = 'kind = "influxdb"\nurl = "http://h:8086"\ndatabase = "g"\n'
OF_2X = 'kind = "influxdb"\nurl = "https://h:8086/base"\norg = "o"\nbucket = "b"\ntoken_file = "t"\n'


def store(text: str) -> Store:
    return parse_config(f"[store]\n{text}", "gengfu.toml").store


@pytest.mark.parametrize("text", ["", OF_1X, f'{OF_1X}user = "u"\npassword_file = "p"\n', OF_2X])
def test_what_fits_together_is_taken(text: str) -> None:
    assert store(text).kind == ("influxdb" if text else "embedded")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "http://h"\n', '`store.url`: only with store.kind = "influxdb"'),
        ('kind = "influxdb"\n', '`store.url`: store.kind = "influxdb" needs the address'),
        ('kind = "influxdb"\nurl = "http://h"\n', "`store.database`, `store.bucket`: one of them"),
        (f'{OF_1X}bucket = "b"\n', "`store.database`, `store.bucket`: one of them"),
        (f'{OF_2X}retention_policy = "r"\n', "`store.retention_policy`: needs store.database"),
        (f'{OF_1X}user = "u"\n', "`store.user`, `store.password_file`: both, or neither"),
        (f'{OF_1X}password_file = "p"\n', "`store.user`, `store.password_file`: both, or neither"),
        (f'{OF_2X}user = "u"\npassword_file = "p"\n', "`store.token_file`: not beside store.user"),
        ('kind = "postgres"\n', "`store.kind`"),
        ('kind = "influxdb"\nurl = "http://u:p@h"\n', "`store.url`"),
        ('kind = "influxdb"\nurl = "http://h/?x=1"\n', "`store.url`"),
        (f"{OF_1X}in_flight = 0\n", "`store.in_flight`"),
    ],
)
def test_what_does_not_fit_is_named_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        store(text)
    assert said in str(refused.value)
    assert str(refused.value).startswith("gengfu.toml: key `store.")
