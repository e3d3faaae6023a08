"""`gengfu demo`: the whole service on embedded parts, with a simulated block and phones, for one evening.

Everything is real but the world around it: a private mosquitto, the six processes, devices that publish
over MQTT, people who tap the links on their phones. Escalation clocks run at 1:6, and it says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import typer

from devices.database import open_database, writing
from devices.registry.users import add_user, hash_password
from devices.vault import Vault, create_key
from gengfu.clock import now_us
from gengfu.config import AnswersListener, Broker, Config, ConsoleListener
from gengfu.config_file import load_config
from gengfu.demo_people import People
from gengfu.demo_story import Story
from gengfu.folder import FolderTaken, lock
from gengfu.logs import set_up_logs
from gengfu.migrate import upgrade
from gengfu.ports import free_port
from gengfu.seed import write_block
from gengfu.service import PROCESSES, CannotStart, Service, stop_on_signal
from simulators.block import plan_block
from simulators.fleet import Scenario, play
from simulators.phones import Phones, open_phones
from simulators.places import Block
from simulators.publisher import Address
from simulators.scenario import Message, evening

FOLDER: Final = Path("demo-data")
RATIO: Final = 6.0
SEED: Final = 7
"""Any number gives a block; this one is always the same."""
HEAD_START_S: Final = 15.0
"""The devices have been running for so long when the service comes up, and send what they held back: the
overload is then 60 s old after 45 s of watching."""
LONGEST_S: Final = 86_400.0
"""A demo left alone ends its traffic after a day."""
LOGIN: Final = "operator"


def run_demo(devices: int, seconds: float, *, json: bool) -> None:
    """Runs until Ctrl-C, or for `seconds` if not 0; leaves nothing running. Exit code 1 without a start."""
    stop = stop_on_signal()
    set_up_logs("demo", level=30)
    story = Story(json=json)
    try:
        asyncio.run(_evening(devices, seconds, stop, story))
    except (CannotStart, FolderTaken, OSError) as error:
        typer.echo(f"gengfu: {error}", err=True)
        raise typer.Exit(1) from None


async def _evening(devices: int, seconds: float, stop: threading.Event, story: Story) -> None:
    block = plan_block(devices, SEED)
    config, password = _prepare()
    async with open_phones(
        "127.0.0.1", 0, Phones(labels={c.phone: c.name for c in block.contacts})
    ) as phones:
        _fill(config, block, phones, password)
        service = Service(config, logs_to_files=True)
        try:
            await asyncio.to_thread(service.start, story.progress, stop)
            if await asyncio.to_thread(service.ready, stop):
                story.welcome(config, phones.url, LOGIN, password, block)
                await _watch(service, block, phones, seconds, stop, story)
            elif not stop.is_set():
                raise CannotStart(f"not all processes came up; see {config.data_dir / 'logs'}")
        finally:
            story.progress("stopping; nothing is left running")
            await asyncio.to_thread(service.close)


async def _watch(
    service: Service, block: Block, phones: Phones, seconds: float, stop: threading.Event, story: Story
) -> None:
    """Plays the evening and tells what happens, until the end is asked for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds if seconds else float("inf")
    broker = Address("127.0.0.1", service.config.broker.port)
    fleet = asyncio.create_task(play(_scenario(block), broker, seconds=LONGEST_S))
    people = asyncio.create_task(People(block, phones, RATIO).live())
    engine = open_database(service.config.database_url)
    try:
        while not stop.is_set() and loop.time() < deadline:
            service.supervisor.watch()
            await asyncio.to_thread(story.tell, engine)
            await asyncio.sleep(0.2)
    finally:
        for task in (fleet, people):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task
        engine.dispose()


def _scenario(block: Block) -> Scenario:
    """The evening, begun HEAD_START_S before the broker was there: what fell due before is sent at once."""

    def messages(start_ms: int) -> Iterator[Message]:
        for message in evening(block, start_ms - round(HEAD_START_S * 1000), LONGEST_S):
            yield message._replace(at_s=message.at_s - HEAD_START_S)

    return messages


def _prepare() -> tuple[Config, str]:
    """A new data folder for this evening; the last one's is thrown away."""
    if (FOLDER / "service.lock").exists():
        lock(FOLDER, "service").close()  # raises FolderTaken while another demo runs here
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(exist_ok=True)
    base = load_config(None)
    config = Config(
        data=str(FOLDER.resolve()),
        site=msgspec.structs.replace(base.site, name="更夫 Gengfu demo"),
        broker=Broker(anonymous=True),  # the simulated devices are this program
        alerts=msgspec.structs.replace(base.alerts, clock_ratio=RATIO),
        console=ConsoleListener(port=_port(8300)),
        answers=AnswersListener(port=_port(8310)),
        metrics=msgspec.structs.replace(
            base.metrics,
            **{name: free_port() for name in PROCESSES},
        ),
    )
    return config, secrets.token_urlsafe(9)


def _port(wanted: int) -> int:
    """`wanted` if it is free, so that the address can be remembered; else any."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
    return wanted


def _fill(config: Config, block: Block, phones: Phones, password: str) -> None:
    """The registry as installers would have left it, and one operator with a password of this evening."""
    create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    vault = Vault.open(config.key_path)
    now = now_us()
    hashed = hash_password(password)
    with writing(engine) as connection:
        write_block(connection, vault, block, phones.address, now)
        add_user(
            connection,
            login=LOGIN,
            password=hashed,
            role="supervisor",
            everywhere=True,
            by="demo",
            now_us=now,
        )
    engine.dispose()
