"""The store process takes up another token from the file that the configuration names."""

from __future__ import annotations

import threading
from pathlib import Path

from gengfu.config import Config
from gengfu.config_store import Store
from gengfu.run_store import Storing
from tests.ingest.influx.answering import answering
from tests.ingest.influx.house import House, eventually
from tests.ingest.influx.test_renewing import Gate


def test_a_token_that_was_changed_in_its_file_needs_no_restart(tmp_path: Path) -> None:
    token, house, gate, stop = tmp_path / "token", House(tmp_path), Gate(), threading.Event()
    with answering(gate) as url:
        token.write_text("old\n")
        store = Store(kind="influxdb", url=url, bucket="b", token_file=str(token), recent_days=0)
        storing = Storing(Config(data=str(tmp_path), store=store), lambda: True)
        storing.open()
        token.write_text("new\n")
        house.tick(3)
        thread = threading.Thread(target=storing.run, args=(stop,))
        thread.start()
        try:
            eventually(lambda: storing.writer is not None and storing.writer.points > 0, "points are taken")
        finally:
            stop.set()
            thread.join()
    assert {"old", "new"} <= set(gate.asked)
    house.close()
