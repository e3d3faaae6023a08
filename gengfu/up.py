"""`gengfu up`: the service in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import contextlib

import typer

from gengfu.config import Config
from gengfu.heartbeat import heartbeat_of
from gengfu.logs import set_up_logs
from gengfu.service import Service, stop_on_signal


def run_up(config: Config, *, take_over: bool = False) -> None:
    """Runs until told to stop, also while it starts; leaves nothing running, however it ends.

    Raises what `Service` raises; the reason is for a person.
    """
    set_up_logs("supervisor")
    stop = stop_on_signal()
    with contextlib.closing(Service(config, logs_to_files=False, say=_say, take_over=take_over)) as service:
        service.start(_say, stop)
        heartbeat = heartbeat_of(service.config, service.health_ports())
        if heartbeat:
            heartbeat.start()
        if service.ready(stop):
            _say(f"ready; console: http://{config.console.host}:{service.config.console.port}/")
        elif not stop.is_set():
            unwell = ", ".join(service.unwell())
            _say(f"not well yet: {unwell}; they are watched and started again; see the log above")
        service.run(stop)
        if heartbeat:
            heartbeat.stop()


def _say(line: str) -> None:
    typer.echo(line, err=True)
