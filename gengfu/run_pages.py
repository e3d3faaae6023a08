"""The console and the answers processes: each one web application on a listener of its own."""

from __future__ import annotations

import structlog
import uvicorn
from sqlalchemy import Engine

from alerts.receipts_kept import contacts_by
from console.answers.app import create_answers
from console.answers.callbacks import Inbox
from console.answers.settings import AnswersSettings
from console.app import create_console
from console.live import ChangeFeed
from console.people_seam import seam_at
from console.serving import ConsoleServer
from console.settings import ConsoleSettings
from devices.database import open_database
from devices.number_finder import NumberFinder
from devices.secrets import secret_of
from devices.vault import Vault, VaultError
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock
from gengfu.histories_here import histories_of
from gengfu.leash import follow_leash
from gengfu.limits_here import LimitsHere
from gengfu.logs import set_up_logs
from gengfu.run_alerts import ANSWERS_CALLBACK, ANSWERS_LINK
from gengfu.telemetry import serve_figures
from gengfu.unwatched import Unwatched

log = structlog.get_logger()

CONSOLE_SESSION: str = "console.session"
"""The purpose of the secret that signs sessions: a restart and a change of the key log nobody out."""


def figures(feed: ChangeFeed) -> dict[str, float | dict[str, float]]:
    """What the console's `/metrics` shows; names are documented in docs/metrics.md."""
    return {"streams": float(feed.streams)}


def _callback_key(engine: Engine, vault: Vault) -> bytes:
    """None rather than no pages: people answer by links where a first secret cannot be written."""
    try:
        return secret_of(engine, vault, ANSWERS_CALLBACK, now_us())
    except VaultError as error:
        log.error("callbacks_not_taken", error=str(error))
        return b""


def answers_figures(inbox: Inbox) -> dict[str, float | dict[str, float]]:
    """What the answers process's `/metrics` shows; names are documented in docs/metrics.md."""
    return {"callbacks_total": {kind: float(number) for kind, number in inbox.counts.items()}}


def run_console(config: Config) -> None:
    """Runs the operators' pages until SIGTERM. Raises NotSetUp or VaultError."""
    set_up_logs("console")
    held = lock(config.data_dir, "console")
    follow_leash()
    engine = open_database(config.database_url)
    limits = LimitsHere(now_us)
    settings = ConsoleSettings(
        session_key=secret_of(engine, Vault.open(config.key_path), CONSOLE_SESSION, now_us()),
        clock=now_us,
        language=config.site.language,
        timezone=config.site.timezone,
        site_name=config.site.name,
        https_only=config.console.public_url.startswith("https://"),
        off=Unwatched(now_us),
        histories=histories_of(config),
        limits=limits,
        looks_at=limits.looks_at,
        seam=seam_at(config.key_path),
    )
    app = create_console(settings, engine)
    server = ConsoleServer(app, config.console.host, config.console.port)
    telemetry = serve_figures(
        config.metrics.host,
        config.metrics.console,
        "console",
        lambda: figures(app.state.feed),
        lambda: {"ok": server.started and app.state.feed.is_fresh and not app.state.feed.closed},
    )
    server.run()
    telemetry.close()
    held.close()


def run_answers(config: Config) -> None:
    """Runs the one-tap pages and takes what providers post until SIGTERM. It keeps what checks links and
    addresses and what finds a number, and lets go of what opens seals."""
    set_up_logs("answers")
    held = lock(config.data_dir, "answers")
    follow_leash()
    engine = open_database(config.database_url)
    vault = Vault.open(config.key_path)
    settings = AnswersSettings(
        link_key=secret_of(engine, vault, ANSWERS_LINK, now_us()),
        clock=now_us,
        timezone=config.site.timezone,
        language=config.site.language,
        site_name=config.site.name,
        callback_key=_callback_key(engine, vault),
        find=contacts_by(NumberFinder(config.key_path).indexes),
    )
    del vault
    listener = config.answers
    app = create_answers(settings, engine)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=listener.host,
            port=listener.port,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    telemetry = serve_figures(
        config.metrics.host,
        config.metrics.answers,
        "answers",
        lambda: answers_figures(app.state.inbox),
        lambda: {"ok": server.started},
    )
    server.run()
    telemetry.close()
    held.close()
