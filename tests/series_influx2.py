"""InfluxDB 2 for tests: how it is started and set up, its buckets, and tokens that may only some things."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.series_process import PATIENCE_S, Answer, Process, ask

ORG = "centre"
EVERYTHING = ("1677-09-22T00:00:00Z", "2262-04-11T00:00:00Z")
"""All the time that InfluxDB knows."""


def command(program: str, process: Process, flags: str) -> list[str]:
    """On loopback, with all it keeps in the folder of its process; `flags` apart by spaces."""
    folder = process.folder
    places = [
        f"--bolt-path={folder}/bolt",
        f"--engine-path={folder}/engine",
        f"--sqlite-path={folder}/sqlite",
    ]
    own = [f"--http-bind-address=127.0.0.1:{process.port}", "--reporting-disabled", "--log-level=error"]
    return [program, *places, *own, *flags.split()]


@dataclass(frozen=True)
class Organisation:
    """The one organisation of a server, asked with a token that may everything."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def set_up(cls, url: str) -> Organisation:
        """Of a server that was just started, with a user and a token of its own."""
        token = secrets.token_hex(16)
        names = {"username": "admin", "org": ORG, "bucket": "unused", "token": token}
        made = cls(url, token)
        made.ask("POST", "/api/v2/setup", names | {"password": secrets.token_hex(8)})
        return made

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the server says to it; AssertionError where it refuses."""
        answer = self.said(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer.json() if answer.body else None

    def said(self, method: str, path: str, body: Any = None) -> Answer:
        """Whatever it answers."""
        said = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        return ask(self.url + path, said, headers, method=method)

    @property
    def id(self) -> str:
        return str(self.ask("GET", f"/api/v2/orgs?org={ORG}")["orgs"][0]["id"])

    def buckets(self) -> dict[str, dict[str, Any]]:
        """By name, without those of the server's own."""
        found = self.ask("GET", f"/api/v2/buckets?org={ORG}&limit=100")["buckets"]
        return {one["name"]: one for one in found if one["type"] == "user"}

    def keeps(self, bucket: str) -> int:
        """For how many seconds; 0 is for ever."""
        rules = self.buckets()[bucket]["retentionRules"]
        return int(rules[0]["everySeconds"]) if rules else 0

    def make(self, bucket: str, keeps_s: int = 0) -> None:
        rules = [{"type": "expire", "everySeconds": keeps_s}]
        self.ask("POST", "/api/v2/buckets", {"orgID": self.id, "name": bucket, "retentionRules": rules})

    def clear(self, bucket: str) -> None:
        """Leaves neither the bucket nor others and tasks that are named after it.

        2.7.12 dies where a bucket is deleted while a task reads it.
        """
        for one in self.tasks():
            if bucket in one["name"]:
                self.ask("PATCH", path := f"/api/v2/tasks/{one['id']}", {"status": "inactive"})
                deadline = time.monotonic() + PATIENCE_S
                while any(self._goes_on(run) for run in self.ask("GET", f"{path}/runs")["runs"]):
                    assert time.monotonic() < deadline, one
                    time.sleep(0.05)
                self.ask("DELETE", path)
        for name, one in self.buckets().items():
            if name.startswith(bucket):
                self.ask("DELETE", f"/api/v2/buckets/{one['id']}")

    def _goes_on(self, run: dict[str, Any]) -> bool:
        return run["status"] in ("scheduled", "started")

    def tasks(self) -> list[dict[str, Any]]:
        """All of them."""
        return list(self.ask("GET", f"/api/v2/tasks?org={ORG}&limit=100")["tasks"])

    def run(self, task: str) -> None:
        """Has the task run now, and waits for its end; AssertionError where it fails."""
        (path,) = [f"/api/v2/tasks/{one['id']}/runs" for one in self.tasks() if one["name"] == task]
        run = self.ask("POST", path, {})
        deadline = time.monotonic() + PATIENCE_S
        while self._goes_on(run):
            assert time.monotonic() < deadline, run
            time.sleep(0.05)
            answer = self.said("GET", f"{path}/{run['id']}")
            assert answer.status in (200, 404), answer.body
            run = answer.json() if answer.status == 200 else run  # it is nowhere while it is put away
        assert run["status"] == "success", run

    def token_for(self, *rights: str) -> str:
        """One that may only these: `write buckets`, `read tasks`, `write bucket NAME`."""
        permissions = [self._permission(right.split()) for right in rights]
        wanted = {"orgID": self.id, "permissions": permissions}
        return str(self.ask("POST", "/api/v2/authorizations", wanted)["token"])

    def switch(self, token: str, *, on: bool) -> None:
        """Whether the token holds."""
        for one in self.ask("GET", "/api/v2/authorizations")["authorizations"]:
            if one["token"] == token:
                status = "active" if on else "inactive"
                self.ask("PATCH", f"/api/v2/authorizations/{one['id']}", {"status": status})

    def _permission(self, words: Sequence[str]) -> dict[str, Any]:
        action, kind, *names = words
        resource = {"type": kind, "orgID": self.id}
        if names:
            resource |= {"type": f"{kind}s", "id": self.buckets()[names[0]]["id"]}
        return {"action": action, "resource": resource}
