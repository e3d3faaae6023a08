"""The parts of the ingest process, step by step: from the configuration and what the process before left."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from devices.database import reading
from gengfu.brokers import every_settings, source_names, without
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.following_rules import first_book
from gengfu.ledger import SqlInbox, SqlLedger, committed_seq
from gengfu.live_rules import LiveRules
from gengfu.lived import lived_us
from gengfu.names_kept import names_kept_days
from ingest.ballast import Ballast
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.freeing import Freeing, Holding, quarantine_us
from ingest.heard import Heard
from ingest.intake import Intake
from ingest.journal import Journal
from ingest.journal_files import list_segments
from ingest.lineup import Lineup
from ingest.live_profiles import bring_back, left_behind
from ingest.mqtt_source import MqttSource
from ingest.notes import OURS, stored_notes
from ingest.parts import Parts
from ingest.presence import Presence
from ingest.recovery import Recovered, recover
from ingest.redelivery import Tail
from ingest.replies import Replies
from ingest.series import SeriesIndex
from ingest.shed import ShedCounts
from ingest.snapshot import Snapshot, SnapshotFolder
from ingest.sources import Sources
from ingest.stamps import Stamps
from ingest.store.offset import stored_seq
from rules.transition import Transition


class Left(NamedTuple):
    """What the process before left: its newest snapshot, when it lived last, and whether it may have sessions
    at brokers."""

    snapshots: SnapshotFolder
    snapshot: Snapshot | None
    lived_us: int
    had_session: bool

    @property
    def seq(self) -> int:
        """The newest record that the snapshot has."""
        return self.snapshot.seq if self.snapshot else 0


def what_is_left(config: Config, engine: Engine) -> Left:
    """Looks before anything of this process is written."""
    snapshots = SnapshotFolder(config.data_dir / "snapshots")
    snapshot, there_us = snapshots.load(), lived_us(engine, snapshots)
    had_session = bool(snapshot) or bool(list_segments(config.data_dir / "journal"))
    return Left(snapshots, snapshot, there_us, had_session)


def open_journal(config: Config, engine: Engine, left: Left, ballast: Ballast) -> Journal:
    """The journal, numbered on from all that anybody has taken from it."""
    stored = stored_seq(config.data_dir / "points.db")
    return Journal(
        config.data_dir / "journal",
        segment_bytes=config.ingest.segment_mb << 20,
        max_bytes=config.ingest.journal_max_mb << 20,
        at_least=max(left.seq, committed_seq(engine), stored) + 1,
        reserve_bytes=config.ingest.reserve_mb << 20,
        may_return=lambda: ballast.is_whole,
    )


def every_source(config: Config, engine: Engine, filters: tuple[str, ...]) -> Sources:
    """One for each broker, with what its session is to be freed of."""
    every = every_settings(config, filters)
    every = without(every, left_behind(engine, source_names(config), filters))
    return Sources([MqttSource(one, now_us=now_us) for one in every])


def rules_of(config: Config, engine: Engine, left: Left, index: SeriesIndex) -> LiveRules:
    """The rules that held at the oldest record that recovery will evaluate; the journal is open."""
    segments = list_segments(config.data_dir / "journal")
    begun = left.snapshot is None and bool(segments) and segments[0].first_seq == 1
    return LiveRules(index.table(), first_book(engine, from_the_beginning=begun))


def intake_of(config: Config, engine: Engine, index: SeriesIndex, lineup: Lineup) -> Intake:
    """From messages to records."""
    return Intake(
        index,
        Decoder(lineup.profiles, index, max_payload_bytes=config.ingest.max_payload_bytes),
        Stamps(index),
        DeadLetters(engine),
        replies=Replies(lineup.answers),
        heard=Heard(engine, index.knows),
    )


class Here(NamedTuple):
    """What of this process its parts are made of."""

    source: Sources
    intake: Intake
    journal: Journal
    rules: LiveRules
    shed: ShedCounts
    ballast: Ballast


def parts_of(config: Config, engine: Engine, left: Left, here: Here) -> Parts[Transition]:
    """All that a tick takes, before recovery."""
    source, intake, journal, rules, shed, ballast = here
    index = intake.index
    return Parts(
        source=source,
        tail=Tail(),
        intake=intake,
        journal=journal,
        rules=rules,
        ledger=SqlLedger(engine, index.name_of, now_us, rules.called),
        inbox=SqlInbox(engine, 0),
        snapshots=left.snapshots,
        freeing=freeing_of(config, index, intake.stamps, rules),
        shed=shed,
        ballast=ballast,
        replying=source,
        presence=Presence(lambda: source.connected, lambda: rules.away, lived=lambda: left.lived_us),
    )


def freeing_of(config: Config, index: SeriesIndex, stamps: Stamps, rules: Holding) -> Freeing | None:
    """Lets go of series when no store holds points of theirs; None where that is never."""
    days = names_kept_days(config.store, config.data_dir)
    return None if days is None else Freeing(index, stamps, rules, quarantine=quarantine_us(days))


def recover_all(
    config: Config, engine: Engine, left: Left, parts: Parts[Transition], lineup: Lineup
) -> Recovered:
    """Where the process before ended; and what profiles and holds had noted by then."""
    recovered = recover(left.snapshot, config.data_dir / "journal", parts)
    with reading(engine) as connection:  # after recovery: it commits what was journalled and not committed
        bring_back(lineup, stored_notes(connection))
        parts.intake.remember(stored_notes(connection, OURS))
    return recovered


def expect_sessions(left: Left, source: Sources, tail: Tail) -> None:
    """What brokers may send again counts as that, as long as their session can be the one of before."""
    source.expect_sessions(tail.sources if left.had_session else frozenset())
    tail.keep_only(source.counters)
