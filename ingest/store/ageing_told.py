"""What the log says of a clock by which points do not age."""

from __future__ import annotations

import structlog

from ingest.store.ageing import Age

log = structlog.get_logger()


def tell_of_doubt(before: Age | None, now: Age) -> None:
    """When it begins, with what to do, and when it is over."""
    doubted = before is not None and before.doubt is not None
    if now.doubt and not doubted:
        log.warning(
            "clock_not_believed",
            ahead_s=now.doubt.ahead_us // 1_000_000,
            do="compare this machine's clock (`timedatectl`). If it is right, nothing: in an hour points"
            " age by it. If it is wrong, set it before: else what is too old by it is dropped then",
        )
    elif doubted and not now.doubt:
        log.warning("clock_believed")
