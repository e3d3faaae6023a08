"""The alerts process: from transitions to people."""

from __future__ import annotations

import asyncio
import math
import secrets
import signal
import sys

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from sqlalchemy import Engine

from alerts.channels.channel import Accepted, Outcome
from alerts.process import run_alerts
from alerts.receipts_kept import contacts_by
from alerts.settings import Settings
from devices.database import open_database
from devices.secrets import SECRET_BYTES, secret_of
from devices.vault import SealBroken, Vault
from gengfu.channel_accounts import accounts_of
from gengfu.channel_limits import limits_of
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock
from gengfu.heart import Heart, ballast_of
from gengfu.lateness import is_well, lateness_s
from gengfu.leash import follow_leash
from gengfu.logs import set_up_logs
from gengfu.telemetry import serve_figures

log = structlog.get_logger()

ANSWERS_LINK: str = "answers.link"
"""The purpose of the secret that signs one-tap links; alerts signs with it, answers checks with it."""
ANSWERS_CALLBACK: str = "answers.callback"
"""The purpose of the secret of which the addresses are made where providers post."""
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
_SWITCH_S = 0.0005
"""How long one thread may keep the interpreter while another wants it (measured; Python's own is ten times as
long). Sending a message takes it some ten times anew, so that every fire would wait out a long turn."""


class PrometheusMeter:
    """Counts hand-overs, and how long they took since their notification was made, by severity rank."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._sends = Counter(
            "gengfu_alerts_sends", "Hand-overs to a channel", ["outcome"], registry=registry
        )
        self._begun = Histogram(
            "gengfu_alerts_begun_seconds",
            "From notification to begin of hand-over",
            ["rank"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._ended = Histogram(
            "gengfu_alerts_ended_seconds",
            "From notification to end of hand-over",
            ["rank"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._doubtful = Counter(
            "gengfu_alerts_possible_duplicates",
            "Attempts cut off by a crash and made again (contract 2)",
            registry=registry,
        )

    def begun(self, rank: int, latency_s: float) -> None:
        """A hand-over begins."""
        self._begun.labels(str(rank)).observe(latency_s)

    def ended(self, rank: int, outcome: Outcome, latency_s: float) -> None:
        """A hand-over ended."""
        self._sends.labels("accepted" if isinstance(outcome, Accepted) else "failed").inc()
        self._ended.labels(str(rank)).observe(latency_s)

    def possible_duplicates(self, count: int) -> None:
        """Attempts that a crash cut off."""
        self._doubtful.inc(count)


def answers_url(config: Config) -> str:
    """What one-tap links and the addresses for providers start with."""
    answers = config.answers
    return answers.public_url or f"http://{answers.host}:{answers.port}"


def settings_of(config: Config, link_key: bytes) -> Settings:
    """What the alerts room needs of the configuration, and the secret that signs links."""
    return Settings(
        link_key=link_key,
        answers_url=answers_url(config),
        clock_ratio=config.alerts.clock_ratio,
        policies_file=config.alerts.policies,
        texts_file=config.alerts.texts,
        timezone=config.site.timezone,
        send_timeout_s=config.alerts.send_timeout_s,
        senders=config.alerts.senders,
        messages_per_minute=config.alerts.messages_per_minute,
    )


def run_alerts_process(config: Config) -> None:
    """Runs until SIGTERM."""
    set_up_logs("alerts")
    held = lock(config.data_dir, "alerts")
    asyncio.run(_run(config))
    held.close()


async def _run(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    follow_leash()
    sys.setswitchinterval(_SWITCH_S)
    engine = open_database(config.database_url)
    vault = Vault.open(config.key_path)
    meter = PrometheusMeter()
    telemetry = serve_figures(
        config.metrics.host,
        config.metrics.alerts,
        "alerts",
        lambda: figures(engine),
        lambda: _health(engine, stopping=stop.is_set()),
    )
    ballast = ballast_of(config)
    heart = Heart(engine, "alerts", lambda: _health(engine, stopping=False), now_us, ballast)
    heart.start()
    try:
        settings = settings_of(config, _link_key(engine, vault))
        accounts = accounts_of(config.channels, config.site.timezone)
        for carrier, why in accounts.broken.items():
            log.error("channel_cannot_be_used", carrier=carrier, why=why)
        find = contacts_by(vault.blind_indexes)
        limits = limits_of(config.channels)
        await run_alerts(
            engine, vault, settings, now_us, stop, meter, find=find, accounts=accounts, limits=limits
        )
    finally:
        heart.stop()
        telemetry.close()
        engine.dispose()


def _link_key(engine: Engine, vault: Vault) -> bytes:
    """People are told even if the secret is damaged: their links open nothing then, and the log says so."""
    try:
        return secret_of(engine, vault, ANSWERS_LINK, now_us())
    except SealBroken as error:
        log.error("links_cannot_be_signed", error=str(error))
        return secrets.token_bytes(SECRET_BYTES)


def figures(engine: Engine) -> dict[str, float | dict[str, float]]:
    """What `/metrics` shows beside what the meter counts; names are documented in docs/metrics.md."""
    return {"waiting_seconds": lateness_s(engine, now_us())}


def _health(engine: Engine, *, stopping: bool) -> dict[str, object]:
    """Well means: no fire and no step has been waiting for long to be decided."""
    waiting_s = lateness_s(engine, now_us())
    shown = None if math.isnan(waiting_s) else round(waiting_s, 1)
    trouble = "" if is_well(waiting_s) else "late"
    return {"ok": not trouble and not stopping, "trouble": trouble, "waiting_s": shown}
