"""Work on threads, tasks and pauses of the alerts loop, none of which an error may end."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


async def cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancels a task, and waits for its end."""
    if task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def on_thread(thread: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
    """What `work` gives, done on that thread."""
    return await asyncio.get_running_loop().run_in_executor(thread, work, *arguments)


async def tried(what: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Whether `work` went well. An error is logged and tried again: an exit would tell nobody anything."""
    try:
        await work()
    except Exception as error:  # its text may hold a message's words: only its kind and place are logged
        log.error("alerts_loop_failed", what=what, error=type(error).__name__, at=_place(error))
        return False
    return True


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
