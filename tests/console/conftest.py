from collections.abc import Iterator

import pytest

from tests.console.block import Block


@pytest.fixture
def block(database: str) -> Iterator[Block]:
    """A small block with nothing on fire."""
    block = Block(database)
    yield block
    block.engine.dispose()
