"""An organisation of InfluxDB 2 by its HTTP API: which buckets and tasks of ours it has, and making others.

The server hides what a token may not read: a bucket is left out of the answer, a task seems not to be there.
So what was made is looked at, and taken away again where it cannot be seen: each run would make one more.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from ingest.store.influx.asking import Asking, Away, NotUnderstood, Refused, Said
from ingest.store.influx.layout_v2 import (
    BUCKETS,
    TASKS,
    Bucket,
    Found,
    Request,
    Task,
    bucket_names,
    task_names,
)
from ingest.store.influx.server import words_of

_JSON: Final = "application/json"
_Told = TypeVar("_Told")
RIGHTS: Final = ("read buckets", "write buckets", "read tasks", "write tasks")
"""What a token needs here. Tasks run with the rights of its user."""


class _Rule(msgspec.Struct, rename="camel"):
    every_seconds: int


class _ToldBucket(msgspec.Struct):
    id: str
    org_id: str = msgspec.field(name="orgID")
    rules: list[_Rule] = msgspec.field(name="retentionRules", default_factory=list)


class _ToldBuckets(msgspec.Struct):
    buckets: list[_ToldBucket]


class _ToldOrganisation(msgspec.Struct):
    id: str


class _ToldOrganisations(msgspec.Struct):
    orgs: list[_ToldOrganisation]


class _ToldTask(msgspec.Struct):
    id: str
    name: str
    flux: str
    status: str


class _ToldTasks(msgspec.Struct):
    tasks: list[_ToldTask]


class Organisation:
    """Asked with the account's token."""

    def __init__(self, asking: Asking, name: str) -> None:
        self._asking, self._name = asking, name

    def found(self, bucket: str) -> Found:
        """What there is of ours for this bucket. Raises SeriesUnread, with the right that is missing."""
        org_id = self._id()
        buckets = {name: self._bucket(name) for name in bucket_names(bucket).values()}
        tasks = {name: self._task(name) for name in task_names(bucket).values()}
        return Found(
            org_id,
            {name: one for name, one in buckets.items() if one},
            {name: one for name, one in tasks.items() if one},
        )

    def make(self, request: Request) -> None:
        """Does it. Raises SeriesUnread, with the right that is missing."""
        said = self._said(request.method, request.path, request.body)
        if _is_denied(said):
            raise self._lacks(f"may not {request.right}")
        if request.method == "POST" and request.path == TASKS:
            made = self._read(said, _ToldTask)
            if self._task(made.name) is None:
                self._said("DELETE", f"{TASKS}/{made.id}")
                raise self._lacks("may not read tasks")
        else:
            self._read(said, dict[str, Any])

    def _id(self) -> str:
        """Of a bucket that the token sees: to read the organisation itself takes one more right."""
        if seen := self._buckets({"limit": "100"}):
            return seen[0].org_id
        said = self._said("GET", f"/api/v2/orgs?{urlencode({'org': self._name})}")
        if orgs := self._read(said, _ToldOrganisations).orgs:
            return orgs[0].id
        raise self._lacks("may not read buckets, or there is none yet")

    def _buckets(self, words: dict[str, str]) -> list[_ToldBucket] | None:
        """None where there is no bucket of that name; empty where the token sees none."""
        said = self._said("GET", f"{BUCKETS}?{urlencode({'org': self._name} | words)}")
        if said.status == 404 and "name" in words:
            return None
        return self._read(said, _ToldBuckets).buckets

    def _bucket(self, name: str) -> Bucket | None:
        found = self._buckets({"name": name})
        if found is None:
            return None
        if not found:
            raise self._lacks("may not read buckets")
        rules = found[0].rules
        return Bucket(found[0].id, rules[0].every_seconds if rules else 0)

    def _task(self, name: str) -> Task | None:
        said = self._said("GET", f"{TASKS}?{urlencode({'org': self._name, 'name': name})}")
        found = [one for one in self._read(said, _ToldTasks).tasks if one.name == name]
        return Task(found[0].id, found[0].flux, found[0].status) if found else None

    def _said(self, method: str, path: str, body: object = None) -> Said:
        said = None if body is None else msgspec.json.encode(body)
        return self._asking.said(path, said, _JSON, method=method)

    def _read(self, said: Said, kind: type[_Told]) -> _Told:
        url = self._asking.url
        if said.status >= 300:
            why = f"{url}: HTTP {said.status}: {words_of(said.body)}"
            raise Away(why) if said.status in {429, 503} else Refused(why)
        try:
            return msgspec.json.decode(said.body, type=kind)
        except msgspec.DecodeError:
            raise NotUnderstood(f"{url}: HTTP {said.status}, and no answer of InfluxDB 2") from None

    def _lacks(self, why: str) -> Refused:
        options = " ".join(f"--{one.replace(' ', '-')}" for one in RIGHTS)
        return Refused(
            f"{self._asking.url}: the token {why}. Make one that may"
            f" (influx auth create --org {self._name} {options}), and name its file with --token-file"
        )


def _is_denied(said: Said) -> bool:
    """It says 401, and of tasks 500."""
    return said.status in {401, 403} or (said.status == 500 and b"unauthorized" in said.body)
