"""The ingest process: one thread that ticks, from the broker to the acknowledgement."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from alerts.troubles import PROFILE, RULES
from devices.database import open_database, reading
from gengfu.belonging import belong
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.config_brokers import FIRST
from gengfu.folder import lock
from gengfu.following_rules import FollowingRules
from gengfu.heart import Heart, ballast_of
from gengfu.ingest_steps import (
    Here,
    every_source,
    expect_sessions,
    intake_of,
    open_journal,
    parts_of,
    recover_all,
    rules_of,
    what_is_left,
)
from gengfu.leash import follow_leash
from gengfu.live_rules import LiveRules
from gengfu.logs import set_up_logs
from gengfu.profiles import shelf_of
from gengfu.service import stop_on_signal
from gengfu.telemetry import By, Value, serve_figures
from ingest.ballast import Ballast
from ingest.following import Following, apply_changes
from ingest.intake import Intake
from ingest.journal import Journal
from ingest.live_profiles import LOOK_S, LiveProfiles, memory_refused
from ingest.parts import Parts
from ingest.recovery import seating
from ingest.series import SeriesIndex
from ingest.shed import ShedCounts
from ingest.sources import Sources
from ingest.tick import Tick
from rules.transition import Transition

log = structlog.get_logger()

HUNG_S: Final = 10.0
"""A turn of the tick that takes longer hangs: a disk that does not answer, or a database that stays locked,
for which a commit waits up to 30 s (chosen: transactions of ours and writes to a slow disk take less)."""


@dataclass(slots=True)
class Ingest:
    """What runs, for the loop and for metrics."""

    engine: Engine
    source: Sources
    index: SeriesIndex
    intake: Intake
    journal: Journal
    tick: Tick[Transition]
    parts: Parts[Transition]
    shed: ShedCounts
    ballast: Ballast
    live: LiveProfiles
    rules: LiveRules
    ruling: FollowingRules
    followed: int = 0

    def figures(self) -> dict[str, Value]:
        """What `/metrics` shows; names are documented in docs/metrics.md."""
        taken, heard = self.intake.figures, list(self.source.counters.values())
        return {
            **self._by_broker(),
            **self._by_profiles(),
            "messages_total": float(taken.messages),
            "readings_total": float(taken.readings),
            "duplicates_total": float(taken.duplicates),
            "rejected_total": {reason: float(count) for reason, count in taken.rejected.items()},
            "redelivered_total": float(self.tick.redelivered),
            "transitions_total": float(self.tick.transitions),
            "ticks_total": float(self.tick.ticks),
            "tick_seconds_total": self.tick.seconds,
            "stalls_total": float(self.tick.stalls),
            "connects_total": float(sum(one.connects for one in heard)),
            "acked_total": float(sum(one.acked for one in heard)),
            "malformed_total": float(sum(one.malformed for one in heard)),
            "sessions_lost_total": float(sum(one.sessions_lost for one in heard)),
            "connected": float(all(one.connected for one in heard)),
            "series": float(self.index.series),
            "freed_total": float(self.tick.freed),
            "registry_version": float(self.index.registry_version),
            "registry_devices_total": float(self.followed),
            "journal_bytes": float(self.journal.bytes_on_disk),
            "shedding": float(self.journal.shedding),
            "shed_points_total": float(self.shed.total),
            "shed_devices_waiting": float(self.shed.waiting),
            "reserve_free_bytes": float(self.journal.reserve.bytes_ready),
            "reserve_whole": float(self.journal.reserve.is_whole),
            "ballast_whole": float(self.ballast.is_whole),
        }

    def health(self) -> dict[str, object]:
        """Well means: connected to every broker, nothing waits for disk or database, and the tick turns.
        Points that are shed are trouble, but no alarm waits for them.

        `connected` is of the broker of `[broker]`: the caretaker asks for it.
        """
        heard, stalled = self.source.counters, stalled_by(self.tick, time.monotonic())
        away = [name or FIRST for name, one in heard.items() if not one.connected]
        which = f": {', '.join(away)}" if len(heard) > 1 else ""
        waits = "stalled" if stalled else f"no_broker{which}" if away else ""
        shedding = "shedding" if self.journal.shedding else ""
        refused = (*refused_files(self.live.refused), *refused_rules(self.ruling.refused))
        unsearched = "unsearched" if self.intake.decoder.is_short(time.time_ns() // 1_000) else ""
        trouble = "; ".join(words for words in (shedding, waits, unsearched, *refused) if words)
        return {
            "ok": not waits,
            "trouble": trouble,
            "connected": heard[""].connected,
            "away": away,
            "stalled": stalled,
        }

    def _by_profiles(self) -> dict[str, Value]:
        intake = self.intake
        return {
            "profiles": float(len(intake.decoder.profiles)),
            "profiles_refused": float(len(self.live.refused)),
            "profile_changes_total": float(self.live.changes),
            "profile_errors_total": float(intake.decoder.profile_errors),
            "unsearched_total": float(intake.decoder.unsearched),
            "profile_memory_refused": float(memory_refused(intake.decoder.profiles)),
            "rules_refused": float(len(self.ruling.refused)),
            "rule_changes_total": float(self.rules.changes),
            "overrides": float(len(self.rules.in_force)),
            "holds": float(len(intake.holds)),
            "holds_refused_total": float(intake.holds.refused),
            "tests_left_out_total": float(intake.tested.left_out),
            "replies_sent_total": float(intake.replies.sent),
            "replies_left_out_total": float(intake.replies.left_out),
            "strangers_left_out_total": float(intake.dead_letters.strangers.left_out),
            "sayings_left_out_total": float(intake.heard.left_out if intake.heard else 0),
        }

    def _by_broker(self) -> dict[str, Value]:
        heard = {name or FIRST: one for name, one in self.source.counters.items()}
        return {
            "broker_connected": By("broker", {name: float(one.connected) for name, one in heard.items()}),
            "broker_connects_total": By("broker", {name: float(one.connects) for name, one in heard.items()}),
            "broker_received_total": By("broker", {name: float(one.received) for name, one in heard.items()}),
            "broker_acked_total": By("broker", {name: float(one.acked) for name, one in heard.items()}),
            "broker_sessions_lost_total": By(
                "broker", {name: float(one.sessions_lost) for name, one in heard.items()}
            ),
        }


def stalled_by(tick: Tick[Any], now_s: float) -> str:
    """What new alarms wait for at `now_s` of the monotonic clock: a step that failed, or one that does not
    return; empty for nothing."""
    return tick.stalled or ("no answer" if now_s - tick.turned_s > HUNG_S else "")


TOLD: Final = 5
"""Profile files that a pulse names; of others it says how many (chosen: a pulse has 4,000 characters)."""


def refused_files(refused: Mapping[str, str]) -> list[str]:
    """What a pulse says of profile files that cannot be used: `profile: FILE:LINE: KEY: PROBLEM`."""
    told = [f"{PROFILE}: {why}" for why in list(refused.values())[:TOLD]]
    more = len(refused) - len(told)
    return [*told, f"{PROFILE}: {more} more files"] if more else told


def refused_rules(refused: Mapping[str, str]) -> list[str]:
    """What a pulse says of rules that cannot be used: `rules: FILE, line N: KEY: PROBLEM`."""
    return [f"{RULES}: {why}" for why in refused.values()]


def run_ingest(config: Config) -> None:
    """Runs until SIGTERM; what is in hand is finished first."""
    set_up_logs("ingest")
    stop = stop_on_signal()
    follow_leash()
    held = lock(config.data_dir, "ingest")
    ingest = compose(config)
    gc.collect()
    gc.freeze()  # what stays is not looked through again: 67 ms at 100,000 devices (measured), inside a tick
    telemetry = serve_figures(
        config.metrics.host, config.metrics.ingest, "ingest", ingest.figures, ingest.health
    )
    heart = Heart(ingest.engine, "ingest", ingest.health, now_us, ingest.ballast)
    heart.start()
    following = Following(ingest.engine, ingest.index.registry_version)
    following.start()
    ingest.live.start()
    ingest.ruling.start()
    tick_s = config.ingest.tick_ms / 1000
    while not stop.is_set():
        started = time.monotonic()
        if ingest.tick.at_rest:
            ingest.followed += apply_changes(ingest.index, following)
            ingest.live.step()
        ingest.tick.run_once(0.001 if following.waits else max(tick_s, 0.02))
        rest = tick_s - (time.monotonic() - started)
        if rest > 0:
            time.sleep(rest)
    following.stop()
    ingest.live.stop()
    ingest.ruling.stop()
    heart.stop()
    ingest.source.close()
    ingest.tick.save_snapshot()
    ingest.journal.close()
    telemetry.close()
    held.close()


def compose(config: Config, *, look_s: float = LOOK_S) -> Ingest:
    """All parts, recovered to where the last process ended. May take as long as the journal is.

    `look_s` is how often profile files are looked at.
    """
    engine = open_database(config.database_url)
    belong(engine, config.data_dir)
    left = what_is_left(config, engine)
    with reading(engine) as connection:
        index = SeriesIndex(connection, slot_of_seat=seating(left.snapshot))
    ballast = ballast_of(config)
    ballast.keep()
    journal = open_journal(config, engine, left, ballast)
    shelf = shelf_of(config, keeps=True)
    stamps, lineup = shelf.stamps(), shelf.line_up()
    source = every_source(config, engine, lineup.filters)
    rules = rules_of(config, engine, left, index)
    intake = intake_of(config, engine, index, lineup)
    shed = ShedCounts(engine, index.uid_of)
    parts = parts_of(config, engine, left, Here(source, intake, journal, rules, shed, ballast))
    recovered = recover_all(config, engine, left, parts, lineup)
    intake.rule_notes.version = rules.version
    ruling = FollowingRules(engine, rules, intake.rule_notes, config.rules.file, config.site.timezone, now_us)
    ruling.look(settled=True)
    expect_sessions(left, source, parts.tail)
    snapshot_s, last_input_id = config.ingest.snapshot_s, recovered.last_input_id
    tick = Tick(parts, last_input_id=last_input_id, clock_us=now_us, snapshot_s=snapshot_s)
    live = LiveProfiles(engine, shelf, intake, source, lineup, stamps, look_s=look_s)
    return Ingest(engine, source, index, intake, journal, tick, parts, shed, ballast, live, rules, ruling)
