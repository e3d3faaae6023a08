"""What the demo says on the terminal: where to look, and then each thing that happens, as it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import typer
from sqlalchemy import Engine, select

from alerts.sayings import render
from alerts.schema import incident_change, notification
from devices.database import reading
from devices.schema import contact
from gengfu.config import Config
from simulators.places import Block

_MEDIA = {"push": "推送", "sms": "短信", "voice": "电话", "email": "邮件"}


@dataclass(slots=True)
class Story:
    """Tells progress, the welcome, and every new line of every timeline. With `json` one object a line."""

    json: bool
    _zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    _change_id: int = 0
    _notification_id: int = 0

    def progress(self, line: str) -> None:
        """What the start is doing, on stderr, so that JSON on stdout stays JSON."""
        typer.echo(f"  {line}", err=True)

    def welcome(self, config: Config, phones_url: str, login: str, password: str, block: Block) -> None:
        """Where to look, and what will happen."""
        self._zone = ZoneInfo(config.site.timezone)
        console = f"http://{config.console.host}:{config.console.port}/"
        if self.json:
            self._line({"console": console, "login": login, "password": password, "phones": phones_url})
            return
        typer.echo(
            f"\nGengfu is up: {len(block.devices)} simulated devices in {len(block.dwellings)} dwellings, "
            f"{len(block.contacts)} contacts.\n\n"
            f"  live board   {console}   login: {login}   password: {password}\n"
            f"  phones       {phones_url}/\n"
            f"  data, logs   {config.data_dir}\n\n"
            f"Flat {block.scene} draws 1.6 times what its circuit bears; soon its detector sees smoke.\n"
            f"Escalation clocks run at 1:{config.alerts.clock_ratio:g} (60 s of real use are "
            f"{60 / config.alerts.clock_ratio:g} s here); holds of rules are real.\n"
            "Verify and close the incident on the board. Ctrl-C ends everything.\n"
        )

    def tell(self, engine: Engine) -> None:
        """Prints what is new since the last call."""
        with reading(engine) as connection:
            changes = connection.execute(
                select(incident_change)
                .where(incident_change.c.id > self._change_id)
                .order_by(incident_change.c.id)
            ).all()
            told = connection.execute(
                select(notification, contact.c.code)
                .join(contact, contact.c.id == notification.c.contact_id)
                .where(notification.c.id > self._notification_id)
                .order_by(notification.c.id)
            ).all()
        for row in changes:
            self._change_id = row.id
            if row.kind != "delivery":
                self._say(row.at_us, row.incident_id, row.kind, row.by, row.text)
        for row in told:
            self._notification_id = row.id
            text = f"{row.severity} → {row.code} ({row.role}), {row.medium}/{_MEDIA.get(row.medium, '')}"
            self._say(row.created_us, row.incident_id, "told", "gengfu", text)

    def _say(self, at_us: int, incident_id: int, kind: str, by: str, text: str) -> None:
        at = datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(self._zone)
        if self.json:
            shown = {"incident": incident_id, "kind": kind, "by": by, "text": render(text, "en")}
            self._line({"at": at.isoformat()} | shown)
            return
        who = "" if by == "gengfu" else f" [{by}]"
        typer.echo(f"{at:%H:%M:%S}  #{incident_id}  {kind:10}{who} {render(text, 'zh-CN')}")

    @staticmethod
    def _line(fields: dict[str, object]) -> None:
        typer.echo(msgspec.json.encode(fields).decode())
