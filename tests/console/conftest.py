from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.block import Block


@pytest.fixture
def block(tmp_path: Path) -> Iterator[Block]:
    """A small block with nothing on fire."""
    block = Block(tmp_path)
    yield block
    block.engine.dispose()
