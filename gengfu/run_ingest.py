"""The ingest process: one thread that ticks, from the broker to the acknowledgement."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Engine

from devices.database import open_database, reading
from devices.profiles.shipped import shipped_profiles
from gengfu.access import login_of
from gengfu.belonging import belong
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock
from gengfu.heart import Heart
from gengfu.leash import follow_leash
from gengfu.ledger import SqlInbox, SqlLedger, committed_seq
from gengfu.logs import set_up_logs
from gengfu.service import stop_on_signal
from gengfu.shipped import ShippedRules
from gengfu.telemetry import serve_figures
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.following import Following, apply_changes
from ingest.freeing import Freeing, quarantine_us
from ingest.intake import Intake
from ingest.journal import Journal
from ingest.recovery import recover, seating
from ingest.redelivery import Tail
from ingest.series import SeriesIndex
from ingest.snapshot import SnapshotFolder
from ingest.source import MqttSource, SourceSettings
from ingest.stamps import Stamps
from ingest.tick import Parts, Tick
from rules.transition import Transition

log = structlog.get_logger()

TOPIC_BYTES: Final = 65_536
"""A packet is at most so much longer than its payload: the longest topic MQTT allows."""


@dataclass(slots=True)
class Ingest:
    """What runs, for the loop and for metrics."""

    engine: Engine
    source: MqttSource
    index: SeriesIndex
    intake: Intake
    journal: Journal
    tick: Tick[Transition]
    followed: int = 0

    def figures(self) -> dict[str, float | dict[str, float]]:
        """What `/metrics` shows; names are documented in docs/metrics.md."""
        taken, heard = self.intake.figures, self.source.counters
        return {
            "messages_total": float(taken.messages),
            "readings_total": float(taken.readings),
            "duplicates_total": float(taken.duplicates),
            "rejected_total": {reason: float(count) for reason, count in taken.rejected.items()},
            "redelivered_total": float(self.tick.redelivered),
            "transitions_total": float(self.tick.transitions),
            "ticks_total": float(self.tick.ticks),
            "tick_seconds_total": self.tick.seconds,
            "stalls_total": float(self.tick.stalls),
            "connects_total": float(heard.connects),
            "acked_total": float(heard.acked),
            "malformed_total": float(heard.malformed),
            "sessions_lost_total": float(heard.sessions_lost),
            "connected": float(heard.connected),
            "series": float(self.index.series),
            "freed_total": float(self.tick.freed),
            "registry_version": float(self.index.registry_version),
            "registry_devices_total": float(self.followed),
            "journal_bytes": float(self.journal.bytes_on_disk),
        }

    def health(self) -> dict[str, object]:
        """Well means: connected to the broker, and nothing waits for disk or database."""
        connected, stalled = self.source.counters.connected, self.tick.stalled
        trouble = "stalled" if stalled else "" if connected else "no_broker"
        return {"ok": not trouble, "trouble": trouble, "connected": connected, "stalled": stalled}


def run_ingest(config: Config) -> None:
    """Runs until SIGTERM; what is in hand is finished first."""
    set_up_logs("ingest")
    stop = stop_on_signal()
    follow_leash()
    held = lock(config.data_dir, "ingest")
    ingest = compose(config)
    telemetry = serve_figures(
        config.metrics.host, config.metrics.ingest, "ingest", ingest.figures, ingest.health
    )
    heart = Heart(ingest.engine, "ingest", ingest.health, now_us)
    heart.start()
    following = Following(ingest.engine, ingest.index.registry_version)
    following.start()
    tick_s = config.ingest.tick_ms / 1000
    while not stop.is_set():
        started = time.monotonic()
        if ingest.tick.at_rest:
            ingest.followed += apply_changes(ingest.index, following)
        ingest.tick.run_once(0.001 if following.waits else max(tick_s, 0.02))
        rest = tick_s - (time.monotonic() - started)
        if rest > 0:
            time.sleep(rest)
    following.stop()
    heart.stop()
    ingest.source.close()
    ingest.tick.save_snapshot()
    ingest.journal.close()
    telemetry.close()
    held.close()


def compose(config: Config) -> Ingest:
    """All parts, recovered to where the last process ended. May take as long as the journal is."""
    engine = open_database(config.database_url)
    belong(engine, config.data_dir)
    snapshots = SnapshotFolder(config.data_dir / "snapshots")
    snapshot = snapshots.load()
    with reading(engine) as connection:
        index = SeriesIndex(connection, slot_of_seat=seating(snapshot))
    had_session = bool(snapshot) or any((config.data_dir / "journal").glob("*.journal"))
    journal = Journal(
        config.data_dir / "journal",
        segment_bytes=config.ingest.segment_mb << 20,
        max_bytes=config.ingest.journal_max_mb << 20,
        at_least=max(snapshot.seq if snapshot else 0, committed_seq(engine)) + 1,
    )
    profiles = shipped_profiles()
    filters = tuple(dict.fromkeys(text for profile in profiles for text in profile.filters))
    source = MqttSource(source_settings(config, filters), now_us=now_us, resumes=had_session)
    rules = ShippedRules(index.table())
    intake = Intake(
        index,
        Decoder(profiles, index, max_payload_bytes=config.ingest.max_payload_bytes),
        Stamps(index),
        DeadLetters(engine),
        rules_version=rules.version,
    )
    inbox = SqlInbox(engine, 0)
    ledger = SqlLedger(engine, index.name_of, now_us)
    freeing = Freeing(index, intake.stamps, rules, quarantine=quarantine_us(config.store.keep_days))
    parts = Parts(source, Tail(), intake, journal, rules, ledger, inbox, snapshots, freeing)
    recovered = recover(snapshot, config.data_dir / "journal", parts)
    tick = Tick(
        parts,
        last_input_id=recovered.last_input_id,
        clock_us=now_us,
        snapshot_s=config.ingest.snapshot_s,
    )
    return Ingest(engine, source, index, intake, journal, tick)


def source_settings(config: Config, filters: tuple[str, ...]) -> SourceSettings:
    """What the source needs of the configuration."""
    broker = config.broker
    username, password = login_of(config)
    return SourceSettings(
        host=broker.host,
        port=broker.port,
        client_id=broker.client_id,
        filters=filters,
        username=username,
        password=password,
        session_expiry_s=broker.session_expiry_h * 3600,
        receive_maximum=broker.receive_maximum,
        keep_alive_s=broker.keep_alive_s,
        max_packet_bytes=config.ingest.max_payload_bytes + TOPIC_BYTES,
    )
