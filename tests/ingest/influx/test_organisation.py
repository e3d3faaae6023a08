"""What a real InfluxDB 2 gives a token, and what is said to one that may not do all of it."""

from __future__ import annotations

import pytest

from ingest.store.influx.asking import Asking, Refused
from ingest.store.influx.layout import Kept
from ingest.store.influx.layout_v2 import missing
from ingest.store.influx.organisation import RIGHTS, Organisation
from ingest.store.influx.server import Account
from tests.series_servers import INFLUX2, WITHOUT_INFLUX2, SeriesServer

if not INFLUX2:
    pytest.skip(WITHOUT_INFLUX2, allow_module_level=True)

pytestmark = pytest.mark.parametrize("series_kind", INFLUX2)
AS_IS = Kept()


def lay_out(server: SeriesServer, token: str, kept: Kept = AS_IS, *, change: bool = False) -> list[str]:
    """Does what is missing; what was done."""
    with Asking(Account(server.url, org=server.org, bucket=server.bucket, token=token)) as asking:
        organisation = Organisation(asking, server.org)
        steps, _ = missing(server.bucket, kept, organisation.found(server.bucket), change=change)
        for step in steps:
            organisation.make(step)
    return [step.what for step in steps]


def test_four_rights_are_enough_and_the_second_time_nothing_is_missing(series_server: SeriesServer) -> None:
    token = series_server.organisation.token_for(*RIGHTS)
    assert len(lay_out(series_server, token)) == 4, "the site's bucket is there"
    assert lay_out(series_server, token) == []


def test_all_that_is_there_can_be_changed_and_is_kept_so(series_server: SeriesServer) -> None:
    token, name = series_server.organisation.token_for(*RIGHTS), series_server.bucket
    lay_out(series_server, token)
    assert len(lay_out(series_server, token, Kept("30d", "1h", "400d"), change=True)) == 3
    keeps = [series_server.organisation.keeps(one) for one in (name, f"{name}_minutes", f"{name}_hours")]
    assert keeps == [30 * 86_400, 3600, 400 * 86_400]
    assert len(lay_out(series_server, token, Kept("INF", "36h", "INF"), change=True)) == 3
    assert series_server.organisation.keeps(name) == 0


def test_a_task_that_was_stopped_and_rewritten_is_set_right_when_asked(series_server: SeriesServer) -> None:
    organisation, token = series_server.organisation, series_server.organisation.token_for(*RIGHTS)
    lay_out(series_server, token)
    ours = {one["name"]: one["flux"] for one in organisation.tasks()}
    for one in organisation.tasks():
        flux = one["flux"].replace("fn: mean", "fn: median")
        organisation.ask("PATCH", f"/api/v2/tasks/{one['id']}", {"status": "inactive", "flux": flux})
    assert lay_out(series_server, token) == []
    assert len([one for one in lay_out(series_server, token, change=True) if "task" in one]) == 2
    now = organisation.tasks()
    assert {one["name"]: one["flux"] for one in now} == ours
    assert {one["status"] for one in now} == {"active"}


@pytest.mark.parametrize("lacking", RIGHTS)
def test_a_right_that_is_missing_is_named_and_no_task_is_left(
    series_server: SeriesServer, lacking: str
) -> None:
    token = series_server.organisation.token_for(*(right for right in RIGHTS if right != lacking))
    for _ in range(2):
        with pytest.raises(Refused, match=f"the token may not {lacking}") as told:
            lay_out(series_server, token)
        assert "influx auth create --org centre --read-buckets --write-buckets" in str(told.value)
        assert token not in str(told.value)
    assert series_server.organisation.tasks() == []


def test_the_token_of_the_one_bucket_is_not_enough(series_server: SeriesServer) -> None:
    own = [f"{right} bucket {series_server.bucket}" for right in ("read", "write")]
    with pytest.raises(Refused, match="may not write buckets"):
        lay_out(series_server, series_server.organisation.token_for(*own))
    with pytest.raises(Refused, match="may not read buckets, or there is none yet"):
        lay_out(series_server, series_server.organisation.token_for(own[1]))


def test_one_that_nobody_knows_is_refused_in_the_servers_words(series_server: SeriesServer) -> None:
    with pytest.raises(Refused, match=r"HTTP 401: .*unauthorized access"):
        lay_out(series_server, "wrong")


def test_a_bucket_that_is_hidden_is_not_taken_for_missing(series_server: SeriesServer) -> None:
    series_server.organisation.make(other := f"{series_server.bucket}_other")
    others = (right for right in RIGHTS if right != "read buckets")
    token = series_server.organisation.token_for(f"read bucket {other}", *others)
    with pytest.raises(Refused, match=r"may not read buckets\. Make"):
        lay_out(series_server, token)
