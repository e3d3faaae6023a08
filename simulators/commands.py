"""`gengfu simulate …`: fleets, load and bad input against any broker, always bounded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
import typer

from simulators.block import MAX_DEVICES, plan_block
from simulators.faults import bad_inputs, garbage_topics
from simulators.fleet import MAX_SECONDS, FleetError, Scenario, play
from simulators.load import MAX_SECONDS as MAX_LOAD_SECONDS
from simulators.load import LoadError, LoadPlan, describe, run_load
from simulators.mix import FIXED, KINDS
from simulators.publisher import Address
from simulators.scenario import Message, evening, quiet

app = typer.Typer(no_args_is_help=True, help="Fleets, load and bad input against any broker.")

CONNECTING_S: Final = 5.0
"""What a fleet may take on top of its time, to connect."""
MAX_PAYLOAD_BYTES: Final = 262_144
"""The service's default limit (`ingest.max_payload_bytes`), which one fault is a byte above."""

Host = Annotated[str, typer.Option(help="the broker's host")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="the broker's port")]
Username = Annotated[str, typer.Option("--username", help="a publisher's name")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="holds its password alone")]
Ca = Annotated[str, typer.Option("--ca", help="over TLS; the authority's certificate, ca.crt")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Seed = Annotated[int, typer.Option(min=0, help="the same seed gives the same block")]


@app.callback()
def root() -> None:
    """Logs go to stderr: stdout is for the report."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@app.command()
def fleet(
    *,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    devices: Annotated[int, typer.Option(min=2, max=MAX_DEVICES, help="two a dwelling")] = 48,
    seconds: Annotated[float, typer.Option(min=0.1, max=MAX_SECONDS, help="how long")] = 180,
    seed: Seed = 1,
    username: Username = "",
    password_file: PasswordFile = None,
    ca: Ca = "",
    calm: Annotated[bool, typer.Option("--calm", help="nothing goes wrong")] = False,
    json: Json = False,
) -> None:
    """A block's evening in real time: an overload from the start, smoke after 20 s in the same dwelling."""
    block = plan_block(devices, seed)
    story = quiet if calm else evening

    def scenario(start_ms: int) -> Iterator[Message]:
        return story(block, start_ms, seconds)

    if not json and not calm:
        typer.echo(f"things go wrong in dwelling {block.scene}")
    broker = _address(host, port, username, password_file, ca)
    _play(scenario, broker, seconds + CONNECTING_S, json)


@app.command()
def load(
    *,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    devices: Annotated[int, typer.Option(min=1, max=1_000_000, help="identities that take turns")] = 1000,
    seconds: Annotated[float, typer.Option(min=0.1, max=MAX_LOAD_SECONDS, help="how long")] = 10,
    rate: Annotated[float, typer.Option(min=0, help="messages a second; 0: as fast as it goes")] = 1000,
    mix: Annotated[
        str, typer.Option(help=f"kinds and weights, own:60,smoke:25,…; of {', '.join(KINDS)}")
    ] = FIXED,
    qos: Annotated[int, typer.Option(min=0, max=1)] = 1,
    qos0_share: Annotated[float, typer.Option(min=0, max=0.99, help="of the devices publish at QoS 0")] = 0,
    connections: Annotated[int, typer.Option(min=1, max=1000)] = 1,
    username: Username = "",
    password_file: PasswordFile = None,
    ca: Ca = "",
    ledger: Annotated[str, typer.Option(help="file for what was published and acknowledged")] = "",
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="a broker on another machine")] = False,
    json: Json = False,
) -> None:
    """An open loop of messages at a constant rate, of one kind or a mix, and how far it fell behind."""
    broker = _address(host, port, username, password_file, ca)
    plan = LoadPlan(
        host=host,
        port=port,
        username=broker.username,
        password=broker.password,
        devices=devices,
        seconds=seconds,
        rate=rate,
        mix=mix,
        qos=qos,
        qos0_share=qos0_share,
        connections=connections,
        ledger=ledger,
        ca=broker.ca,
        allow_remote=allow_remote,
    )
    try:
        report = run_load(plan)
    except (LoadError, OSError) as error:
        raise _refused(error) from None
    typer.echo(msgspec.json.encode(report).decode() if json else describe(report).rstrip())


@app.command()
def faults(
    *,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    devices: Annotated[int, typer.Option(min=2, max=MAX_DEVICES, help="of the block that suffers")] = 48,
    seconds: Annotated[float, typer.Option(min=0.1, max=MAX_SECONDS, help="at most so long")] = 60,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="messages a second")] = 100,
    username: Username = "",
    password_file: PasswordFile = None,
    ca: Ca = "",
    garbage: Annotated[int, typer.Option(min=0, max=1_000_000, help="messages on topics of their own")] = 100,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Every kind of bad input once, then garbage topics."""
    scenario = partial(_fault_messages, devices=devices, seed=seed, rate=rate, garbage=garbage)
    _play(scenario, _address(host, port, username, password_file, ca), seconds, json)


def _address(host: str, port: int, username: str, password_file: Path | None, ca: str = "") -> Address:
    """The broker; exit code 1 where a file cannot be read."""
    try:
        password = password_file.read_text(encoding="utf-8").strip() if password_file else ""
        if ca:
            Path(ca).read_bytes()
    except OSError as error:
        raise _refused(f"{error.filename}: {error.strerror}") from None
    return Address(host, port, username, password, ca)


def _fault_messages(
    start_ms: int, *, devices: int, seed: int, rate: float, garbage: int
) -> Iterator[Message]:
    block = plan_block(devices, seed)
    monitor, detector = block.current_monitors[0].native_id, block.smoke_detectors[0].native_id
    every = bad_inputs(monitor, detector, start_ms, MAX_PAYLOAD_BYTES)
    for n, bad in enumerate(chain(every, garbage_topics(garbage, seed))):
        yield Message(n / rate, bad.topic, bad.payload, 1, False)


def _play(scenario: Scenario, broker: Address, seconds: float, as_json: bool) -> None:
    """Plays and tells what came of it; exit code 1 when the broker was never reached."""
    try:
        report = asyncio.run(play(scenario, broker, seconds=seconds))
    except FleetError as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        cut = "" if report.complete else ", cut short"
        typer.echo(
            f"{report.published} messages in {report.seconds} s{cut}, {report.given_up} given up, "
            f"{report.reconnects} reconnects, at most {report.behind_max_s} s behind"
        )


def _refused(reason: object) -> typer.Exit:
    typer.echo(f"gengfu: {reason}", err=True)
    return typer.Exit(1)
