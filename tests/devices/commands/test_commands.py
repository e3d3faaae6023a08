from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from devices.commands import Desk, apps
from devices.database import reading, writing
from devices.registry import verify_password
from devices.schema import look, registry_change

Run = Callable[..., Result]


@pytest.fixture
def run(desk: Desk) -> Run:
    """Runs `gengfu <words>`; `typed` is what somebody types."""

    def run(words: str, *more: str, typed: str = "", code: int = 0) -> Result:
        app, *arguments = [*words.split(), *more]
        result = CliRunner().invoke(apps[app], arguments, obj=desk, input=typed)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def block(run: Run) -> None:
    run("area add C --level city --name 演示市")
    run("area add K --level community --name 幸福里社区 --parent C")
    run("building add B --name 3号楼 --area K --floors 6")
    run("stair add S1 --name 1单元 --building B")
    run("dwelling add 501 --stair S1 --floor 5 --flat 501 --attention 独居")
    run("contact add child-501 --name 示例甲")
    run(
        "contact add-channel child-501 --medium sms --carrier webhook --address https://sms.example/13800001234"
    )


def objects(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("block")
def test_the_tree_of_places_is_added_listed_and_shown(run: Run) -> None:
    assert [area["code"] for area in objects(run("area list --json"))] == ["C", "K"]
    assert objects(run("area show K --json")) == [
        {"code": "K", "level": "community", "name": "幸福里社区", "parent": "C"}
    ]
    assert objects(run("building show B --json"))[0]["floors"] == 6
    assert objects(run("stair list --json"))[0]["building"] == "B"
    assert objects(run("dwelling show 501 --json")) == [
        {"code": "501", "stair": "S1", "floor": 5, "flat": "501", "attention": "**"}
    ]
    assert objects(run("dwelling show 501 --reveal --json"))[0]["attention"] == "lives_alone"


@pytest.mark.usefixtures("block")
def test_a_table_is_plain_and_each_row_is_one_line(run: Run) -> None:
    assert run("building list").stdout == "code  name   area  floors\nB     3号楼  K     6\n"


def test_an_empty_list_prints_nothing_on_stdout(run: Run) -> None:
    result = run("device list")
    assert (result.stdout, result.stderr) == ("", "nothing registered\n")
    assert run("device list --json").output == ""


@pytest.mark.usefixtures("block")
def test_names_and_numbers_are_masked_unless_asked_for_and_then_the_look_is_recorded(
    run: Run, desk: Desk
) -> None:
    hidden = run("contact list").stdout + run("contact show child-501 --json").stdout
    assert "示例甲" not in hidden
    assert "13800001234" not in hidden
    assert "https://**" in hidden
    with reading(desk.engine) as connection:
        assert connection.execute(select(look)).all() == []
    [shown] = objects(run("contact show child-501 --reveal --json"))
    assert shown["name"] == "示例甲"
    assert "13800001234" in run("contact list --reveal").stdout
    with reading(desk.engine) as connection:
        assert connection.execute(select(look.c.by)).scalars().all() == ["installer", "installer"]


@pytest.mark.usefixtures("block")
def test_a_contact_is_bound_and_unbound(run: Run) -> None:
    run("contact bind child-501 --role family --dwelling 501")
    assert objects(run("contact show child-501 --json"))[1]["place"] == "501"
    assert run("contact show child-501").stdout.count("\n") == 4
    refused = run("contact bind child-501 --role family --dwelling 501", code=1)
    assert "already" in refused.stderr
    run("contact unbind child-501 --role family --dwelling 501")
    assert len(objects(run("contact show child-501 --json"))) == 1


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("places", ["", "--dwelling 501 --stair S1"])
def test_a_binding_names_exactly_one_place(run: Run, places: str) -> None:
    assert "--dwelling" in run(f"contact bind child-501 --role family {places}", code=2).output


@pytest.mark.usefixtures("block")
def test_a_device_is_registered_shown_and_retired(run: Run) -> None:
    added = run(
        "device register own:meter-7 --kind electrical --profile own --dwelling 501 --breaker-a 16 "
        "--cable-a 20 --insulation pvc --earthing tn-c --json"
    )
    assert objects(added) == [{"registered": "own:meter-7"}]
    [device] = objects(run("device show own:meter-7 --json"))
    assert (device["dwelling"], device["breaker_a"], device["registered_by"]) == ("501", 16.0, "installer")
    run("device retire own:meter-7")
    assert objects(run("device list --json")) == []
    assert len(objects(run("device list --retired --json"))) == 1


@pytest.mark.usefixtures("block")
def test_device_add_is_device_register(run: Run) -> None:
    run("device add zigbee:00124b0000000001 --kind smoke --profile zigbee2mqtt --building B")
    assert objects(run("device list --json"))[0]["building"] == "B"


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("area add C --level city --name x", "'C' is there already"),
        ("area add X --level town --name x", "city, district, street, community, grid"),
        ("area show X", "no area with code 'X'"),
        ("dwelling add x --stair S1 --floor 9 --flat 9", "-10 to 6"),
        ("contact add-channel child-501 --medium fax --carrier webhook --address 1234", "push, sms, voice"),
        (
            "contact add-channel child-501 --medium sms --carrier webhook --address 13800005678",
            "carrier webhook cannot use this address: allowed is http:// or https://",
        ),
        ("contact show nobody", "no contact with code 'nobody'"),
        ("contact show nobody --reveal", "no contact with code 'nobody'"),
        ("device register meter --kind smoke --profile own --dwelling 501", "<namespace>:<id>"),
        ("device register own:m --kind smoke --profile own", "exactly one"),
        ("device retire own:m", "no device with uid 'own:m'"),
        ("user show nobody", "no user with login 'nobody'"),
    ],
)
def test_a_refusal_is_said_on_stderr_with_exit_code_1_and_changes_nothing(
    run: Run, desk: Desk, words: str, reason: str
) -> None:
    with reading(desk.engine) as connection:
        before = connection.execute(select(registry_change.c.id)).all()
    refused = run(words, code=1)
    assert reason in refused.stderr
    assert refused.stdout == ""
    with reading(desk.engine) as connection:
        assert connection.execute(select(registry_change.c.id)).all() == before


def test_wrong_usage_is_exit_code_2(run: Run) -> None:
    run("area add X", code=2)
    run("device list --nonsense", code=2)


def test_a_password_is_asked_for_twice_and_never_shown(run: Run, desk: Desk) -> None:
    result = run("user add night --role operator --everywhere", typed="a long night\na long night\n")
    assert "a long night" not in result.output
    with writing(desk.engine) as connection:
        assert verify_password(connection, login="night", password="a long night") is not None
    assert objects(run("user list --json"))[0]["role"] == "operator"


def test_a_password_comes_from_stdin_where_asked(run: Run, desk: Desk) -> None:
    run("user add night --role operator --everywhere --password-stdin", typed="a long night\n")
    with writing(desk.engine) as connection:
        assert verify_password(connection, login="night", password="a long night") is not None


def test_a_password_is_no_option(run: Run) -> None:
    run("user add night --role operator --everywhere --password secret-secret", code=2)


def test_a_name_left_out_is_asked_for(run: Run) -> None:
    run("contact add P1", typed="示例乙\n")
    assert objects(run("contact show P1 --reveal --json"))[0]["name"] == "示例乙"
