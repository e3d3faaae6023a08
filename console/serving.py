"""Serving the console with uvicorn so that it ends promptly: open streams are told first."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

GRACE_S = 5
"""How long a page may finish after the end was asked for (chosen); streams end at once."""


class ConsoleServer(uvicorn.Server):
    """uvicorn, which on its own waits for streams that never end before it says goodbye to the app."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._feed = app.state.feed
        super().__init__(
            uvicorn.Config(
                app, host=host, port=port, log_config=None, access_log=False, server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )  # fmt: skip

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the live streams, then everything else."""
        self._feed.close()
        await super().shutdown(sockets)
