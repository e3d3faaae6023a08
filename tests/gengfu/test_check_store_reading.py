"""What somebody is told to do whose replay or copy met a server that gives no points."""

from __future__ import annotations

from pathlib import Path

from gengfu.check_store_reading import unread_advice
from gengfu.config_store import Store
from gengfu.ports import free_port
from ingest.store.history import SeriesUnread
from ingest.store.influx.asking import NotUnderstood, Refused
from tests.ingest.influx.answering import answering, by_path, saying

REFUSED = Refused('http://h: HTTP 404: could not find bucket "b"')


def test_the_server_is_asked_what_it_is_for_the_words(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("abc")
    two = saying(b"", 204, {"X-Influxdb-Version": "2.7.12", "X-Influxdb-Build": "OSS"})
    with answering(by_path({"/ping": two})) as url:
        store = Store(kind="influxdb", url=url, org="o", bucket="b", token_file=str(tmp_path / "t"))
        said = unread_advice(store, REFUSED)
    assert said.startswith("; it is not there, or we may not read it: influx auth create --org o")


def test_where_nothing_can_be_asked_nothing_is_added() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert unread_advice(Store(), REFUSED) == ""
    assert unread_advice(Store(kind="influxdb", url=nobody, bucket="b"), REFUSED) == ""
    lost = Store(kind="influxdb", url=nobody, bucket="b", token_file="/nonexistent/t")
    assert unread_advice(lost, REFUSED) == ""


def test_of_history_in_the_data_folder_nothing_is_said_of_the_server() -> None:
    pinged = saying(b"", 204, {"X-Influxdb-Version": "2.7.12", "X-Influxdb-Build": "OSS"})
    with answering(pinged) as url:
        store = Store(kind="influxdb", url=url, org="o", bucket="b")
        assert unread_advice(store, SeriesUnread("points.db cannot be read")) == ""
        assert unread_advice(store, NotUnderstood("no answer in Flux")).startswith("; see its log")
