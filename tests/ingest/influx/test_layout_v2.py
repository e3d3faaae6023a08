"""What is missing on InfluxDB 2: it is asked for once, and nothing that is there is changed unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.influx.layout import Kept, seconds
from ingest.store.influx.layout_v2 import (
    BUCKETS,
    TASKS,
    Bucket,
    Found,
    Request,
    Task,
    bucket_names,
    missing,
    task_names,
)

BUCKET = "gengfu"
lengths = st.sampled_from(["1h", "36h", "2d", "30d", "180d", "400d", "52w", "INF"])
kept = st.builds(Kept, lengths, lengths, lengths)
buckets = st.dictionaries(
    st.sampled_from(sorted(bucket_names(BUCKET).values())),
    st.builds(Bucket, st.just("b1"), st.sampled_from([0, 3600, 86_400, 34_560_000])),
)
tasks = st.dictionaries(
    st.sampled_from(sorted(task_names(BUCKET).values())),
    st.builds(Task, st.just("t1"), st.just("somebody's own"), st.sampled_from(["active", "inactive"])),
)
some = st.builds(Found, st.just("org1"), buckets, tasks)


def after(found: Found, steps: list[Request]) -> Found:
    """What the server has when it did them."""
    has, does = dict(found.buckets), dict(found.tasks)
    for step in steps:
        if "flux" in step.body:
            does[step.what.removeprefix("task ")] = Task("t2", step.body["flux"])
        else:
            name = step.what.removeprefix("bucket ").split(":")[0]
            has[name] = Bucket("b2", step.body["retentionRules"][0]["everySeconds"])
    return replace(found, buckets=has, tasks=does)


@given(kept, some)
def test_with_change_all_is_there_afterwards(wanted: Kept, found: Found) -> None:
    steps, left = missing(BUCKET, wanted, found, change=True)
    assert left == []
    assert missing(BUCKET, wanted, after(found, steps), change=True) == ([], [])


@given(kept, some)
def test_without_change_nothing_that_is_there_is_touched_and_the_rest_is_made_once(
    wanted: Kept, found: Found
) -> None:
    steps, left = missing(BUCKET, wanted, found, change=False)
    assert {step.method for step in steps} <= {"POST"}
    made = {step.what.removeprefix("bucket ").removeprefix("task ").split(":")[0] for step in steps}
    every = {*bucket_names(BUCKET).values(), *task_names(BUCKET).values()}
    assert made == every - {*found.buckets, *found.tasks}
    assert missing(BUCKET, wanted, after(found, steps), change=False) == ([], left)


@given(lengths, st.sampled_from([0, 3600, 86_400, 34_560_000]))
def test_only_what_would_be_deleted_is_said_to_be(length: str, has_s: int) -> None:
    found = Found("org1", {BUCKET: Bucket("b1", has_s)})
    _, left = missing(BUCKET, Kept(raw=length), found, change=False)
    wanted_s = seconds(length)
    shorter = wanted_s != 0 and (has_s == 0 or wanted_s < has_s)
    assert any("what is older is deleted" in one for one in left) == shorter


@given(lengths)
def test_a_piece_is_never_longer_than_what_is_kept(length: str) -> None:
    """The server refuses it otherwise."""
    found = Found("org1", {BUCKET: Bucket("b1", 7200)})
    (step,) = [
        one for one in missing(BUCKET, Kept(raw=length), found, change=True)[0] if one.method == "PATCH"
    ]
    (rule,) = step.body["retentionRules"]
    assert rule["everySeconds"] == 0 or rule["shardGroupDurationSeconds"] <= rule["everySeconds"]


def test_on_an_empty_server_three_buckets_and_two_tasks_are_made_in_this_order() -> None:
    steps, left = missing(BUCKET, Kept(), Found("org1"), change=False)
    assert left == []
    assert [(step.what, step.method, step.path) for step in steps] == [
        ("bucket gengfu: 400d", "POST", BUCKETS),
        ("bucket gengfu_minutes: 260w", "POST", BUCKETS),
        ("bucket gengfu_hours: INF", "POST", BUCKETS),
        ("task gengfu_gengfu_minutes", "POST", TASKS),
        ("task gengfu_gengfu_hours", "POST", TASKS),
    ]


def test_what_differs_is_named_with_what_the_server_has() -> None:
    found = Found(
        "org1",
        {"gengfu": Bucket("b1", 86_400 * 30), "gengfu_hours": Bucket("b2", 5400)},
        {"gengfu_gengfu_minutes": Task("t1", "", "inactive"), "gengfu_gengfu_hours": Task("t2", "other")},
    )
    _, left = missing(BUCKET, Kept(), found, change=False)
    assert left == [
        "bucket gengfu keeps 30d, not 400d; --change sets it",
        "bucket gengfu_hours keeps 5400s, not INF; --change sets it",
        "task gengfu_gengfu_minutes was stopped; --change sets it right",
        "task gengfu_gengfu_hours says something else; --change sets it right",
    ]


@pytest.mark.parametrize(
    ("length", "why"),
    [("59m", "'59m': InfluxDB 2 keeps an hour at least"), ("a year", "'a year': a time such as 400d")],
)
def test_a_time_that_the_server_does_not_keep_is_refused(length: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        missing(BUCKET, Kept(hours=length), Found("org1"), change=False)


def test_a_name_cannot_leave_its_quotes() -> None:
    steps, _ = missing('a") |> drop("', Kept(), Found("org1"), change=False)
    flux = str(steps[-1].body["flux"])
    assert 'from(bucket: "a\\x22\\x29\\x20\\x7c\\x3e\\x20drop\\x28\\x22")' in flux
    assert '|> drop("' not in flux
