"""One mosquitto for all real crashes, and a rig for each file that wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.rig import Rig, rig
from tests.ingest.mosquitto import Mosquitto


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """With the configuration we ship."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as one:
        yield one


@pytest.fixture(scope="module")
def crashes(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[Rig]:
    """One rig for all cases of a file: a restart costs less than a new site, and the books go on."""
    folder: Path = tmp_path_factory.mktemp("crashes")
    with rig(folder, broker) as one:
        yield one
