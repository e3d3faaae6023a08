from __future__ import annotations

from devices.profiles.checking.check import Checked, check_profile
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import load_profile

ZONE = "Asia/Shanghai"
BASE = """\
name = "base"

[[message]]
name = "state"
topics = ["base/{id}"]
values.v = "voltage"
values.i = "current"
"""
OTHER = 'name = "other"\n[[message]]\nname = "all"\ntopics = ["acme/{rest+}"]\nvalues.v = "voltage"\n'
ACME = """\
name = "acme"
version = 4

[[message]]
name = "state"
topics = ["acme/{id}", "elsewhere/{id}"]
values.v = "voltage"
values.i = "current"

[[test]]
name = "volts"
topic = "acme/1"
payload = '{"v": 230}'
expect = [{ metric = "voltage", value = 230 }]
"""


def load(text: str) -> ProfileFile:
    return load_profile(text, file="x.toml", known={})


def check(text: str, *others: str) -> Checked:
    known = {"base": load_profile(BASE, file="base.toml", known={})}
    compiled = [compile_profile(load(other), site_tz=ZONE) for other in others]
    return check_profile(text, file="acme.toml", known=known, others=compiled, site_tz=ZONE)


def said(checked: Checked) -> list[str]:
    return [str(one) for one in checked.remarks]


def test_what_no_test_shows_is_warned_of_and_the_rest_is_counted() -> None:
    checked = check(ACME)
    assert said(checked) == ["acme.toml:8: warning: message[0].values.i: no test shows this value"]
    assert checked.ok
    assert (checked.name, checked.version, checked.messages, checked.values, checked.tests) == (
        "acme", 4, 1, 2, 1,
    )  # fmt: skip


def test_a_profile_without_tests_is_warned_of() -> None:
    checked = check(ACME[: ACME.index("[[test]]")])
    assert said(checked) == [
        "acme.toml:1: warning: test: there are none: nobody knows whether the values are right"
    ]
    assert checked.ok


def test_a_topic_that_another_profile_takes_is_warned_of_but_not_that_of_a_namesake_or_a_base() -> None:
    seen = ACME.replace('values.i = "current"\n', "")
    assert said(check(seen, OTHER)) == [
        "acme.toml:6: warning: message[0].topics[0]: the profile other listens there as well: acme/{rest+}"
    ]
    assert said(check(seen, OTHER.replace('"other"', '"acme"'))) == []
    assert said(check(seen, OTHER.replace("acme/{rest+}", "acme/2"))) == []
    extending = 'name = "acme"\nextends = "base"\n' + seen[seen.index("[[test]]") :].replace("acme/", "base/")
    assert said(check(extending, BASE)) == []


def test_a_vector_that_fails_is_a_fault_at_its_line() -> None:
    checked = check(ACME.replace("value = 230", "value = 231"))
    assert said(checked) == [
        "acme.toml:14: test[0].expect[0]: expected voltage = 231, got topic:acme/1 voltage = 230 V"
    ]
    assert not checked.ok


def test_a_fault_in_what_is_inherited_is_named_with_the_base() -> None:
    broken = load_profile(BASE.replace('"current"', '"ampere"'), file="base.toml", known={})
    text = 'name = "acme"\nextends = "base"\n'
    checked = check_profile(text, file="acme.toml", known={"base": broken}, others=(), site_tz=ZONE)
    assert said(checked)[0].startswith("base.toml:7: message[0].values.i: no metric `ampere`")
    assert not checked.ok


def test_a_file_that_is_none_says_all_that_is_wrong() -> None:
    checked = check('name = "acme"\nversionn = 1\nmodels = 3\n')
    assert [one.line for one in checked.remarks] == [2, 3]
    assert (checked.name, checked.ok) == ("", False)
