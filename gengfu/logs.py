"""Structured logs: one JSON object a line on stderr, or readable lines on a terminal. No personal data."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PERSONAL: Final = frozenset(
    {"address", "attention", "contact_name", "email", "link", "note", "number", "password", "person", "phone",
     "token", "url"}
)  # fmt: skip
"""Keys under which somebody's data would stand. No call uses them; one that does all the same is masked."""

_CHATTY: Final = ("alembic", "uvicorn.access", "aiohttp.access", "apprise", "httpx")


def set_up_logs(process: str, *, level: int = logging.INFO) -> None:
    """Sends structlog, the standard library's loggers, and what ends the process to stderr in one form.

    Every line is marked with `process`, whichever thread it comes from.
    """

    def mark(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line["process"] = process
        return line

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        mark,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask,
    ]
    ends: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if sys.stderr.isatty():
        ends = [structlog.dev.ConsoleRenderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = _log_end


def _mask(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    for key in PERSONAL & line.keys():
        line[key] = "***"
    return line


def _log_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is a log line like any other."""
    logging.getLogger("gengfu").critical("ended by an error", exc_info=(kind, error, trace))
