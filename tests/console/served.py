"""The console served over a real socket, in a thread, and stopped as `gengfu` stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from console.app import create_console
from console.serving import ConsoleServer
from tests.console.block import Block


@contextmanager
def console_on(block: Block, port: int) -> Iterator[str]:
    """The console's address for as long as the block lasts."""
    app = create_console(block.console_settings(), block.engine)
    with serving(ConsoleServer(app, "127.0.0.1", port)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(server: uvicorn.Server) -> Iterator[None]:
    """Runs `server` in a thread; on leaving asks it to stop and waits until it has."""
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()
